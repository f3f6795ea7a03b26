/** What a count of one request consists of. */

import type { Span } from "../../sdk/body.ts";

/**
 * `text`: a JSON string the model reads as text. `piece`: the same behind one space. `json`: any JSON value
 * the model reads as JSON. `pdf`: a JSON string of base64.
 */
export type UnitKind = "text" | "piece" | "json" | "pdf";

/** A part of the body that the worker counts and the memo remembers. */
export interface Unit {
  readonly kind: UnitKind;
  readonly span: Span;
}

/** Which of a unit's counts applies: those of two generations of tokenizer, or the plain one. */
export type Encoding = "plain" | "older" | "newer";

export interface CountPlan {
  readonly encoding: Encoding;
  /** Tokens known without a tokenizer: frames, images, sealed content. */
  readonly fixedTokens: number;
  readonly units: readonly Unit[];
}
