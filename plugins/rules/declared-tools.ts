/** Reads names and types of declared tools, in the forms of every client, without parsing their schemas. */

import type { RequestBody, Span } from "../../sdk/body.ts";

export interface DeclaredTool {
  /** Usually one; two when a tool carries both `name` and `function.name`. */
  readonly names: readonly string[];
  /** Empty when the tool names none. */
  readonly type: string;
}

const known = new WeakMap<RequestBody, readonly DeclaredTool[]>();

/** Anthropic's `{name, type?}`, OpenAI's `{type, function: {name}}` and plain strings; anything else is left out. */
export function declaredTools(body: RequestBody): readonly DeclaredTool[] {
  const before = known.get(body);
  if (before !== undefined) return before;
  const list = body.field("tools");
  const tools = list === undefined ? [] : body.elements(list).flatMap((tool) => declaredTool(body, tool));
  known.set(body, tools);
  return tools;
}

function declaredTool(body: RequestBody, span: Span): readonly DeclaredTool[] {
  const plain = text(body, span);
  if (plain !== undefined) return [{ names: [plain], type: "" }];
  const members = body.members(span);
  const inner = members.get("function");
  const names = [text(body, members.get("name")), inner && text(body, body.members(inner).get("name"))].filter(
    (name) => name !== undefined,
  );
  return names.length === 0 ? [] : [{ names, type: text(body, members.get("type")) ?? "" }];
}

const QUOTE = 0x22;

function text(body: RequestBody, span: Span | undefined): string | undefined {
  if (span === undefined || body.bytes[span.start] !== QUOTE) return undefined;
  const value = body.read(span);
  return typeof value === "string" ? value : undefined;
}
