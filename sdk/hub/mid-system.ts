/**
 * Messages of role `system` between the turns, for hosts and models that know no such role: their text goes to the
 * end of the user's turn before them, in place, so that the same history always reads the same.
 */

import type { Json } from "../body.ts";
import type { Note } from "../wire.ts";
import { type Item, type Splice, itemsOf, memberOf, removeItems } from "./json-bytes.ts";
import { record, text } from "./json.ts";

/** Families that take the role between turns; what is newer than these is taken to know it. */
const unable: readonly RegExp[] = [
  /claude-(?:2|3|instant)/,
  /claude-(?:opus|sonnet|haiku)-4(?:@|-?\d{8}|$)/,
  /claude-(?:opus|sonnet|haiku)-4[-.][0-7](?!\d)/,
  /claude-(?:sonnet|haiku)-4[-.]\d/,
  /claude-sonnet-5(?![-.]\d(?!\d))/,
];

/**
 * Whether a Claude model takes `role: "system"` between messages, told by its id in any host's spelling.
 * Documented: Opus 4.8 and later, Fable and Mythos 5 and later, Sonnet 5.5; models unknown here count as able.
 * Source: https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
 */
export function supportsMidSystem(model: string): boolean {
  return !unable.some((pattern) => pattern.test(model));
}

/** Puts the text of each such message into the user's turn before it; one that follows no user's turn becomes one. */
export function foldSystem(bytes: Buffer, messages: readonly Item[], note: Note): readonly Splice[] {
  const appended = new Map<Item, string[]>();
  const doomed = new Set<Item>();
  const splices: Splice[] = [];
  let previous: Item | undefined;
  let count = 0;
  for (const message of messages) {
    const role = roleOf(bytes, message);
    if (role !== "system") {
      previous = role === "user" ? message : undefined;
      continue;
    }
    count += 1;
    const block = blockOf(bytes, message);
    if (block === undefined || previous !== undefined) doomed.add(message);
    if (block === undefined) continue;
    if (previous === undefined) splices.push({ ...message, content: `{"role":"user","content":[${block}]}` });
    else appended.set(previous, [...(appended.get(previous) ?? []), block]);
  }
  if (count > 0) note("system messages between turns stand in the user's turns", { messages: count });
  for (const [message, blocks] of appended) splices.push(append(bytes, message, blocks));
  return [...splices, ...removeItems(messages, (message) => doomed.has(message))];
}

/** Takes `output_config` out of such messages; one that said nothing else goes as a whole. */
export function stripOutputConfig(bytes: Buffer, messages: readonly Item[], note: Note): readonly Splice[] {
  const doomed = new Set<Item>();
  const splices: Splice[] = [];
  for (const message of messages) {
    if (roleOf(bytes, message) !== "system") continue;
    const members = itemsOf(bytes, message.start);
    if (memberOf(members, "output_config") === undefined) continue;
    if (blockOf(bytes, message) === undefined) doomed.add(message);
    else splices.push(...removeItems(members, ({ name }) => name === "output_config"));
  }
  const count = doomed.size + splices.length;
  if (count > 0) note("output_config of system messages left out", { messages: count });
  return [...splices, ...removeItems(messages, (message) => doomed.has(message))];
}

function roleOf(bytes: Buffer, message: Item): string | undefined {
  const role = memberOf(itemsOf(bytes, message.start), "role");
  return role === undefined ? undefined : text(read(bytes, role));
}

/** JSON of a text block; undefined where the message has no text. */
function blockOf(bytes: Buffer, message: Item): string | undefined {
  const member = memberOf(itemsOf(bytes, message.start), "content");
  const content = member === undefined ? undefined : read(bytes, member);
  const blocks = Array.isArray(content) ? content.map((block: Json) => record(block)) : [];
  const words = text(content) ?? blocks.flatMap((block) => text(block?.["text"]) ?? []).join("\n\n");
  if (words.trim() === "") return undefined;
  const mark = blocks.map((block) => record(block?.["cache_control"])).findLast((found) => found !== undefined);
  const ttl = mark?.["ttl"] === undefined ? {} : { ttl: mark["ttl"] };
  const marks = mark === undefined ? {} : { cache_control: { type: "ephemeral", ...ttl } };
  return JSON.stringify({ type: "text", text: `<system-reminder>\n${words}\n</system-reminder>`, ...marks });
}

/** Adds blocks behind all others: results of tools must stay in front. */
function append(bytes: Buffer, message: Item, blocks: readonly string[]): Splice {
  const content = memberOf(itemsOf(bytes, message.start), "content");
  if (content === undefined) return { start: message.end - 1, end: message.end - 1, content: `,"content":[${blocks.join(",")}]` };
  if (bytes[content.start] === 0x5b) {
    const isEmpty = itemsOf(bytes, content.start).length === 0;
    return { start: content.end - 1, end: content.end - 1, content: (isEmpty ? "" : ",") + blocks.join(",") };
  }
  const own = bytes.toString("utf8", content.start, content.end);
  const words = text(read(bytes, content)) ?? "";
  const first = words.trim() === "" ? [] : [`{"type":"text","text":${own}}`];
  return { start: content.start, end: content.end, content: `[${[...first, ...blocks].join(",")}]` };
}

function read(bytes: Buffer, { start, end }: Item): Json | undefined {
  try {
    const value: Json = JSON.parse(bytes.toString("utf8", start, end));
    return value;
  } catch {
    return undefined;
  }
}
