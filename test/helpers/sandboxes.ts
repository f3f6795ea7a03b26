/** Sandboxes over the fake host, and the smallest units, calls and bodies to run in them. */

import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { createSandbox, type SandboxOptions } from "../../core/sandbox/create-sandbox.ts";
import type { HostProgram } from "../../core/sandbox/host-process.ts";
import type { CallContext, PartName } from "../../core/sandbox/protocol.ts";
import type { PartSource, PhaseCall, Sandbox, StreamCall, UnitSpec } from "../../core/sandbox/sandbox.ts";
import type { LogFields, Logger } from "../../sdk/log.ts";
import { noFacts } from "../../sdk/testing-fixtures.ts";

export const fakeHost: HostProgram = {
  entry: fileURLToPath(new URL("fake-host.mjs", import.meta.url)),
  readable: [fileURLToPath(new URL("fake-host.mjs", import.meta.url))],
  runtime: "",
};

export interface Logged {
  readonly level: string;
  readonly fields: LogFields;
  readonly message: string | undefined;
}

export function recordingLogger(): { readonly logger: Logger; readonly lines: Logged[] } {
  const lines: Logged[] = [];
  const at = (level: string) => (fields: LogFields, message?: string) => void lines.push({ level, fields, message });
  return { logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }, lines };
}

/** Closed when the test ends. */
export function openSandbox(options: Partial<SandboxOptions> = {}): Sandbox & { readonly lines: readonly Logged[] } {
  const { logger, lines } = recordingLogger();
  const sandbox = createSandbox({ logger, hostProgram: () => Promise.resolve(fakeHost), ...options });
  onTestFinished(() => sandbox.close());
  return { ...sandbox, lines };
}

/** Units of these codes, numbered from 0; the hash is that of the code. */
export function unitsOf(
  codes: readonly string[],
  limits: Partial<UnitSpec["limits"]> = {},
  kind: UnitSpec["kind"] = "hook",
): readonly UnitSpec[] {
  return codes.map((code, unit) => ({
    unit,
    kind,
    file: `hooks/${unit}.ts`,
    code,
    exportName: "default",
    params: { positional: [], named: {} },
    env: {},
    grants: { fetch: true, callModel: true, kv: true, replyTools: true },
    pseudonymKey: "0".repeat(64),
    hash: code,
    limits: { sliceMs: 50, timeoutMs: 5000, ...limits },
  }));
}

let calls = 0;

function callContext(): CallContext {
  return {
    requestId: `request-${++calls}`,
    operation: "generate",
    facts: { ...noFacts, model: "claude" },
    headers: [],
    now: 0,
  };
}

export function phaseCall(units: readonly number[], more: Partial<PhaseCall> = {}): PhaseCall {
  return {
    phase: "preCall",
    units,
    context: callContext(),
    stores: () => undefined,
    operations: { run: () => Promise.reject(new Error("no operation is expected")) },
    signal: new AbortController().signal,
    ...more,
  };
}

export function streamCall(units: readonly number[], more: Partial<StreamCall> = {}): StreamCall {
  const context = callContext();
  return { stream: context.requestId, units, context, stores: () => undefined, ...more };
}

/** Parts of a body given as an object: arrays by their elements. */
export function bodyOf(value: { readonly [field: string]: unknown }): PartSource {
  const lengths = Object.fromEntries(
    Object.entries(value).flatMap(([field, content]) => (Array.isArray(content) ? [[field, content.length]] : [])),
  );
  return {
    shape: { keys: Object.keys(value), lengths },
    bodyBytes: JSON.stringify(value).length,
    part([field, index]: PartName) {
      const content = value[field];
      const found: unknown = index < 0 ? content : Array.isArray(content) ? content[index] : undefined;
      return found === undefined ? undefined : Buffer.from(JSON.stringify(found));
    },
  };
}
