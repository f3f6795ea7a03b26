/**
 * A Messages request for a host that speaks the protocol and is not its vendor's: what the host refuses is taken out
 * of the bytes, the rest stays as it came. Bytes are searched before anything is looked into, and a request that
 * needs no change comes back as the same object.
 */

import type { Json, RequestBody } from "../body.ts";
import type { MessagesQuirks } from "../quirks.ts";
import type { Note } from "../wire.ts";
import { bodyOf } from "./byte-body.ts";
import { type Item, type Splice, bufferOf, itemsOf, memberOf, removeItems, spliceBytes } from "./json-bytes.ts";
import { foldSystem, stripOutputConfig } from "./mid-system.ts";

/** Opens the block of `system` that tells the vendor which client and version asks. */
const billing = "x-anthropic-billing-header";

/** Top-level fields that only a beta brings: without one of these betas a host refuses the field. */
const betaFields: ReadonlyMap<string, readonly string[]> = new Map([
  ["context_management", ["context-management-2025-06-27", "compact-2026-01-12", "compact-2026-09-04"]],
  ["mcp_servers", ["mcp-client-2025-11-20", "mcp-client-2025-04-04"]],
  ["container", ["code-execution-2025-08-25", "skills-2025-10-02"]],
  ["speed", ["fast-mode-2026-02-01"]],
  ["fallbacks", ["server-side-fallback-2026-07-01", "server-side-fallback-2026-06-01"]],
]);

/** Brings `scope` in `cache_control`. */
const scopeBeta = "prompt-caching-scope-2026-01-05";
/** Bring `output_config` in messages of role `system`. */
const messageConfigBetas = ["mid-conversation-output-config-2026-07-01", "per-turn-control-2026-07-01"];

/**
 * @param body in the hub's wire
 * @returns the same body where nothing has to change
 */
export function forForeignHost(body: RequestBody, quirks: MessagesQuirks, note: Note): RequestBody {
  const bytes = bufferOf(body.bytes);
  const refused = refusedFields(body, quirks);
  if (refused.size > 0) note("fields left out that this host refuses", { fields: [...refused] });
  const blocks = quirks.keepBilling === true ? [] : billedBlocks(body, bytes);
  const isBilling = (block: Item): boolean => textOf(bytes, block)?.startsWith(billing) === true;
  const isBilled = blocks.some(isBilling);
  if (isBilled) note("billing block left out: it is its vendor's affair and changes with every version");
  // An empty list is refused by some; the field goes with its last block.
  const doomed = isBilled && blocks.every(isBilling) ? new Set([...refused, "system"]) : refused;
  const splices: readonly Splice[] = [
    ...(doomed.size === 0 ? [] : removeItems(itemsOf(bytes, bytes.indexOf("{")), ({ name }) => doomed.has(name))),
    ...removeItems(blocks, isBilling),
    ...withoutMidSystem(body, bytes, quirks, note),
    ...(allows(quirks, scopeBeta) || !bytes.includes('"scope"') ? [] : withoutScope(body, bytes, note)),
  ];
  return splices.length === 0 ? body : bodyOf(spliceBytes(bytes, outermost(splices)));
}

/** Whether a beta may be named to this host. */
export function allows({ betas }: MessagesQuirks, beta: string): boolean {
  return betas === undefined || (betas !== "none" && betas.includes(beta));
}

function refusedFields(body: RequestBody, quirks: MessagesQuirks): ReadonlySet<string> {
  const unbacked = [...betaFields].filter(([, betas]) => !betas.some((beta) => allows(quirks, beta))).map(([field]) => field);
  return new Set([...(quirks.refused ?? []), ...unbacked].filter((field) => body.field(field) !== undefined));
}

/** The blocks of `system`, where one of them may be the vendor's. */
function billedBlocks(body: RequestBody, bytes: Buffer): readonly Item[] {
  const system = body.field("system");
  if (system === undefined || bytes[system.start] !== 0x5b) return [];
  return bytes.subarray(system.start, system.end).includes(billing) ? itemsOf(bytes, system.start) : [];
}

function textOf(bytes: Buffer, block: Item): string | undefined {
  const text = memberOf(itemsOf(bytes, block.start), "text");
  const value = text === undefined ? undefined : readValue(bytes, text);
  return typeof value === "string" ? value : undefined;
}

function withoutMidSystem(body: RequestBody, bytes: Buffer, quirks: MessagesQuirks, note: Note): readonly Splice[] {
  const isFolded = quirks.midSystem === false;
  const isStripped = !messageConfigBetas.some((beta) => allows(quirks, beta));
  if (!isFolded && !isStripped) return [];
  const messages = body.field("messages");
  // Inside a text its quotes would be escaped.
  if (messages === undefined || !bytes.subarray(messages.start, messages.end).includes('"system"')) return [];
  const items = itemsOf(bytes, messages.start);
  return isFolded ? foldSystem(bytes, items, note) : stripOutputConfig(bytes, items, note);
}

function withoutScope(body: RequestBody, bytes: Buffer, note: Note): readonly Splice[] {
  const lists = ["system", "tools"].flatMap((field) => body.field(field) ?? []).map(({ start }) => itemsOf(bytes, start));
  const messages = body.field("messages");
  for (const message of messages === undefined ? [] : itemsOf(bytes, messages.start)) {
    const content = memberOf(itemsOf(bytes, message.start), "content");
    if (content !== undefined && bytes[content.start] === 0x5b) lists.push(itemsOf(bytes, content.start));
  }
  const splices = lists.flat().flatMap((block) => {
    const mark = memberOf(itemsOf(bytes, block.start), "cache_control");
    return mark === undefined ? [] : removeItems(itemsOf(bytes, mark.start), ({ name }) => name === "scope");
  });
  if (splices.length > 0) note("scope of cache marks left out", { marks: splices.length });
  return splices;
}

/** What goes as a whole takes along what was to change inside it. */
function outermost(splices: readonly Splice[]): readonly Splice[] {
  const whole = splices.filter(({ start, end }) => end > start);
  return splices.filter((inner) => !whole.some((outer) => outer !== inner && outer.start <= inner.start && inner.end <= outer.end));
}

function readValue(bytes: Buffer, { start, end }: Item): Json | undefined {
  try {
    const value: Json = JSON.parse(bytes.toString("utf8", start, end));
    return value;
  } catch {
    return undefined;
  }
}
