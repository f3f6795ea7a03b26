/** `context.kv`: reads ask the proxy, writes are kept for the end of the call; a read sees the writes before it. */

import type { Json } from "../../../sdk/body.ts";
import type { KeyValue } from "../../../sdk/context.ts";
import { SandboxError } from "./errors.ts";
import type { Ask } from "./operations.ts";
import { checkKey, toJson } from "./stores.ts";

const maxWrites = 100;
/** JSON of the writes of a call. */
const maxWrittenLength = 1_000_000;
const maxLines = 1000;
/** JSON of a value or a line, in characters. */
const maxValueLength = 262_144;

export interface RecordingKeyValue {
  readonly view: KeyValue;
  /** JSON; undefined when there are none. */
  takeWrites(): string | undefined;
}

/** @param refusal thrown by every member, when kv is not granted */
export function createKeyValue(ask: Ask, refusal: Error | undefined): RecordingKeyValue {
  let writes: string[] = [];
  let writtenLength = 0;
  /** JSON texts by key; undefined where deleted. */
  const values = new Map<string, string | undefined>();
  const appended = new Map<string, string[]>();
  /** Keys whose lines from before this call are gone. */
  const emptied = new Set<string>();

  const nameOf = (key: unknown): string => {
    if (refusal !== undefined) throw refusal;
    return checkKey(key, "context.kv");
  };
  const write = (text: string): void => {
    writtenLength += text.length;
    if (writes.length >= maxWrites || writtenLength > maxWrittenLength)
      throw new SandboxError(`context.kv: a call may write ${maxWrites} times, 1 MB in all`);
    writes.push(text);
  };

  const view: KeyValue = {
    async get(key) {
      const name = nameOf(key);
      if (values.has(name)) {
        const text = values.get(name);
        return text === undefined ? undefined : (JSON.parse(text) as Json);
      }
      const found = await ask({ op: "kv.get", key: name });
      return Array.isArray(found) ? (found[0] as Json | undefined) : undefined;
    },
    async set(key, value) {
      const name = nameOf(key);
      const text = textOf(value, `context.kv.set(${JSON.stringify(name)})`);
      write(`{"op":"set","key":${JSON.stringify(name)},"value":${text}}`);
      values.set(name, text);
    },
    async delete(key) {
      const name = nameOf(key);
      write(`{"op":"delete","key":${JSON.stringify(name)}}`);
      values.set(name, undefined);
      appended.delete(name);
      emptied.add(name);
    },
    async append(key, line) {
      const name = nameOf(key);
      const text = textOf(line, `context.kv.append(${JSON.stringify(name)})`);
      write(`{"op":"append","key":${JSON.stringify(name)},"line":${text}}`);
      const lines = appended.get(name);
      if (lines === undefined) appended.set(name, [text]);
      else lines.push(text);
    },
    async lines(key: unknown, last: unknown = maxLines) {
      const name = nameOf(key);
      const wanted = Math.max(0, Math.min(maxLines, Math.floor(Number(last)) || 0));
      const found = emptied.has(name) ? [] : await ask({ op: "kv.lines", key: name, last: wanted });
      const own = (appended.get(name) ?? []).map((text) => JSON.parse(text) as Json);
      const all = [...(Array.isArray(found) ? (found as Json[]) : []), ...own];
      return wanted === 0 ? [] : all.slice(-wanted);
    },
  };
  Object.freeze(view);

  return {
    view,
    takeWrites() {
      if (writes.length === 0) return undefined;
      const text = `[${writes.join(",")}]`;
      writes = [];
      writtenLength = 0;
      return text;
    },
  };
}

function textOf(value: unknown, where: string): string {
  const text = toJson(value, where);
  if (text.length > maxValueLength)
    throw new SandboxError(`${where}: ${text.length} characters of JSON; at most ${maxValueLength} are kept under a key or in a line`);
  return text;
}
