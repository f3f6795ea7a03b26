/** `context.state` and `context.locals`: small stores of JSON values that remember what was written. */

import type { Json } from "../../../sdk/body.ts";
import type { Store } from "../../../sdk/context.ts";
import { SandboxError } from "./errors.ts";

/** Of keys and values as JSON, in all. */
const maxLength = 65_536;
const maxKeyLength = 512;

/** A store and what it remembers. */
export interface RecordingStore {
  readonly view: Store;
  /** JSON object of the keys written since the last time, null where deleted; undefined when there are none. */
  take(): string | undefined;
}

/**
 * @param name for messages: `state` or `locals`
 * @param content JSON object; empty for an empty store
 */
export function createStore(name: string, content: string): RecordingStore {
  const texts = new Map<string, string>();
  const written = new Set<string>();
  let length = 0;
  if (content !== "") {
    for (const [key, value] of Object.entries(JSON.parse(content) as Record<string, unknown>)) put(key, JSON.stringify(value));
  }

  function put(key: string, text: string | undefined): void {
    const before = texts.get(key);
    if (before !== undefined) length -= lengthOf(key, before);
    if (text === undefined) texts.delete(key);
    else {
      texts.set(key, text);
      length += lengthOf(key, text);
    }
  }

  const view: Store = {
    // A copy each time: a change to it in place would be lost, and shall not seem to work.
    get: (key: unknown) => {
      const text = texts.get(String(key));
      return text === undefined ? undefined : (JSON.parse(text) as Json);
    },
    set(key: unknown, value: unknown) {
      const textKey = checkKey(key, `context.${name}.set`);
      const asText = toJson(value, `context.${name}.set(${JSON.stringify(textKey.slice(0, 100))})`);
      const before = texts.get(textKey);
      // On its way null stands for what was deleted.
      put(textKey, asText === "null" ? undefined : asText);
      if (length > maxLength) {
        put(textKey, before);
        throw new SandboxError(
          `context.${name} is full: with ${JSON.stringify(textKey.slice(0, 100))} it would hold more than 64 KiB of JSON; ` +
            `delete what is no longer needed, or use context.kv`,
        );
      }
      written.add(textKey);
    },
    delete(key: unknown) {
      const textKey = checkKey(key, `context.${name}.delete`);
      put(textKey, undefined);
      written.add(textKey);
    },
    keys: () => [...texts.keys()],
  };
  Object.freeze(view);

  return {
    view,
    take() {
      if (written.size === 0) return undefined;
      const members: string[] = [];
      for (const key of written) members.push(`${JSON.stringify(key)}:${texts.get(key) ?? "null"}`);
      written.clear();
      return `{${members.join(",")}}`;
    },
  };
}

/** As a member of a JSON object. */
function lengthOf(key: string, text: string): number {
  return JSON.stringify(key).length + text.length + 2;
}

/** @throws SandboxError when it cannot be the key of a store */
export function checkKey(key: unknown, where: string): string {
  if (typeof key !== "string") throw new SandboxError(`${where}: the key is a ${typeof key}; wanted a text`);
  if (key === "" || key.length > maxKeyLength)
    throw new SandboxError(`${where}: the key is ${key.length} characters long; wanted 1 to ${maxKeyLength}`);
  if (key === "__proto__") throw new SandboxError(`${where}: __proto__ cannot be a key`);
  return key;
}

/** @throws SandboxError when the value is not JSON */
export function toJson(value: unknown, where: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new SandboxError(`${where}: the value is not JSON (${error instanceof Error ? error.message.split("\n")[0] : "it throws"})`);
  }
  if (text === undefined) throw new SandboxError(`${where}: ${typeof value} is not a JSON value`);
  return text;
}
