/** Makes a bare context a place to run rules and hooks in: takes away what bypasses limits, adds what code expects, freezes the rest. */

import { SandboxError } from "./errors.ts";
import { freezeIntrinsics } from "./freeze.ts";
import { createConsole, type Log } from "./log.ts";
import { runScript } from "./run-script.ts";
import { cloneStructured } from "./structured-clone.ts";
import { decodeBase64, encodeBase64, Utf8Decoder, Utf8Encoder } from "./text-coding.ts";

/** A script whose value holds the classes URL and URLSearchParams; put in when the runtime is bundled. */
declare const urlScript: string;

/** Memory that the limit of an isolate does not see, clocks that tell too much, and code that runs outside any call. */
const removedGlobals = ["WebAssembly", "SharedArrayBuffer", "Atomics", "FinalizationRegistry", "WeakRef"];
const removedBufferMembers = ["resize", "resizable", "maxByteLength", "transfer", "transferToFixedLength", "detached"];

/** @param currentLog the log of the run that is going on */
export function installPrelude(realm: object, currentLog: () => Log): void {
  for (const name of removedGlobals) Reflect.deleteProperty(realm, name);
  fixArrayBuffer();
  fixErrors();
  const supplied: Readonly<Record<string, unknown>> = {
    console: createConsole(currentLog),
    structuredClone: cloneStructured,
    queueMicrotask: (task: () => void): void => void Promise.resolve().then(() => task()),
    TextEncoder: Utf8Encoder,
    TextDecoder: Utf8Decoder,
    atob: decodeBase64,
    btoa: encodeBase64,
    crypto: {
      randomUUID: absent(
        "crypto.randomUUID",
        "a call may be run twice and has to come to the same result: use context.pseudonym(text) or context.requestId",
      ),
      getRandomValues: absent(
        "crypto.getRandomValues",
        "a call may be run twice and has to come to the same result: use context.pseudonym(text) or context.requestId",
      ),
    },
    fetch: absent("fetch", "use context.fetch(url), with the grant fetch:host in the file's entry"),
    setTimeout: absent(
      "setTimeout",
      "nothing runs once a call has ended; keep what is to be done later in context.state and do it in a later call",
    ),
    setInterval: absent("setInterval", "nothing runs once a call has ended"),
    setImmediate: absent("setImmediate", "nothing runs once a call has ended; use queueMicrotask within it"),
    clearTimeout: () => undefined,
    clearInterval: () => undefined,
    clearImmediate: () => undefined,
  };
  for (const [name, value] of Object.entries(supplied)) {
    Object.defineProperty(realm, name, { value, writable: true, enumerable: false, configurable: true });
  }
  for (const name of urlNames) supplyUrl(realm, name);
  freezeIntrinsics(realm);
}

const urlNames = ["URL", "URLSearchParams"];

/** Run when first touched: its tables take longer to unpack than everything else here. */
function supplyUrl(realm: object, touched: string): void {
  const define = (name: string, value: unknown): void =>
    void Object.defineProperty(realm, name, { value, writable: true, configurable: true });
  Object.defineProperty(realm, touched, {
    get() {
      const classes = runScript(urlScript) as Readonly<Record<string, object>>;
      for (const name of urlNames) if (Reflect.getOwnPropertyDescriptor(realm, name)?.get !== undefined) define(name, classes[name]);
      return classes[touched];
    },
    set(value: unknown) {
      define(touched, value);
    },
    configurable: true,
  });
}

/** There as a function, so that code which only looks for it loads. */
function absent(name: string, why: string): () => never {
  return () => {
    throw new SandboxError(`${name} is not there in rules and hooks: ${why}`);
  };
}

function fixArrayBuffer(): void {
  for (const name of removedBufferMembers) Reflect.deleteProperty(ArrayBuffer.prototype, name);
  const Native = ArrayBuffer;
  // Growing memory escapes the limit, so the options that ask for it are not passed on.
  const Fixed = new Proxy(Native, {
    construct: (_target, [length], newTarget: unknown) =>
      Reflect.construct(Native, [length], typeof newTarget === "function" ? newTarget : Native) as object,
  });
  Object.defineProperty(Native.prototype, "constructor", { value: Fixed, writable: true, configurable: true });
  Object.defineProperty(globalThis, "ArrayBuffer", { value: Fixed, writable: true, configurable: true });
}

/** Code that formats stacks would run where no time limit holds. Assigning is let pass: packages do it. */
function fixErrors(): void {
  Object.defineProperty(Error, "prepareStackTrace", { get: () => undefined, set() {}, configurable: false });
}
