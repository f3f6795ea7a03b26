/** One isolate with the files that live in it. It is made when first used, and made anew after it had to be thrown away. */

import ivm from "isolated-vm";
import { runtimeFile } from "../guest/errors.ts";
import type { UnitCode } from "../protocol.ts";
import type { UnitInfo } from "../guest/entry-format.ts";
import { loadSliceMs, maxAnswerLength, upkeepSliceMs } from "./limits.ts";

/** A file in its context. Units that are exports of the same file share it, and with it the state of the module. */
export interface CagedFile {
  readonly cage: Cage;
  readonly code: string;
  readonly infos: readonly UnitInfo[];
}

/** What a call into an isolate came to. */
export type CallResult = { readonly type: "answer"; readonly text: string } | CallFailure;

export interface CallFailure {
  readonly type: "failed";
  readonly kind: "timeout" | "memory" | "threw" | "invalid";
  readonly message: string;
  readonly stack: string;
  /** A timeout of which other processes had most: the same call may be made again. */
  readonly isStarved?: boolean;
}

export interface Cage {
  /** Counts the isolates thrown away so far: what they held is gone. */
  readonly generation: () => number;
  add(units: readonly UnitCode[]): CagedFile;
  /** JSON of the manifests of the file's units. */
  load(file: CagedFile): CallResult;
  /** Why the file cannot be run at all, if so. */
  unloadable(file: CagedFile): CallFailure | undefined;
  ask(file: CagedFile, values: readonly unknown[], timeoutMs: number): CallResult;
  /** Calls several files at once, see guest/dispatch.ts. @param files the same list each time is looked at only once */
  dispatch(files: readonly CagedFile[], values: readonly unknown[], timeoutMs: number): CallResult & { readonly cursor?: string };
  dispose(): void;
}

/** A reference to the entry function, as far as it is used. */
interface EntryReference {
  applySync(receiver: undefined, values: readonly unknown[], options: { readonly timeout: number }): unknown;
  derefInto(): unknown;
}

/** @param runtime see guest-runtime.ts: a script whose value is the entry function */
export function createCage(runtime: string, memoryMb: number): Cage {
  let isolate: ivm.Isolate | undefined;
  let script: ivm.Script | undefined;
  let generation = 0;
  let entries = new Map<CagedFile, EntryReference>();
  let dispatcher: EntryReference | undefined;
  const proven = new Set<CagedFile>();
  /** Files that took too long or too much when they were first run: not tried again. */
  const unloadable = new Map<CagedFile, CallFailure>();
  /** Files that the dispatcher knows. */
  let attached = new Set<CagedFile>();
  /** The list of them that was asked last. */
  let prepared: readonly CagedFile[] | undefined;

  const dispose = (): void => {
    const gone = isolate;
    isolate = undefined;
    script = undefined;
    dispatcher = undefined;
    entries = new Map();
    attached = new Set();
    prepared = undefined;
    generation += 1;
    if (gone !== undefined && !gone.isDisposed) gone.dispose();
  };
  const createEntry = (): EntryReference => {
    if (isolate === undefined || script === undefined) {
      // Without a handler for running out of memory the process aborts at once; with one it would hang.
      isolate = new ivm.Isolate({ memoryLimit: memoryMb });
      script = isolate.compileScriptSync(runtime, { filename: runtimeFile });
    }
    return script.runSync(isolate.createContextSync(), { reference: true, timeout: loadSliceMs }) as EntryReference;
  };
  const apply = (entry: EntryReference, values: readonly unknown[], timeout: number): CallResult => {
    const before = process.threadCpuUsage();
    try {
      return answer(entry.applySync(undefined, values, { timeout }));
    } catch (error) {
      const failure = describe(error, timeout);
      if (failure.kind === "timeout") return { ...failure, isStarved: isStarved(process.threadCpuUsage(before), timeout) };
      // A promise that nobody handles hides the answer; it was kept. Asking for it runs no user code.
      return failure.kind === "threw" && values[0] !== "stray"
        ? apply(entry, ["stray", failure.message.slice(0, 1000)], upkeepSliceMs)
        : failure;
    }
  };
  const answer = (text: unknown): CallResult => {
    if (typeof text === "string" && text.length <= maxAnswerLength) return { type: "answer", text };
    const message =
      typeof text === "string"
        ? `the answer has ${text.length} characters; at most ${maxAnswerLength} are taken`
        : "the runtime gave no text";
    return { type: "failed", kind: "invalid", message, stack: "" };
  };
  const enter = (file: CagedFile): { entry: EntryReference; manifests: string } | CallFailure => {
    const known = entries.get(file);
    if (known !== undefined) return { entry: known, manifests: "" };
    const entry = createEntry();
    const loaded = apply(entry, ["load", JSON.stringify(file.infos), file.code], loadSliceMs);
    if (loaded.type === "failed") {
      if (!proven.has(file)) unloadable.set(file, { ...loaded, isStarved: false });
      return loaded;
    }
    proven.add(file);
    entries.set(file, entry);
    return { entry, manifests: loaded.text };
  };
  const guarded = <Result extends CallResult>(act: () => Result | CallFailure): Result | CallFailure => {
    let result: Result | CallFailure;
    try {
      result = act();
    } catch (error) {
      result = describe(error, 0);
    }
    if (result.type === "failed") dispose();
    return result;
  };

  /** Makes the dispatcher know the files. */
  const prepare = (files: readonly CagedFile[]): CallFailure | undefined => {
    for (const file of files) {
      const entered = enter(file);
      if ("kind" in entered) return entered;
      dispatcher ??= createEntry();
      if (attached.has(file)) continue;
      attached.add(file);
      for (const { unit } of file.infos)
        dispatcher.applySync(undefined, ["attach", String(unit), entered.entry.derefInto()], { timeout: upkeepSliceMs });
    }
    prepared = files;
    return undefined;
  };

  const cage: Cage = {
    generation: () => generation,
    add: (units) => ({ cage, code: units[0]?.code ?? "", infos: units.map(({ code: _code, ...info }) => info) }),
    load: (file) =>
      guarded(() => {
        const entered = enter(file);
        return "kind" in entered ? entered : { type: "answer", text: entered.manifests };
      }),
    unloadable: (file) => unloadable.get(file),
    ask: (file, values, timeoutMs) =>
      unloadable.get(file) ??
      guarded(() => {
        const entered = enter(file);
        return "kind" in entered ? entered : apply(entered.entry, values, timeoutMs);
      }),
    dispatch: (files, values, timeoutMs) =>
      guarded(() => {
        const failure = prepared === files ? undefined : prepare(files);
        if (failure !== undefined) return failure;
        if (dispatcher === undefined) throw new Error("nothing to dispatch");
        const result = apply(dispatcher, ["dispatch", ...values], timeoutMs);
        if (result.type !== "failed" || result.kind !== "timeout") return result;
        const cursor = apply(dispatcher, ["cursor"], upkeepSliceMs);
        return cursor.type === "answer" ? { ...result, cursor: cursor.text } : result;
      }),
    dispose,
  };
  return cage;
}

/** V8 counts the time on the wall. On a busy machine that says little about the code that ran. */
function isStarved({ user, system }: NodeJS.CpuUsage, timeoutMs: number): boolean {
  return (user + system) / 1000 < timeoutMs / 2;
}

/** @param timeout ms that the call had */
function describe(error: unknown, timeout: number): CallFailure {
  const message = error instanceof Error ? error.message : "something that is no error was thrown";
  const stack = error instanceof Error ? guestFrames(error.stack ?? "") : "";
  if (message === "Script execution timed out.")
    return { type: "failed", kind: "timeout", message: `ran for ${timeout} ms without an end`, stack };
  if (/^Isolate (was|is) (already )?disposed/.test(message))
    return { type: "failed", kind: "memory", message: "took more memory than a rule or hook may have", stack: "" };
  return { type: "failed", kind: "threw", message: message.slice(0, 4000), stack };
}

/** Where user code was; what follows the boundary is the host's own. */
function guestFrames(stack: string): string {
  const [guest = ""] = stack.split("    at (<isolated-vm boundary>)");
  const lines = guest.split("\n").filter((line) => line.startsWith("    at ") && !line.includes(runtimeFile));
  return lines.join("\n").slice(0, 4000);
}
