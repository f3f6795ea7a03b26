/**
 * Hook: no key leaves the machine. On the way to the model every credential is replaced by a placeholder such as
 * `SECRET_GITHUB_TOKEN_0123456789abcdef`, always the same one for the same credential, so that a conversation keeps
 * its prompt cache; on the way back the placeholders become the credentials again, also where one is cut across
 * the pieces of a stream. In the arguments of tool calls they do so with the grant `reply:tools` only: without it the
 * client carries out commands that hold placeholders.
 */

import {
  defineHook,
  mapStrings,
  mapText,
  matchesTarget,
  param,
  type Context,
  type Json,
  type MessagesRequest,
  type ParamsOf,
  type ReplyEvent,
} from "ccproxy/sdk";

import { Placeholders, restore, unfinishedFrom, type Extra } from "./shared/placeholders.ts";
import { kindsWithin } from "./shared/secrets.ts";

/** Of what a request may keep until its reply; the rest stays placeholders. */
const mostKeptCharacters = 40_000;

const pattern = param.custom("a regular expression", (raw) => (typeof raw === "string" && raw !== "" ? new RegExp(raw, "g") : undefined));

const settings = {
  /** Taken for secrets wherever they stand; case matters. */
  words: param.list(param.text()).default([]),
  /** Kinds of your own: `{ ticket: "TCK-\\d{6}" }`. Where a pattern has a group, that part is the secret. */
  patterns: param.map(pattern).default({}),
  /** Built-in kinds to leave alone, e.g. `[jwt]`. */
  except: param.list(param.text()).default([]),
  /** Groups, deployments, models or providers, with `*`, that may see everything: a model on this machine, say. */
  trusted: param.list(param.text()).default([]),
};
type Settings = ParamsOf<typeof settings>;

export default defineHook({
  summary: "replaces credentials by placeholders, and back in replies",
  required: true,
  params: settings,
  events: ["content_block_start", "content_block_delta", "content_block_stop"],

  // The last step before the upstream: whatever other hooks wrote into the request is seen.
  preUpstream(request, context) {
    const { words, patterns, except, trusted } = context.params;
    if (matchesTarget(context.target, trusted)) return;
    const extras: Extra[] = Object.entries(patterns).map(([kind, each]) => ({ kind: kind.replaceAll(/\W/g, "_"), pattern: each }));
    const kinds = kindsWithin(allText(request)).filter(({ kind }) => !except.includes(kind));
    if (kinds.length + words.length + extras.length === 0) return;
    const placeholders = new Placeholders({ pseudonym: (text) => context.pseudonym(text), words, patterns: extras, kinds });
    mapText(request, (text) => placeholders.replaceIn(text));
    if (Object.keys(placeholders.counts).length > 0) context.annotate("secrets_redacted", placeholders.counts);
    keep(placeholders.secrets, context);
  },

  onEvent(event, context) {
    const secrets = context.locals.get("secrets");
    return isTexts(secrets) ? restoreIn(event, secrets, context) : undefined;
  },
});

function allText(request: MessagesRequest): string {
  const texts: string[] = [];
  mapText(request, (text) => {
    texts.push(text);
    return text;
  });
  return texts.join("\n");
}

function keep(secrets: ReadonlyMap<string, string>, context: Context<Settings>): void {
  let characters = 0;
  const kept = [...secrets].filter(([name, secret]) => (characters += name.length + secret.length) <= mostKeptCharacters);
  if (kept.length < secrets.size)
    context.log(`${secrets.size - kept.length} of ${secrets.size} placeholders will stay in the reply: too many to keep`);
  if (kept.length > 0) context.locals.set("secrets", Object.fromEntries(kept));
}

function restoreIn(event: ReplyEvent, secrets: Texts, context: Context<Settings>): ReplyEvent | ReplyEvent[] | null | undefined {
  if (event.type === "content_block_start") {
    const block = event.content_block;
    if (block.type !== "tool_use" || !context.grants.replyTools) return undefined;
    mapStrings(block.input, (text) => restore(text, secrets));
    return event;
  }
  if (event.type === "content_block_stop") {
    const held = heldBack(event.index, context);
    if (held === undefined) return undefined;
    context.locals.delete(heldKey(event.index));
    const delta = held.json
      ? { type: "input_json_delta" as const, partial_json: held.text }
      : { type: "text_delta" as const, text: held.text };
    return [{ type: "content_block_delta", index: event.index, delta }, event];
  }
  if (event.type !== "content_block_delta") return undefined;
  const { delta, index } = event;
  if (delta.type === "text_delta") {
    const text = passOn(delta.text, { index, json: false, secrets, context });
    if (text === delta.text) return undefined;
    delta.text = text;
    return text === "" ? null : event;
  }
  if (delta.type !== "input_json_delta" || !context.grants.replyTools) return undefined;
  const json = passOn(delta.partial_json, { index, json: true, secrets, context });
  if (json === delta.partial_json) return undefined;
  delta.partial_json = json;
  return json === "" ? null : event;
}

interface Piece {
  readonly index: number;
  /** Whether it is a piece of JSON. */
  readonly json: boolean;
  readonly secrets: Texts;
  readonly context: Context<Settings>;
}

/** What may go out of what was held back and this piece; text that may begin a placeholder waits for the next piece. */
function passOn(text: string, { index, json, secrets, context }: Piece): string {
  const held = heldBack(index, context)?.text ?? "";
  const whole = held + text;
  const cut = unfinishedFrom(whole, Object.keys(secrets));
  const rest = whole.slice(cut);
  if (rest !== "") context.locals.set(heldKey(index), { text: rest, json });
  else if (held !== "") context.locals.delete(heldKey(index));
  return restore(whole.slice(0, cut), secrets, json ? inJson : undefined);
}

function heldBack(index: number, { locals }: Context<Settings>): { readonly text: string; readonly json: boolean } | undefined {
  const held = locals.get(heldKey(index));
  return isTexts(held) ? { text: String(held["text"]), json: Boolean(held["json"]) } : undefined;
}

function heldKey(index: number): string {
  return `held-${index}`;
}

function inJson(secret: string): string {
  return JSON.stringify(secret).slice(1, -1);
}

/** Written here, so that it holds what was put there. */
type Texts = Readonly<Record<string, string>>;

function isTexts(value: Json | undefined): value is Texts {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
