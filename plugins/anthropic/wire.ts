/**
 * The parts of the Anthropic Messages wire that are read or written here; everything else passes untouched.
 * Documented at platform.claude.com: Messages, streaming messages, errors, list models, count tokens.
 */

export interface WireUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_creation?: { readonly ephemeral_1h_input_tokens?: number | null } | null;
  readonly service_tier?: string | null;
  readonly server_tool_use?: { readonly web_search_requests?: number | null } | null;
}

export interface WireError {
  readonly type: "error";
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id?: string;
}

export interface WireModel {
  readonly type: "model";
  readonly id: string;
  readonly display_name: string;
  readonly created_at: string;
}

export interface WireModelList {
  readonly data: readonly WireModel[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

/** Paths below the base URL. */
export const messagesPath = "/v1/messages";
export const countTokensPath = "/v1/messages/count_tokens";

/** One server-sent event in the form the API writes. */
export function encodeEvent(type: string, data: unknown): Uint8Array {
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}
