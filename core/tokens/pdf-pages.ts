/** Guesses how many pages a PDF has, without reading it as one. */

/**
 * Each page reaches the model as an image and as its text. Anthropic documents 1,500 to 3,000 tokens a page
 * for the text alone and the picture besides; measured pages of plain text cost about these.
 */
export const PDF_PAGE_TOKENS = { plain: 2100, older: 2100, newer: 2325 } as const;

/** The most pages one request may hold. */
export const MOST_PDF_PAGES = 600;

/** Where pages hide in compressed objects: the usual size of one. */
const BYTES_A_PAGE = 50_000;

/** @returns 1 to 600 */
export function countPdfPages(pdf: Buffer): number {
  // Latin-1 keeps one character a byte, whatever the streams hold.
  const text = pdf.toString("latin1");
  let pages = 0;
  for (const _page of text.matchAll(/\/Type\s*\/Page(?![A-Za-z])/g)) pages++;
  if (pages === 0) {
    for (const [, count] of text.matchAll(/\/Count\s+(\d{1,4})/g)) pages = Math.max(pages, Number(count));
  }
  return Math.min(MOST_PDF_PAGES, Math.max(1, pages, pages === 0 ? Math.round(pdf.length / BYTES_A_PAGE) : 0));
}
