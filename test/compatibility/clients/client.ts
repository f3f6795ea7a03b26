/** An application that talks to a model through its vendor's official SDK, and keeps the history the way such applications do. */

export type ClientName = "anthropic" | "openai-chat" | "openai-responses" | "gemini";

/** `whole`: one JSON reply; `stream`: pieces. */
export type How = "whole" | "stream";

export interface Image {
  readonly mediaType: string;
  /** Base64. */
  readonly data: string;
}

export interface ToolDeclaration {
  readonly name: string;
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>> & { readonly type: "object" };
}

export interface ChatOptions {
  /** Of the proxy, or of a scripted host itself; without a path. */
  readonly baseUrl: string;
  readonly model: string;
  readonly system?: string;
  readonly tools?: readonly ToolDeclaration[];
  /** Asks for thoughts, and gives them back. */
  readonly thinking?: boolean;
  /** Lets the vendor search the web. */
  readonly webSearch?: boolean;
}

export interface UserTurn {
  readonly text?: string;
  readonly images?: readonly Image[];
  /** Of a PDF, base64. */
  readonly document?: string;
  /** Answers to the calls of the turn before. */
  readonly results?: readonly Result[];
}

export interface Result {
  readonly call: Call;
  readonly text: string;
  /** Only where the client's protocol has them there. */
  readonly image?: Image;
}

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** What the application understood. */
export interface Said {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly Call[];
  readonly end: "stop" | "tools" | "length" | "refusal";
  /** All the input, cached or not. */
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** In how many pieces the text came; 0 of a whole reply. */
  readonly deltas: number;
  /** What was cited. */
  readonly sources: readonly string[];
}

export interface SayOptions {
  /** From now on. */
  readonly model?: string;
  readonly signal?: AbortSignal;
  /** Called with each piece of the text. */
  readonly onText?: (piece: string) => void;
}

export interface Chat {
  /** @throws what the SDK throws; `Client.failure` reads it */
  say(turn: UserTurn, how: How, options?: SayOptions): Promise<Said>;
}

/** A request that failed, as the application sees it. */
export interface Seen {
  /** Undefined where the reply had begun. */
  readonly status: number | undefined;
  readonly message: string;
  /** Seconds; undefined where the SDK does not tell. */
  readonly retryAfter: number | undefined;
  readonly isAbort: boolean;
}

export interface Client {
  readonly name: ClientName;
  open(options: ChatOptions): Chat;
  failure(error: unknown): Seen;
  /** Whether applications with this SDK are told the headers of an error. */
  readonly seesRetryAfter: boolean;
  /** Whether answers of tools may hold images. */
  readonly hasImagesInResults: boolean;
}

/** A reply with an error in it, where the SDK hands that over as if it were an event like others. */
export class InBandError extends Error {
  override readonly name = "InBandError";
}

export function headerSeconds(headers: Headers | undefined): number | undefined {
  const value = headers?.get("retry-after");
  return value === null || value === undefined ? undefined : Number(value);
}
