/** What a scripted upstream shall answer, said once for all wires. */

/** One thing a reply holds, in order. */
export type ScriptPart =
  | { readonly type: "text"; readonly text: string }
  /** `state` is the token that the vendor hides beside its thoughts and wants to see again. */
  | { readonly type: "thinking"; readonly text: string; readonly state: string }
  | { readonly type: "call"; readonly id: string; readonly name: string; readonly input: Readonly<Record<string, unknown>> }
  /** A search that the vendor made itself; the text behind it cites the first source. */
  | { readonly type: "search"; readonly query: string; readonly sources: readonly Source[] }
  | { readonly type: "refusal"; readonly text: string };

export interface Source {
  readonly url: string;
  readonly title: string;
}

/** Tokens, each counted the way people do: cached ones are part of the input, reasoning is part of the output. */
export interface ScriptUsage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

export interface ReplyScript {
  readonly parts: readonly ScriptPart[];
  /** `length`: the limit of the reply was reached. Default: what the parts say. */
  readonly end?: "length";
  readonly usage?: ScriptUsage;
  /**
   * A stream stops after so many pieces of content: with the vendor's own error event, by a cut connection, by a proper
   * end of the body as if that were all, or it hangs until the client leaves.
   */
  readonly breakAfter?: { readonly pieces: number; readonly how: "error" | "cut" | "end" | "hang" };
}

/** What a vendor refuses with, before anything of a reply. */
export type FailureKind = "bad request" | "no such key" | "rate limit" | "broken" | "overflow";

export interface FailureScript {
  readonly failure: FailureKind;
}

export type Script = ReplyScript | FailureScript;

export const defaultUsage: ScriptUsage = { input: 120, cached: 20, output: 30, reasoning: 0 };

/** Seconds that a rate limit asks to wait. */
export const retryAfterSeconds = 7;
/** What an overflow claims, on wires that say figures. */
export const overflowTokens = { tokens: 250_321, maximum: 200_000 } as const;
export const badRequestWords = "the scripted host does not like this request";
export const brokenWords = "the scripted host has broken down";

/** Some deltas of a text, cut between code points, none empty. */
export function pieces(text: string, count = 4): readonly string[] {
  const points = Array.from(text);
  const size = Math.max(1, Math.ceil(points.length / count));
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => points.slice(index * size, (index + 1) * size).join(""));
}

/** A reply that is this text. */
export function says(text: string, more: Omit<ReplyScript, "parts"> = {}): ReplyScript {
  return { parts: [{ type: "text", text }], ...more };
}

/** A reply that calls a tool, or several at once. */
export function calls(
  ...wanted: readonly { readonly name: string; readonly input: Readonly<Record<string, unknown>>; readonly id?: string }[]
): ReplyScript {
  return { parts: wanted.map((call) => ({ type: "call", id: call.id ?? freshId(), name: call.name, input: call.input })) };
}

let counter = 0;
/** Differs from all others of this process; letters and digits. */
export function freshId(): string {
  counter += 1;
  return `s${process.pid.toString(36)}x${counter.toString(36)}`;
}

/** The text that follows a search in a reply, with what it cites: it is one with the search on every wire. */
export function isCited(parts: readonly ScriptPart[], index: number): Source | undefined {
  const before = parts[index - 1];
  return before?.type === "search" ? before.sources[0] : undefined;
}
