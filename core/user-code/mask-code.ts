/** Strikes credentials out of code and messages before they are shown. */

import { drawFrame, maxFrameLine } from "../config/code-frame.ts";
import { mask, maskTokens } from "../config/describe.ts";

/** A text assigned to something whose name says that it is a credential. */
const namedText = /((?:api_?key|secret|token|password|passwd|credential|authorization|cookie)\w*["']?\]?\s*[:=]\s*(["'`]))[^"'`]+\2/gi;

/** Of the same length where it can be, so that a caret stays where it belongs. */
function maskCode(line: string): string {
  return maskTokens(line.replace(namedText, (text, before: string, quote: string) => `${before}${mask}${quote}`.padEnd(text.length)));
}

/** The same for a message, in which nothing has to stay in its place. */
export function maskText(text: string): string {
  return maskTokens(text).replaceAll(/… +/g, `${mask} `).trimEnd();
}

/** A line of code with a caret below; empty for one that nobody could read. */
export function codeFrame(text: string, line: number, column: number): string {
  return text.length > maxFrameLine ? "" : drawFrame(maskCode(text), line, column);
}
