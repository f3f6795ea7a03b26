/** Makes a line of a configuration file fit to be shown: no credentials, nothing a terminal would act on. */

import { isSensitivePath } from "./describe.ts";

const mask = "…";

const keyAndValue = /^([\s\-{[,]*(["']?)([\w.\- ]+)\2\s*:\s+)(\S.*)$/;
const sensitiveInside = /(["']?[\w-]*(?:key|secret|token|password|passwd|credential|authorization|cookie)[\w-]*["']?\s*[:=]\s*)[^\s{[].*$/i;
// Forms that credentials of the providers have, wherever they stand.
const tokenForms = /\b(?:sk-|pk-|xai-|gsk_|ghp_|github_pat_|AIza|AKIA|ya29\.|eyJ|Bearer\s+)[\w\-.~+/=]{4,}/g;

/**
 * Everything after a key that is, or lies inside, a place for credentials is struck out; of a line that is no
 * `key: value` all is, because it may continue a value begun above.
 *
 * @param place JSON path the finding is about, when known
 */
export function maskLine(line: string, place: string | undefined): string {
  if (place !== undefined && isSensitivePath(place.split(/[.[\]"]+/))) return line.replace(keyAndValue, `$1${mask}`);
  const match = keyAndValue.exec(line);
  if (match === null) return place === undefined && !isBareStructure(line) ? maskAll(line) : maskKnown(line);
  return isSensitivePath([match[3] ?? ""]) ? `${match[1] ?? ""}${mask}` : maskKnown(line);
}

function maskKnown(line: string): string {
  return line.replace(sensitiveInside, `$1${mask}`).replaceAll(tokenForms, mask);
}

/** A key alone, a comment, a list item that names something, brackets: these continue no value. */
function isBareStructure(line: string): boolean {
  return /^\s*(?:#.*|-?\s*["']?[\w.-]+["']?\s*:|-\s+[\w./-]{1,60}|[\][{},\s-]*)\s*$/.test(line);
}

function maskAll(line: string): string {
  return line.replace(/\S.*$/, mask);
}
