/** `context.kv`: reads ask the proxy, writes are kept for the end of the call; a read sees the writes before it. */

import type { Json } from "../../../sdk/body.ts";
import type { KeyValue } from "../../../sdk/context.ts";
import { SandboxError } from "./errors.ts";
import type { Ask } from "./operations.ts";
import { toJson } from "./stores.ts";

const maxWrites = 1000;
const maxWrittenLength = 1_048_576;
const maxKeyLength = 256;
const maxLines = 1000;

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

  const checkKey = (key: unknown): string => {
    if (refusal !== undefined) throw refusal;
    if (typeof key !== "string" || key === "" || key.length > maxKeyLength)
      throw new SandboxError(
        `context.kv: the key is ${typeof key === "string" ? `${key.length} characters long` : `a ${typeof key}`}; wanted 1 to ${maxKeyLength} characters`,
      );
    return key;
  };
  const write = (text: string): void => {
    writtenLength += text.length;
    if (writes.length >= maxWrites || writtenLength > maxWrittenLength)
      throw new SandboxError(`context.kv: a call may write ${maxWrites} times, 1 MiB in all`);
    writes.push(text);
  };

  const view: KeyValue = {
    async get(key) {
      const name = checkKey(key);
      if (values.has(name)) {
        const text = values.get(name);
        return text === undefined ? undefined : (JSON.parse(text) as Json);
      }
      const found = await ask({ op: "kv.get", key: name });
      return Array.isArray(found) ? (found[0] as Json | undefined) : undefined;
    },
    async set(key, value) {
      const name = checkKey(key);
      const text = toJson(value, `context.kv.set(${JSON.stringify(name)})`);
      write(`{"op":"set","key":${JSON.stringify(name)},"value":${text}}`);
      values.set(name, text);
    },
    async delete(key) {
      const name = checkKey(key);
      write(`{"op":"delete","key":${JSON.stringify(name)}}`);
      values.set(name, undefined);
    },
    async append(key, line) {
      const name = checkKey(key);
      const text = toJson(line, `context.kv.append(${JSON.stringify(name)})`);
      write(`{"op":"append","key":${JSON.stringify(name)},"line":${text}}`);
      const lines = appended.get(name);
      if (lines === undefined) appended.set(name, [text]);
      else lines.push(text);
    },
    async lines(key: unknown, last: unknown = maxLines) {
      const name = checkKey(key);
      const wanted = Math.max(0, Math.min(maxLines, Math.floor(Number(last)) || 0));
      const found = await ask({ op: "kv.lines", key: name, last: wanted });
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
