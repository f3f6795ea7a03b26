/** A real hook host on a socketpair, spoken to message by message. */

import { spawn, type ChildProcess } from "node:child_process";
import { Duplex } from "node:stream";
import { createFrameDecoder, encodeFrame } from "../../core/sandbox/frames.ts";
import { guestRuntime } from "../../core/sandbox/guest-runtime.ts";
import { hostProgram } from "../../core/sandbox/host-program.ts";
import type {
  CallContext,
  CallMessage,
  EventsMessage,
  FromHost,
  OperationResult,
  PartName,
  ToHost,
  UnitCode,
  UnitManifest,
  UnitOutcome,
} from "../../core/sandbox/protocol.ts";

type Answer = Exclude<FromHost, { type: "ready" } | { type: "progress" }>;
type Load = Extract<ToHost, { type: "load" }>;

export interface TestHost {
  readonly child: ChildProcess;
  /** Everything that came, in order. */
  readonly received: FromHost[];
  readonly send: (message: ToHost, payload?: readonly Uint8Array[]) => void;
  /** Sends what wants an answer, and waits for it. Rejects when the host ends first. */
  readonly ask: (message: ToHost & { readonly id: number }, payload?: readonly Uint8Array[]) => Promise<Answer>;
  load(units: readonly Partial<UnitCode>[], options?: { readonly version?: number }): Promise<readonly UnitManifest[]>;
  readonly call: (options: CallOptions) => Promise<Answer>;
  /** The same, where no part is missing and no operation asked for. */
  readonly outcomes: (options: CallOptions) => Promise<readonly UnitOutcome[]>;
  outcome(options: CallOptions): Promise<UnitOutcome>;
  resume(id: number, results: readonly OperationResult[]): Promise<Answer>;
  events(message: Omit<EventsMessage, "version" | "sliceMs"> & Partial<EventsMessage>): Promise<Extract<Answer, { type: "events-done" }>>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  close(): Promise<void>;
}

export interface CallOptions extends Partial<Omit<CallMessage, "parts">> {
  readonly id?: number;
  /** The request; all of its parts are sent along unless `parts` names them. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly parts?: readonly PartName[];
}

export const testContext: CallContext = {
  requestId: "req_1",
  operation: "generate",
  facts: {
    model: "claude-x",
    stream: true,
    session: "session-1",
    client: "claude-code",
    requestClass: "main",
    agentId: undefined,
    agentType: undefined,
    thinking: "none",
    effort: undefined,
    messageCount: 1,
    bodyBytes: 100,
    toolNames: ["Bash", "Read"],
    toolTypes: ["custom", "custom"],
    usedToolNames: [],
    hasImage: false,
  },
  headers: [["user-agent", "test/1"]],
  now: 1_700_000_000_000,
};

const pseudonymKey = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/** Starts one as the sandbox does, without the limits of the shell. */
export async function startHost(options: { readonly stderr?: "ignore" } = {}): Promise<TestHost> {
  const runtime = await guestRuntime();
  const child = spawn(process.execPath, ["--jitless", "--no-warnings", await hostProgram()], {
    env: {},
    stdio: ["ignore", "ignore", options.stderr ?? "inherit", "pipe"],
  });
  const socket = child.stdio[3];
  if (!(socket instanceof Duplex)) throw new Error("no socket");
  const received: FromHost[] = [];
  const waiting = new Map<number, { resolve(answer: Answer): void; reject(error: Error): void }>();
  const ready = Promise.withResolvers<void>();
  const decoder = createFrameDecoder((header) => {
    const message = header as FromHost;
    received.push(message);
    if (message.type === "ready") ready.resolve();
    else if (message.type !== "progress") {
      waiting.get(message.id)?.resolve(message);
      waiting.delete(message.id);
    }
  });
  socket.on("data", (chunk: Buffer) => decoder.push(chunk));
  socket.on("error", () => undefined);
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once("exit", (code, signal) => {
      for (const waiter of waiting.values()) waiter.reject(new Error(`the host ended: ${signal ?? code}`));
      resolve({ code, signal });
    }),
  );
  let nextId = 1;
  let version = 1;
  const send: TestHost["send"] = (message, payload) => {
    for (const chunk of encodeFrame(message, payload)) socket.write(chunk);
  };
  const ask: TestHost["ask"] = (message, payload) =>
    new Promise((resolve, reject) => {
      waiting.set(message.id, { resolve, reject });
      send(message, payload);
    });
  const outcomes: TestHost["outcomes"] = async (options) => {
    let answer = await call(options);
    // On a busy machine a run that had no chance is asked for again, as the sandbox does.
    for (let tries = 0; tries < 20 && answer.type === "need" && answer.parts.length === 0; tries++) answer = await call(options);
    if (answer.type !== "done") throw new Error(`answered ${JSON.stringify(answer)}`);
    return answer.outcomes;
  };
  const call: TestHost["call"] = ({ id = nextId++, body, parts, ...rest }) => {
    const payload: Uint8Array[] = [];
    const lengths: CallMessage["parts"][number][] = [];
    for (const [field, index] of parts ?? Object.keys(body ?? {}).map((key): PartName => [key, -1])) {
      const value = body?.[field];
      const bytes = Buffer.from(JSON.stringify(index === -1 ? value : (value as unknown[])[index]));
      payload.push(bytes);
      lengths.push([field, index, bytes.length]);
    }
    const shape = body === undefined ? {} : { shape: shapeOf(body) };
    const message = {
      version,
      phase: "rule",
      units: [0],
      context: testContext,
      stores: {},
      sliceMs: 2000,
      ...shape,
      ...rest,
      parts: lengths,
    } as const;
    return ask({ type: "call", id, ...message }, payload);
  };
  await ready.promise;
  return {
    child,
    received,
    send,
    ask,
    async load(units, options = {}) {
      version = options.version ?? version;
      const message: Load = { type: "load", id: nextId++, version, units: units.map((unit, index) => completeUnit(unit, index)), runtime };
      const answer = await ask(message);
      if (answer.type !== "loaded") throw new Error(`answered ${answer.type}`);
      return answer.units;
    },
    call,
    outcomes,
    async outcome(options) {
      const [first] = await outcomes(options);
      if (first === undefined) throw new Error("nothing was run");
      return first;
    },
    resume: (id, results) => ask({ type: "resume", id, results }),
    async events(message) {
      const answer = await ask({ type: "events", id: nextId++, version, sliceMs: 2000, ...message });
      if (answer.type !== "events-done") throw new Error(`answered ${answer.type}`);
      return answer;
    },
    exited,
    async close() {
      socket.end();
      await exited;
    },
  };
}

function completeUnit(unit: Partial<UnitCode>, index: number): UnitCode {
  return {
    unit: index,
    kind: "rule",
    file: `rules/file-${index}.ts`,
    code: "var __exports = {};",
    exportName: "default",
    params: { positional: [], named: {} },
    env: {},
    grants: { fetch: false, callModel: false, kv: false, replyTools: false },
    pseudonymKey,
    ...unit,
  };
}

function shapeOf(body: Readonly<Record<string, unknown>>): NonNullable<CallMessage["shape"]> {
  const lengths: Record<string, number> = {};
  for (const field of ["messages", "tools"]) {
    const value = body[field];
    if (Array.isArray(value)) lengths[field] = value.length;
  }
  return { keys: Object.keys(body), lengths };
}

/** The script that a file with this default export becomes. */
export function moduleOf(expression: string): string {
  return `"use strict";\nvar __exports = (() => { const defineRule = (rule) => Object.defineProperty(typeof rule === "function" ? { evaluate: rule } : { ...rule }, Symbol.for("ccproxy.definition"), { value: "rule" });
const defineHook = (hook) => Object.defineProperty({ ...hook }, Symbol.for("ccproxy.definition"), { value: "hook" });
const respond = (reply) => ({ kind: "respond", reply }); const deny = (status, message) => ({ kind: "deny", status, message });
return { default: ${expression} };\n})();`;
}
