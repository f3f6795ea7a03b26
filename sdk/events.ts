/** A reply told in events: what a dialect's client side does with bytes and hub events. Pure. */

import type { Json } from "./body.ts";

export type JsonObject = { readonly [key: string]: Json };

/** One event of a stream as it came. */
export interface StreamEvent {
  /** Comments and blank lines included: those of all events in a row are the stream, byte for byte. */
  readonly raw: Uint8Array;
  /** `""` where there is nothing to tell: a comment, or data that is no JSON object. */
  readonly type: string;
  /** JSON text of the event, `type` included; `""` likewise. */
  readonly data: string;
  /** The same, parsed; undefined likewise. */
  readonly value: JsonObject | undefined;
}

export interface EventSplitter {
  /**
   * The events that this chunk completes.
   * @throws ProxyError 502 when one grows beyond 32 MB
   */
  push(chunk: Uint8Array): readonly StreamEvent[];
  /** Call once, after the last byte: what was begun and never ended, if anything. */
  end(): readonly StreamEvent[];
}

/** Puts a message together from its events, one after the other. */
export interface MessageAssembler {
  push(event: JsonObject): void;
  /** JSON text of the message so far; undefined when it has not begun. */
  message(): string | undefined;
  /** Whether the last event of the message was seen. */
  readonly complete: boolean;
}

/** Keeps the blocks of one reply numbered without gaps where user code drops or inserts some. */
export interface BlockNumbering {
  /**
   * To be asked for every event that goes out, in order.
   * @param isChanged whether user code has changed this reply so far
   * @returns the same object when its number is right; undefined for what belongs to a block that was dropped
   */
  place(event: JsonObject, isChanged: boolean): JsonObject | undefined;
}

/** Finds out whether user code touched the calls of tools, in the events of one reply. */
export interface ToolGuard {
  /**
   * To be asked for every event, in order.
   * @returns which call was added, removed or changed, and where; undefined when none was
   */
  change(original: JsonObject, replacement: readonly JsonObject[]): string | undefined;
}

/** A message to be made here. */
export interface MessageContent {
  readonly content: readonly Json[];
  readonly stop_reason?: string;
}

export interface MessageOptions {
  readonly model: string;
  readonly stream: boolean;
  readonly inputTokens: number;
}

export interface EventCodec {
  split(): EventSplitter;
  /** An event made by user code; undefined when the text is none. */
  read(text: string): JsonObject | undefined;
  /** Bytes of an event that `read` takes. */
  encode(event: string): Uint8Array;
  assemble(): MessageAssembler;
  /** The events that make up a whole message; undefined when the text is no message. */
  explode(message: string): readonly string[] | undefined;
  /** Whether a JSON text is a whole message. */
  isMessage(json: string): boolean;
  number(): BlockNumbering;
  guardTools(): ToolGuard;
  /** The same for whole messages: which call was added, removed or changed, and where. */
  toolChange(original: string, changed: string): string | undefined;
  /** What an error that an upstream answered with says, as far as it says anything. */
  readError(status: number, body: Uint8Array): { readonly type: string; readonly message: string };
}
