/** How much a batch of stream events may become: what one file makes of it is not to hold up the others. */

/** JSON texts that take the places of the events of one batch. */
const maxLength = 2 * 1024 * 1024;
export const maxTexts = 10_000;

export const tooMuch: string = `the events that take the place of others are more than ${maxTexts}, or longer than ${maxLength} characters`;

/** @param events 0 for one that goes on as it is, else the texts that take its place */
export function areTooMuch(events: readonly (0 | readonly string[])[]): boolean {
  let length = 0;
  let texts = 0;
  for (const event of events) {
    if (event === 0) continue;
    texts += event.length;
    for (const text of event) length += text.length;
  }
  return length > maxLength || texts > maxTexts;
}
