/** Makes a line of a configuration file fit to be shown: no credentials, nothing a terminal would act on. */

import { isSensitivePath, mask, maskSecrets } from "./describe.ts";

const keyAndValue = /^([\s\-{[,]*(["']?)([\w.\- ]+)\2\s*:\s+)(\S.*)$/;
/**
 * Everything after a key that is, or lies inside, a place for credentials is struck out; of a line that is no
 * `key: value` all is, because it may continue a value begun above.
 *
 * @param place JSON path the finding is about, when known
 */
export function maskLine(line: string, place: string | undefined): string {
  if (place !== undefined && isSensitivePath(place.split(/[.[\]"]+/))) return maskValue(line);
  const match = keyAndValue.exec(line);
  if (match === null) return place === undefined && !isBareStructure(line) ? maskAll(line) : maskSecrets(line);
  return isSensitivePath([match[3] ?? ""]) ? `${match[1] ?? ""}${mask}` : maskSecrets(line);
}

function maskValue(line: string): string {
  const match = keyAndValue.exec(line);
  if (match !== null) return `${match[1] ?? ""}${mask}`;
  return /^[\s-]*["']?[\w.-]+["']?\s*:\s*$/.test(line) ? line : maskAll(line);
}

/** A key alone, a comment, a list item that names something, brackets: these continue no value. */
function isBareStructure(line: string): boolean {
  return /^\s*(?:#.*|-?\s*["']?[\w.-]+["']?\s*:|-\s+[\w./-]{1,60}|[\][{},\s-]*)\s*$/.test(line);
}

function maskAll(line: string): string {
  return line.replace(/[^\s-].*$/, mask);
}
