/** Addresses of this wire: which model is asked, and for what. */

import type { IngressRoute } from "../../sdk/dialect.ts";

const prefix = String.raw`^(?:\/v1beta|\/v1alpha|\/v1)?\/models\/`;
/** Some clients escape the colon. */
const colon = "(?::|%3[Aa])";

export const routes: readonly IngressRoute[] = [
  { method: "POST", path: new RegExp(`${prefix}.+${colon}generateContent$`), operation: "generate" },
  { method: "POST", path: new RegExp(`${prefix}.+${colon}streamGenerateContent$`), operation: "generate" },
  { method: "POST", path: new RegExp(`${prefix}.+${colon}countTokens$`), operation: "count_tokens" },
];

const pattern = new RegExp(`${prefix}(?<model>.+)${colon}(?<method>generateContent|streamGenerateContent|countTokens)$`);

export interface ReadPath {
  readonly model: string;
  readonly stream: boolean;
}

/** Undefined for a path of another dialect. @param path as on the wire */
export function readPath(path: string): ReadPath | undefined {
  const found = pattern.exec(path)?.groups;
  if (found === undefined) return undefined;
  return { model: decoded(found["model"] ?? ""), stream: found["method"] === "streamGenerateContent" };
}

/** A name may hold slashes and, in itself, a percent sign. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
