/** `context.headers`: what the client sent, and what is to be sent instead. */

import type { HeaderView } from "../../../sdk/context.ts";
import { isSettableHeader } from "../../upstream/headers.ts";
import { SandboxError } from "./errors.ts";

const maxChanges = 64;
const maxValueLength = 8192;

const namePattern = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,200}$/;

/** A header view that remembers its changes. */
export interface RecordingHeaders {
  readonly view: HeaderView;
  /** JSON of `[name, value | null]` pairs; undefined when nothing was changed. */
  changes(): string | undefined;
}

/** @param isWritable whether the phase comes before the request is sent */
export function createHeaders(received: readonly (readonly [name: string, value: string])[], isWritable: boolean): RecordingHeaders {
  const values = new Map<string, string>();
  const changed = new Map<string, string | null>();
  for (const [name, value] of received) {
    const before = values.get(name.toLowerCase());
    values.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  const change = (name: unknown, value: string | null): void => {
    if (!isWritable) throw new SandboxError("headers can be changed in preCall and preUpstream only");
    const lowerCase = checkName(name);
    if (changed.size >= maxChanges && !changed.has(lowerCase)) throw new SandboxError(`more than ${maxChanges} headers are changed`);
    changed.set(lowerCase, value);
    if (value === null) values.delete(lowerCase);
    else values.set(lowerCase, value);
  };
  const view: HeaderView = Object.freeze({
    get: (name: unknown) => values.get(String(name).toLowerCase()),
    has: (name: unknown) => values.has(String(name).toLowerCase()),
    keys: () => [...values.keys()],
    set: (name: string, value: string) => change(name, checkValue(name, value)),
    delete: (name: string) => change(name, null),
  });
  return { view, changes: () => (changed.size === 0 ? undefined : JSON.stringify([...changed])) };
}

function checkName(name: unknown): string {
  if (typeof name !== "string") throw new SandboxError(`headers: the name is a ${typeof name}; wanted a text`);
  const lowerCase = name.slice(0, 300).toLowerCase();
  const shown = JSON.stringify(lowerCase.slice(0, 80));
  if (!namePattern.test(lowerCase)) throw new SandboxError(`headers: ${shown} is no name of a header`);
  if (!isSettableHeader(lowerCase))
    throw new SandboxError(`headers: ${shown} belongs to the connection, to a credential or to ccproxy and cannot be changed here`);
  return lowerCase;
}

function checkValue(name: unknown, value: unknown): string {
  const shown = `headers: the value of ${JSON.stringify(String(name).slice(0, 80))}`;
  if (typeof value !== "string") throw new SandboxError(`${shown} is a ${typeof value}; wanted a text`);
  if (value.length > maxValueLength) throw new SandboxError(`${shown} has ${value.length} characters; at most ${maxValueLength} are sent`);
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new SandboxError(`${shown} holds a line break or another character that no header can carry`);
  return value.trim();
}
