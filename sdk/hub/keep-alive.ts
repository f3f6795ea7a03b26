/** Tells what only keeps a stream of events alive from what says something: a few bytes are compared, nothing is parsed. */

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
/** What is longer says something. */
const longest = 4096;
const dataField = Buffer.from("data:");

/**
 * @param pings how the first line of an event begins that says nothing, up to its end or the rest of its data
 * @returns whether a chunk holds nothing but such events, comments and blank lines, all of them whole. A chunk that may go
 * on with something that an earlier one began counts as none.
 */
export function keepAliveTest(pings: readonly string[] = []): (chunk: Uint8Array) => boolean {
  const starts = pings.map((ping) => Buffer.from(ping));
  return (chunk) => {
    if (chunk.length === 0 || chunk.length > longest) return false;
    let at = 0;
    let inPing = false;
    let isBetween = true;
    while (at < chunk.length) {
      const first = chunk[at];
      if (first === lineFeed || first === carriageReturn) {
        // The second byte of CRLF ends no event, nor does it begin one.
        at += first === carriageReturn && chunk[at + 1] === lineFeed ? 2 : 1;
        inPing = false;
        isBetween = true;
        continue;
      }
      const end = endOfLine(chunk, at);
      if (end === -1 || !saysNothing(chunk, at, end, inPing)) return false;
      inPing ||= first !== colon;
      isBetween = false;
      at = chunk[end] === carriageReturn && chunk[end + 1] === lineFeed ? end + 2 : end + 1;
    }
    // A line that looks like a comment may be the rest of a field, cut before its colon; then its event goes on.
    return isBetween;
  };

  function saysNothing(chunk: Uint8Array, at: number, end: number, inPing: boolean): boolean {
    // The rest of an object, cut before a colon, ends in a bracket; no host's comment does.
    if (chunk[at] === colon) return !isBracket(chunk[end - 1]);
    return inPing ? beginsWith(chunk, at, dataField) : starts.some((start) => beginsWith(chunk, at, start));
  }
}

function endOfLine(chunk: Uint8Array, from: number): number {
  for (let at = from; at < chunk.length; at++) if (chunk[at] === lineFeed || chunk[at] === carriageReturn) return at;
  return -1;
}

function isBracket(byte: number | undefined): boolean {
  return byte === 0x7d || byte === 0x5d;
}

function beginsWith(chunk: Uint8Array, at: number, start: Uint8Array): boolean {
  if (chunk.length - at < start.length) return false;
  for (let index = 0; index < start.length; index++) if (chunk[at + index] !== start[index]) return false;
  return true;
}
