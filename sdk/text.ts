/** Reading and changing the text of a request without knowing in which of its forms it stands. */

import type { ContentBlock, Message, MessagesRequest } from "./messages.ts";

/**
 * The text blocks of some content, joined by line ends; other blocks have no text here, tool results included.
 *
 * @param content a text, or a list of blocks, as in `message.content`, `request.system`, `tool_result.content`
 * @example
 * textOf([{ type: "text", text: "a" }, { type: "text", text: "b" }]); // "a\nb"
 */
export function textOf(content: string | readonly ContentBlock[] | undefined): string {
  if (content === undefined || typeof content === "string") return content ?? "";
  // It came over the wire: nobody has checked what stands in it.
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks
    .flatMap((block) => (isObject(block) && block["type"] === "text" && typeof block["text"] === "string" ? [block["text"]] : []))
    .join("\n");
}

/**
 * What the user said last, in words of their own: the newest message of theirs that holds more than tool results,
 * without the `<system-reminder>` parts that Claude Code adds. While an agent works on a task this stays the same.
 *
 * @returns `""` when there is none
 * @example
 * defineRule((request) => lastUserText(request).includes("ultrathink") && "think");
 */
export function lastUserText(request: MessagesRequest): string {
  const { messages } = request;
  // From the end, one by one: only what is looked at is copied into the sandbox.
  for (let index = (messages?.length ?? 0) - 1; index >= 0; index--) {
    const message = messages[index];
    if (message?.role !== "user") continue;
    const text = textOf(message.content)
      .replaceAll(/<system-reminder>[^]*?<\/system-reminder>/g, "")
      .trim();
    if (text !== "") return text;
  }
  return "";
}

/** What {@link mapText} looks at besides the texts of `system` and `messages`. */
export interface MapTextOptions {
  /** Strings in the arguments of tool calls; on unless false. */
  readonly toolInputs?: boolean;
}

/**
 * Hands every text that a model reads to a function and puts back what comes of it, where it differs: system prompt,
 * messages, tool results, text documents, arguments of tool calls. Thinking is left out: it is signed.
 *
 * @param change gets the text and where it stands, e.g. `messages[3].content[0].text`; returns the new text
 * @returns how many texts were changed
 * @example
 * mapText(request, (text) => text.replaceAll("Project Falcon", "the project"));
 */
export function mapText(request: MessagesRequest, change: (text: string, path: string) => string, options: MapTextOptions = {}): number {
  let changed = 0;
  const counted: Change = (text, path) => {
    const replaced = change(text, path);
    if (replaced !== text) changed++;
    return replaced;
  };
  if (request.system !== undefined) mapMember(request, "system", counted, "", options);
  const { messages } = request;
  for (let index = 0; index < (messages?.length ?? 0); index++) {
    const message: Message | undefined = messages[index];
    if (isObject(message)) mapMember(message, "content", counted, `messages[${index}].`, options);
  }
  return changed;
}

type Change = (text: string, path: string) => string;

/** A member that is a text or a list of blocks. */
function mapMember<Name extends string>(
  owner: { [name in Name]?: unknown },
  name: Name,
  change: Change,
  path: string,
  options: MapTextOptions,
): void {
  const value = owner[name];
  if (typeof value === "string") {
    const replaced = change(value, `${path}${name}`);
    if (replaced !== value) owner[name] = replaced;
  } else if (Array.isArray(value)) {
    const blocks: readonly unknown[] = value;
    for (let index = 0; index < blocks.length; index++) {
      const block = blocks[index];
      if (isObject(block)) mapBlock(block, change, `${path}${name}[${index}].`, options);
    }
  }
}

function mapBlock(block: Record<string, unknown>, change: Change, path: string, options: MapTextOptions): void {
  const { type } = block;
  if (type === "thinking" || type === "redacted_thinking" || type === "image") return;
  if (type === "text") mapMember(block, "text", change, path, options);
  else if (type === "tool_use" || type === "server_tool_use") {
    if (options.toolInputs !== false && isObject(block["input"])) mapStrings(block["input"], change, `${path}input`);
  } else if (type === "document") {
    const { source } = block;
    if (isObject(source) && source["type"] === "text") mapMember(source, "data", change, `${path}source.`, options);
    else if (isObject(source)) mapMember(source, "content", change, `${path}source.`, options);
  } else {
    // Tool results, and whatever holds blocks as they do.
    mapMember(block, "content", change, path, options);
  }
}

/**
 * Every string inside a JSON value, changed in place; keys stay.
 *
 * @example
 * mapStrings(block.input, (text) => text.replaceAll("/home/me", "~"));
 */
export function mapStrings(owner: unknown, change: (text: string, path: string) => string, path: string = ""): void {
  if (!isObject(owner)) return;
  const isList = Array.isArray(owner);
  for (const key of Object.keys(owner)) {
    const value = owner[key];
    const at = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    if (typeof value === "string") {
      const replaced = change(value, at);
      if (replaced !== value) owner[key] = replaced;
    } else mapStrings(value, change, at);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
