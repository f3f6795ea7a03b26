/** Deterministic filler that looks like what a coding session holds: English, a manual, numbered source code, base64. */

export interface Prose {
  /** English-looking ASCII without characters that JSON escapes: one byte a character. */
  plain(bytes: number): string;
  /** Markdown with headings, lists and inline code. */
  manual(bytes: number): string;
  /** Source lines behind line numbers, as a file-reading tool prints them. */
  numberedCode(bytes: number): string;
  base64(bytes: number): string;
}

const WORDS = (
  "the a of to and in is that for it as with on be at by this not are from or an if when which each other into more only " +
  "request response server client header value field file folder test error message stream buffer event handler option " +
  "write read change keep send close open check return build parse count match route label model token session cache " +
  "always never before after first last small large empty whole same different because however without between"
).split(" ");
const NAMES = [
  "request",
  "response",
  "index",
  "entry",
  "options",
  "buffer",
  "offset",
  "result",
  "cursor",
  "label",
  "nextItem",
  "startByte",
  "parsedValue",
];
const CALLS = ["readFile", "createServer", "parseHeader", "findDeployment", "writeChunk", "toJSON", "pickTarget", "closeStream"];

/** The same seed gives the same text; successive calls on one object give different text. */
export function createProse(seed: string): Prose {
  const random = createRandom(seed);
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? "";
  const sentence = (): string => {
    const words = Array.from({ length: 6 + Math.floor(random() * 12) }, () => pick(WORDS));
    const text = words.join(" ");
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}. `;
  };
  const codeLine = (): string => {
    const indent = "  ".repeat(Math.floor(random() * 4));
    const forms = [
      () => `const ${pick(NAMES)} = ${pick(CALLS)}(${pick(NAMES)}, ${Math.floor(random() * 4096)});`,
      () => `if (${pick(NAMES)}.${pick(NAMES)} !== undefined) return ${pick(CALLS)}(${pick(NAMES)});`,
      () => `// ${sentence().trim()}`,
      () => `await ${pick(CALLS)}({ ${pick(NAMES)}: "${pick(WORDS)}", ${pick(NAMES)} });`,
      () => "}",
    ];
    return indent + (forms[Math.floor(random() * forms.length)]?.() ?? "");
  };
  const fill = (bytes: number, piece: () => string): string => {
    let text = "";
    while (text.length < bytes) text += piece();
    return text.slice(0, Math.max(0, bytes));
  };
  let line = 0;
  return {
    plain: (bytes) => fill(bytes, sentence),
    manual: (bytes) =>
      fill(bytes, () =>
        random() < 0.15 ? `\n\n## ${pick(WORDS)} ${pick(WORDS)}\n` : random() < 0.3 ? `\n- \`${pick(CALLS)}\`: ${sentence()}` : sentence(),
      ),
    numberedCode: (bytes) => fill(bytes, () => `${String(++line).padStart(6)}\t${codeLine()}\n`),
    base64: (bytes) =>
      fill(bytes, () =>
        Math.floor(random() * 2 ** 48)
          .toString(36)
          .replaceAll("i", "/"),
      ),
  };
}

/** Mulberry32 over a hash of the seed: values in [0, 1). */
function createRandom(seed: string): () => number {
  let state = 2_166_136_261;
  for (let at = 0; at < seed.length; at++) state = Math.imul(state ^ seed.charCodeAt(at), 16_777_619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
