/**
 * The Hello protocol, made up for this example: one question, one answer. A real `wire.ts` names the pages here that it
 * was written from.
 *
 * `POST /hello` with `{ "to": model, "lines": [{ "from": "them" | "me", "say": text }], "stream"?: true }`.
 * A whole answer is `{ "say": text, "heard": tokens, "said": tokens }`. A stream has events `{ "say": piece }` and
 * ends with `{ "bye": true, "heard": tokens, "said": tokens }`. An error is `{ "sorry": text }`, in a stream too.
 */

export const dialectName = "hello";
export const path = "/hello";

export type WireLine = { readonly from: "them" | "me"; readonly say: string };

export type WireRequest = {
  readonly to: string;
  readonly lines: readonly WireLine[];
  readonly stream?: true;
};

/** One event of a stream. */
export function eventOf(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
