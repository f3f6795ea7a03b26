import { describe, expect, it } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { Exchange, type Reply } from "../../../core/exchange.ts";
import { createFailureLog } from "../../../core/phases/failure-log.ts";
import { hookEvents } from "../../../core/phases/reply-events.ts";
import { runReplyPhases } from "../../../core/phases/reply-phases.ts";
import type { PostCallServices } from "../../../core/phases/reply-post-call.ts";
import type { LoadedUnit, UserProgram } from "../../../core/phases/user-program.ts";
import { createRegistry } from "../../../core/registry.ts";
import type { EventStream, StreamCall, StreamResult } from "../../../core/sandbox/sandbox.ts";
import { buildSnapshot, withoutUserCode } from "../../../core/snapshot.ts";
import { readEvents, writeEvents } from "../../../core/stream/event-source.ts";
import { HubWatch } from "../../../core/translation/hub-watch.ts";
import { builtinPlugins } from "../../../plugins/index.ts";
import type { HookPhase } from "../../../sdk/context.ts";
import type { Operation } from "../../../sdk/dialect.ts";
import { loadedConfig } from "../../helpers/config.ts";
import { encodeEvent, messageEvents } from "../../helpers/events.ts";
import { keepLog } from "../../helpers/keep-log.ts";
import { loadedUnit, type UnitInit } from "../../helpers/units.ts";

const events = messageEvents({
  blocks: [
    { type: "text", text: "some text" },
    { type: "tool_use", id: "t", name: "Bash", input: { command: "ls" } },
  ],
  model: "m",
});
const bytes = events.map(encodeEvent);

async function* bodyOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** What a fake sandbox makes of the events that a stream of it is given. */
type Push = (texts: readonly string[], call: StreamCall) => Promise<StreamResult>;

const untouched: Push = async (texts, { units }) => ({ events: texts.map(() => 0), outcomes: units.map((unit) => ({ unit, us: 5 })) });

function programOf(units: readonly LoadedUnit[], push: Push = untouched) {
  const opened: { readonly call: StreamCall; readonly pushed: string[][]; closed: number }[] = [];
  const program: UserProgram = {
    units,
    hooks: (phase: HookPhase) => units.filter(({ manifest }) => manifest.phases.includes(phase)),
    retain: () => () => undefined,
    program: {
      manifests: [],
      run: () => Promise.reject(new Error("not asked for")),
      openStream(call): EventStream {
        const stream = { call, pushed: [] as string[][], closed: 0 };
        opened.push(stream);
        return {
          push(texts) {
            stream.pushed.push([...texts]);
            return push(texts, call);
          },
          close: () => void stream.closed++,
        };
      },
      quarantined: () => undefined,
      release: () => undefined,
    },
  };
  return { program, opened };
}

async function createExchange(program: UserProgram | undefined, operation: Operation = "generate"): Promise<Exchange> {
  const registry = createRegistry(builtinPlugins);
  const { snapshot } = await buildSnapshot(loadedConfig(), { registry, loadUserProgram: withoutUserCode }, 1, new Date());
  const { hub: ingress } = registry;
  if (snapshot === undefined) throw new Error("there is no snapshot");
  const headers = { get: () => undefined, endToEnd: [] };
  const init = { ingress, operation, path: "/", search: "", headers, project: undefined, now: () => 0 };
  const exchange = new Exchange({ ...init, snapshot: { ...snapshot, userProgram: program } });
  exchange.receive(createRequestBody(Buffer.from('{"model":"m","messages":[]}')));
  return exchange;
}

function servicesOf(): { readonly services: PostCallServices; readonly lines: readonly unknown[]; readonly committed: readonly number[] } {
  const committed: number[] = [];
  const { logger, lines } = keepLog();
  const mapped = { message: "", position: undefined, stack: "", frame: "" };
  const services: PostCallServices = {
    logger,
    capabilities: {
      stores: () => undefined,
      operations: () => ({ run: () => Promise.reject(new Error("not asked for")) }),
      commit: (_, { index }) => void committed.push(index),
    },
    failures: createFailureLog(
      logger,
      () => mapped,
      () => 0,
    ),
    redact: (text) => text,
    wallClock: () => 0,
    countTokens: () => Promise.resolve(0),
    inBackground: () => undefined,
  };
  return { services, lines, committed };
}

const unit = (index: number, init: UnitInit = {}): LoadedUnit =>
  loadedUnit({
    index,
    ...init,
    source: { file: `hooks/${index}.ts`, ...init.source },
    manifest: { phases: ["onEvent"], ...init.manifest },
  });
const withTools = (index: number): LoadedUnit => {
  const plain = unit(index);
  return { ...plain, source: { ...plain.source, options: { ...plain.source.options, grants: [{ type: "reply", what: "tools" }] } } };
};

async function through(units: readonly LoadedUnit[], push?: Push, chunks: readonly Uint8Array[] = bytes) {
  const { program, opened } = programOf(units, push);
  const exchange = await createExchange(program);
  const { services, lines, committed } = servicesOf();
  const source = hookEvents(exchange, services, program, units, readEvents(bodyOf(chunks), new HubWatch()));
  const body = writeEvents(source);
  const read = async (): Promise<string> => {
    const sent: Uint8Array[] = [];
    for await (const chunk of body) sent.push(chunk);
    return Buffer.concat(sent).toString();
  };
  return { exchange, opened, lines, committed, body, read };
}

describe("hooks of events", () => {
  it("share a stream of the sandbox with their neighbours that have the same grant", async () => {
    const { opened, read, exchange } = await through([unit(0), unit(1), withTools(2), unit(3)]);
    expect(await read()).toBe(Buffer.concat(bytes).toString());
    expect(opened.map(({ call, closed }) => [call.stream, call.units, closed])).toEqual([
      [exchange.id, [0, 1], 1],
      [`${exchange.id}.1`, [2], 1],
      [`${exchange.id}.2`, [3], 1],
    ]);
  });

  it("may only touch tools where they are allowed to, whoever comes before or after", async () => {
    const rename: Push = async (texts, { units }) => ({
      events: texts.map((text) => (text.includes('"Bash"') ? [text.replace('"Bash"', '"Other"')] : 0)),
      outcomes: units.map((index) => ({ unit: index, us: 5 })),
    });
    expect(await (await through([unit(0)], rename)).read()).toContain('"Bash"');
    expect(await (await through([withTools(0)], rename)).read()).toContain('"Other"');
    expect(await (await through([unit(0), withTools(1), unit(2)], rename)).read()).toContain('"Other"');
  });

  it("are not called for events that none of them wants, and not at all where none is wanted", async () => {
    const stops = unit(0, { manifest: { events: ["message_stop"] } });
    const { opened, read } = await through([stops, unit(1, { manifest: { events: ["ping"] } })]);
    await read();
    expect(opened[0]?.pushed.flat().map((text) => JSON.parse(text).type)).toEqual(["ping", "message_stop"]);
    const none = await through([unit(0, { manifest: { events: ["error"] } })]);
    expect(await none.read()).toBe(Buffer.concat(bytes).toString());
    expect(none.opened[0]?.pushed).toEqual([]);
  });

  it("are shown what lacks only its empty line, and let pass what was cut off", async () => {
    const replaces: Push = async (texts, { units }) => ({
      events: texts.map(() => ['{"type":"ping"}']),
      outcomes: units.map((index) => ({ unit: index, us: 5, changed: [0] })),
    });
    const last = 'data: {"type":"message_stop"}';
    expect(await (await through([unit(0)], replaces, [Buffer.from(last)])).read()).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    expect(await (await through([unit(0)], replaces, [Buffer.from(last.slice(0, -1))])).read()).toBe(last.slice(0, -1));
  });

  it("get what has arrived together in one call", async () => {
    const { opened, read } = await through([unit(0)], untouched, [Buffer.concat(bytes)]);
    await read();
    expect(opened[0]?.pushed).toHaveLength(1);
    expect(opened[0]?.pushed[0]).toHaveLength(events.length);
  });

  it("write nothing in a batch in which they failed, or did what they may not", async () => {
    const writes = { locals: { written: true } };
    const error = { kind: "threw", name: "Error", message: "oh no", stack: "" } as const;
    const push: Push = async (texts) => ({
      events: texts.map((text) => (text.includes('"Bash"') ? [] : 0)),
      outcomes: [
        { unit: 0, us: 5, writes },
        { unit: 1, us: 5, writes, changed: texts.map((_, place) => place) },
        { unit: 2, us: 5, writes, error },
      ],
    });
    const { committed, read } = await through([unit(0), unit(1), unit(2)], push, [Buffer.concat(bytes)]);
    await read();
    expect(committed).toEqual([0]);
  });

  it("are summed up in one line of the trace each, however often they failed", async () => {
    const error = { kind: "threw", name: "Error", message: "oh no", stack: "" } as const;
    const failing: Push = async (texts) => ({
      events: texts.map(() => 0),
      outcomes: [
        { unit: 0, us: 5, error },
        { unit: 1, us: 7, changed: [0] },
      ],
    });
    const { exchange, read } = await through([unit(0), unit(1)], failing);
    await read();
    const steps = exchange.trace.steps.map(({ what, detail }) => ({ what, ...detail }));
    const count = events.length;
    expect(steps).toMatchObject([
      { what: "failed, skipped", file: "hooks/0.ts" },
      { what: "saw events", file: "hooks/0.ts", events: count, us: 5 * count, failures: count },
      { what: "changed events", file: "hooks/1.ts", events: count, us: 7 * count, changed: count },
    ]);
  });

  it("stop at once when the exchange is aborted, whatever the sandbox does", async () => {
    const { exchange, read, opened } = await through([unit(0)], () => new Promise(() => undefined));
    const reading = read();
    setImmediate(() => exchange.abort(new Error("gone")));
    await expect(reading).rejects.toThrow("gone");
    expect(opened[0]?.closed).toBe(1);
  });

  it("are let go when their reader stops early", async () => {
    const { body, opened } = await through([unit(0)]);
    for await (const _ of body) break;
    expect(opened[0]?.closed).toBe(1);
  });

  it("whose answers got lost end the reply", async () => {
    const loses: Push = async () => ({ events: [], outcomes: [] });
    const { read } = await through([unit(0)], loses);
    await expect(read()).rejects.toThrow("lost events");
  });
});

describe("a reply that no hook is to see", () => {
  const streamed: Reply = {
    status: 200,
    headers: [["content-type", "text/event-stream"]],
    body: bodyOf(bytes),
    isEventStream: true,
    format: "hub",
  };
  const json: Reply = {
    status: 200,
    headers: [["content-type", "application/json"]],
    body: bodyOf([]),
    isEventStream: false,
    format: "hub",
  };
  const listens = programOf([unit(0)]).program;
  const deaf = programOf([unit(0, { manifest: { phases: ["preCall", "onError", "onComplete"] } })]).program;

  it.each<[string, UserProgram | undefined, Operation, Reply]>([
    ["without user code", undefined, "generate", streamed],
    ["no hook of replies", deaf, "generate", streamed],
    ["no hook of whole replies", deaf, "generate", json],
    ["a count of tokens", listens, "count_tokens", json],
    ["an error", listens, "generate", { ...json, status: 400 }],
    ["an error as a stream", listens, "generate", { ...streamed, status: 500 }],
    ["no JSON", listens, "generate", { ...json, headers: [["content-type", "text/plain"]] }],
    ["a coding nobody here knows", listens, "generate", { ...json, headers: [...json.headers, ["content-encoding", "compress"]] }],
  ])("is the same object, its body unread: %s", async (_, program, operation, reply) => {
    const exchange = await createExchange(program, operation);
    expect(await runReplyPhases(exchange, servicesOf().services, reply)).toBe(reply);
    expect(exchange.reported).toBeUndefined();
  });
});
