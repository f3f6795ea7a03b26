/** What must work between any client and any provider: each feature is a column of the matrix, and one or more tests. */

import { expect } from "vitest";

import {
  badRequestWords,
  brokenWords,
  calls,
  retryAfterSeconds,
  says,
  type FailureKind,
  type ReplyScript,
} from "../helpers/wires/script.ts";
import type { Asked, AskedPart, WireHost, WireName } from "../helpers/wires/wire.ts";
import type { Chat, ChatOptions, Client, How, Image, Said, ToolDeclaration } from "./clients/client.ts";

/** Between whom a test runs. */
export interface Stage {
  readonly client: Client;
  readonly host: WireHost;
  /** The model group that is served by the host. */
  readonly model: string;
  /** The same for requests with thoughts. */
  readonly thinkingModel: string;
  /** Another vendor's host, to move away from; undefined where there is nothing between client and host. */
  readonly other: { readonly host: WireHost; readonly model: string } | undefined;
  readonly open: (options?: Partial<ChatOptions>) => Chat;
}

export interface Feature {
  readonly name: string;
  readonly tests: readonly FeatureTest[];
}

export interface FeatureTest {
  /** What is behind the colon of the test's name, where a feature has several. */
  readonly variant?: string;
  /** Only with something between client and host. */
  readonly needsProxy?: boolean;
  readonly run: (stage: Stage) => Promise<void>;
}

const hows: readonly How[] = ["whole", "stream"];
const both = (run: (stage: Stage, how: How) => Promise<void>): readonly FeatureTest[] =>
  hows.map((how) => ({ variant: how, run: (stage) => run(stage, how) }));

const said = "Grüße aus Kraków 🦊: the quick brown fox jumps over the lazy dog.";
const usage = { input: 1200, cached: 200, output: 48, reasoning: 0 };

const weather: ToolDeclaration = {
  name: "get_weather",
  description: "Tells the weather of a city.",
  schema: {
    type: "object",
    properties: { city: { type: "string", description: "Its name." }, days: { type: "integer" } },
    required: ["city"],
  },
};
const clock: ToolDeclaration = {
  name: "get_time",
  description: "Tells the time.",
  schema: { type: "object", properties: { zone: { type: "string" } } },
};
const tools = [weather, clock];

/** A red dot of one pixel. */
const image: Image = {
  mediaType: "image/png",
  data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
};

async function text({ host, open }: Stage): Promise<void> {
  host.script([says(said, { usage }), says("Again.")]);
  const chat = open({ system: "You are a scripted test." });
  expect(await chat.say({ text: "Say hello." }, "whole")).toMatchObject({ ...heard(said), deltas: 0 });
  expect((await chat.say({ text: "Once more." }, "whole")).text).toBe("Again.");
  const [first, second] = host.asked;
  expect(first).toMatchObject({ stream: false, tools: [] });
  expect(first?.model).not.toContain("to-");
  expect(first?.system).toContain("You are a scripted test.");
  expect(textsOf(first)).toEqual([["user", "Say hello."]]);
  expect(textsOf(second)).toEqual([
    ["user", "Say hello."],
    ["assistant", said],
    ["user", "Once more."],
  ]);
}

async function stream({ host, open }: Stage): Promise<void> {
  host.script([says(said, { usage }), says("Again.")]);
  const chat = open({ system: "You are a scripted test." });
  const pieces: string[] = [];
  const answer = await chat.say({ text: "Say hello." }, "stream", { onText: (piece) => pieces.push(piece) });
  expect(answer).toMatchObject(heard(said));
  expect(pieces.join("")).toBe(said);
  // As they came, not gathered.
  expect(pieces.length).toBeGreaterThan(2);
  expect(host.asked[0]?.stream).toBe(true);
  await chat.say({ text: "Once more." }, "stream");
  expect(textsOf(host.asked[1])[1]).toEqual(["assistant", said]);
}

function heard(words: string): Partial<Said> {
  return {
    text: words,
    thinking: "",
    calls: [],
    end: "stop",
    inputTokens: usage.input,
    cachedTokens: usage.cached,
    outputTokens: usage.output,
  };
}

async function toolLoop({ host, open }: Stage, how: How): Promise<void> {
  const input = { city: "Łódź", days: 3 };
  host.script([calls({ name: "get_weather", input }), says("It rains.")]);
  const chat = open({ tools });
  const first = await chat.say({ text: "How is the weather?" }, how);
  expect(first).toMatchObject({ end: "tools", calls: [{ name: "get_weather", input }] });
  expect(host.asked[0]?.tools).toEqual(["get_weather", "get_time"]);
  const second = await chat.say({ results: first.calls.map((call) => ({ call, text: "rain, 7 °C" })) }, how);
  expect(second).toMatchObject({ text: "It rains.", end: "stop", calls: [] });
  answered(host.asked[1], [{ name: "get_weather", input, text: "rain, 7 °C" }]);
}

async function parallelTools({ host, open }: Stage, how: How): Promise<void> {
  const wanted = [
    { name: "get_weather", input: { city: "Oslo" }, id: "named1" },
    { name: "get_time", input: {}, id: "named2" },
    { name: "get_weather", input: { city: "Rome" }, id: "named3" },
  ];
  const script: ReplyScript = { parts: [{ type: "text", text: "I look." }, ...calls(...wanted).parts] };
  host.script([script, says("Both.")]);
  const chat = open({ tools });
  const first = await chat.say({ text: "Weather and time?" }, how);
  expect(first).toMatchObject({ text: "I look.", end: "tools", calls: wanted.map(({ name, input }) => ({ name, input })) });
  expect(new Set(first.calls.map((call) => call.id)).size).toBe(3);
  const second = await chat.say({ results: first.calls.map((call, index) => ({ call, text: `result ${index}` })) }, how);
  expect(second.text).toBe("Both.");
  answered(
    host.asked[1],
    wanted.map(({ name, input }, index) => ({ name, input, text: `result ${index}` })),
  );
}

/** Every call came back as the host made it, each with its own answer. */
function answered(
  asked: Asked | undefined,
  wanted: readonly { readonly name: string; readonly input: unknown; readonly text: string }[],
): void {
  const parts = partsOf(asked);
  const called = parts.filter((part) => part.type === "call");
  const results = parts.filter((part) => part.type === "result");
  expect(called).toMatchObject(wanted.map(({ name, input }) => ({ name, input })));
  expect(results.map((result) => result.id)).toEqual(called.map((call) => call.id));
  for (const id of called.map((call) => call.id)) expect(id, "an id that the host did not give").not.toMatch(/^\?/);
  for (const [index, { text: words }] of wanted.entries()) expect(results[index]?.text).toContain(words);
}

async function thinking({ host, open, thinkingModel }: Stage, how: How): Promise<void> {
  const state = `${host.wire.name}-state`;
  const call = { type: "call", id: "s1", name: "get_weather", input: { city: "Oslo" } } as const;
  const counted = { ...usage, reasoning: 16 };
  host.script([
    { parts: [{ type: "thinking", text: "The user asks for the weather.", state: `${state}-1` }, call], usage: counted },
    {
      parts: [
        { type: "thinking", text: "Rain it is.", state: `${state}-2` },
        { type: "text", text: "It rains." },
      ],
      usage: counted,
    },
    says("Goodbye."),
  ]);
  const chat = open({ tools, thinking: true, model: thinkingModel });
  const first = await chat.say({ text: "How is the weather?" }, how);
  expect(first).toMatchObject({
    thinking: "The user asks for the weather.",
    end: "tools",
    outputTokens: usage.output,
    inputTokens: usage.input,
  });
  const second = await chat.say({ results: first.calls.map((one) => ({ call: one, text: "rain" })) }, how);
  expect(second).toMatchObject({ thinking: "Rain it is.", text: "It rains." });
  givesBack(host, 1, `${state}-1`, "The user asks for the weather.");
  await chat.say({ text: "Thanks." }, how);
  givesBack(host, 2, `${state}-1`, "The user asks for the weather.");
  // Chat hosts want the thoughts of calls; what Gemini signs behind the end of a streamed text is advice, and has no place in other protocols.
  const isKept = host.wire.name !== "openai-chat" && (host.wire.name !== "gemini" || how === "whole");
  if (isKept) givesBack(host, 2, `${state}-2`, "Rain it is.");
}

/** The thoughts are where the host wants them: before, or on, the call that came of them. */
function givesBack(host: WireHost, index: number, state: string, words: string): void {
  const parts = partsOf(host.asked[index]);
  // Hosts without tokens get the words themselves.
  const at = parts.findIndex(
    (part) => part.type === "thinking" && (host.wire.name === "openai-chat" ? part.text === words : part.state === state),
  );
  expect(at, `${state} in ${JSON.stringify(parts)}`).toBeGreaterThanOrEqual(0);
  const spoken = parts.slice(at + 1).find((part) => part.type !== "thinking");
  expect(spoken?.type).toBe(state.endsWith("1") ? "call" : "text");
}

async function images({ client, host, open }: Stage): Promise<void> {
  host.script([calls({ name: "get_weather", input: { city: "Oslo" } }), says("Red.")]);
  const chat = open({ tools });
  const first = await chat.say({ text: "What is this?", images: [image] }, "whole");
  expect(partsOf(host.asked[0]).filter((part) => part.type === "image")).toEqual([{ type: "image", ...image }]);
  if (!client.hasImagesInResults) return;
  await chat.say({ results: first.calls.map((call) => ({ call, text: "a picture", image })) }, "stream");
  expect(partsOf(host.asked[1]).filter((part) => part.type === "image")).toEqual([
    { type: "image", ...image },
    { type: "image", ...image },
  ]);
}

async function documents({ host, open }: Stage): Promise<void> {
  host.script(says("It is a report."));
  // The first bytes of a PDF.
  const document = Buffer.from("%PDF-1.7\n%âãÏÓ\n", "latin1").toString("base64");
  await open().say({ text: "What is this?", document }, "whole");
  expect(partsOf(host.asked[0]).filter((part) => part.type === "document")).toEqual([{ type: "document", data: document }]);
}

/** Hosts of other vendors have shorter names for tools: what they get is another name, what the client hears is its own. */
async function longNames({ client, host, open }: Stage, how: How): Promise<void> {
  const name = `mcp__a_server_with_a_long_name__${"and_a_tool_".repeat(6)}end`;
  const long: ToolDeclaration = { ...weather, name };
  host.script((asked, index) =>
    index === 0 ? calls({ name: asked.tools.find((one) => one !== clock.name) ?? "", input: { city: "Oslo" } }) : says("Rain."),
  );
  const chat = open({ tools: [clock, long] });
  const first = await chat.say({ text: "How is the weather?" }, how);
  expect(first.calls).toMatchObject([{ name, input: { city: "Oslo" } }]);
  await chat.say({ results: first.calls.map((call) => ({ call, text: "rain" })) }, how);
  const called = partsOf(host.asked[1]).find((part) => part.type === "call");
  expect(called?.name).toBe(host.asked[0]?.tools[1]);
  expect(host.asked[1]?.tools).toEqual(host.asked[0]?.tools);
  if (client.name !== host.wire.name && host.wire.name !== "anthropic") expect(called?.name).not.toBe(name);
}

const source = { url: "https://weather.example/oslo", title: "Weather in Oslo" };
/** What the vendor's own search is called on each wire. */
const searches: Readonly<Partial<Record<WireName, string>>> = {
  anthropic: "web_search",
  "openai-chat": "web_search_options",
  "openai-responses": "web_search",
  gemini: "googleSearch",
};

async function webSearch({ client, host, open }: Stage, how: How): Promise<void> {
  const text = "It rains in Oslo, says the search.";
  host.script({
    parts: [
      { type: "search", query: "weather Oslo", sources: [source] },
      { type: "text", text },
    ],
  });
  const chat = open({ webSearch: true });
  const own = searches[host.wire.name];
  if (own === undefined) {
    const seen = client.failure(await thrownBy(chat.say({ text: "How is the weather in Oslo?" }, how)));
    expect(seen).toMatchObject({ status: 400, message: expect.stringContaining("has no web search") });
    return;
  }
  const answer = await chat.say({ text: "How is the weather in Oslo?" }, how);
  expect(host.asked[0]?.tools).toEqual([own]);
  expect(answer).toMatchObject({ text, end: "stop" });
  // Found, and cited.
  expect(new Set(answer.sources)).toEqual(new Set([source.url]));
  // The found pages are part of the history, and come back in whatever form.
  host.script(says("No."));
  expect((await chat.say({ text: "Are you sure?" }, how)).text).toBe("No.");
}

async function length({ host, open }: Stage, how: How): Promise<void> {
  host.script(says("This is cut in the", { end: "length" }));
  expect(await open().say({ text: "Tell me all." }, how)).toMatchObject({ text: "This is cut in the", end: "length" });
}

async function refusal({ host, open }: Stage, how: How): Promise<void> {
  host.script({ parts: [{ type: "refusal", text: "I cannot help with that." }] });
  const answer = await open().say({ text: "Something bad." }, how);
  expect(answer.end).toBe("refusal");
}

const failures: Readonly<Record<FailureKind, (stage: Stage) => { readonly status: number; readonly message: RegExp }>> = {
  "bad request": () => ({ status: 400, message: new RegExp(badRequestWords) }),
  // Bedrock says 403 to a caller that it does not know.
  "no such key": ({ host }) => ({ status: host.wire.name === "bedrock-converse" ? 403 : 401, message: /./ }),
  "rate limit": () => ({ status: 429, message: /./ }),
  broken: () => ({ status: 500, message: new RegExp(brokenWords) }),
  overflow: ({ client, other }) => ({
    status: 400,
    message:
      other !== undefined && client.name === "anthropic" ? /^prompt is too long: \d+ tokens > \d+ maximum$/ : /too long|context|exceed/i,
  }),
};

const statuses: Readonly<Record<FailureKind, string>> = {
  "bad request": "400",
  "no such key": "401",
  "rate limit": "429",
  broken: "500",
  overflow: "overflow",
};

function failing(kind: FailureKind, how: How): FeatureTest {
  return {
    variant: `${statuses[kind]}, ${how}`,
    async run(stage) {
      const { client, host, open } = stage;
      host.script({ failure: kind });
      const expected = failures[kind](stage);
      const seen = client.failure(await thrownBy(open().say({ text: "Hello." }, how)));
      expect(seen.status, seen.message).toBe(expected.status);
      expect(seen.message).toMatch(expected.message);
      if (stage.other === undefined) return;
      // Who the proxy's owner is at the vendor is not the caller's business.
      expect(seen.message).not.toMatch(/\d{12}|org-\w{20}/);
      if (kind === "rate limit" && client.seesRetryAfter && host.wire.name !== "bedrock-converse")
        expect(seen.retryAfter).toBe(retryAfterSeconds);
    },
  };
}

function breaking(how: "error" | "cut" | "end"): FeatureTest {
  const names = { error: "an error event", cut: "a cut connection", end: "an early end" };
  return {
    variant: names[how],
    // Some SDKs take the end of the body for the end of the reply.
    needsProxy: how === "end",
    async run({ client, host, open }) {
      host.script(says(said, { breakAfter: { pieces: 2, how } }));
      const pieces: string[] = [];
      const seen = client.failure(await thrownBy(open().say({ text: "Hello." }, "stream", { onText: (piece) => pieces.push(piece) })));
      expect(seen.isAbort).toBe(false);
      expect(said.startsWith(pieces.join(""))).toBe(true);
      if (how === "error") expect(seen.message).toContain("gave up");
    },
  };
}

async function abort({ client, host, open }: Stage): Promise<void> {
  host.script(says(said, { breakAfter: { pieces: 2, how: "hang" } }));
  const controller = new AbortController();
  const thrown = await thrownBy(open().say({ text: "Hello." }, "stream", { signal: controller.signal, onText: () => controller.abort() }));
  expect(client.failure(thrown).isAbort, String(thrown)).toBe(true);
  await host.asked[0]?.request.aborted;
}

/** A conversation that another vendor began goes on here, and takes nothing along that only the other can read. */
async function move({ host, open, other, model, thinkingModel }: Stage, how: How): Promise<void> {
  if (other === undefined) throw new Error("there is no other host");
  const state = `${other.host.wire.name}-state-elsewhere`;
  other.host.script({
    parts: [{ type: "thinking", text: "Elsewhere.", state }, ...calls({ name: "get_weather", input: { city: "Oslo" } }).parts],
  });
  host.script([calls({ name: "get_time", input: { zone: "UTC" } }), says("Done.")]);
  const chat = open({ tools, thinking: true, model: other.model });
  const first = await chat.say({ text: "Weather and time?" }, how);
  const second = await chat.say({ results: first.calls.map((call) => ({ call, text: "rain" })) }, how, { model: thinkingModel });
  expect(second.calls).toMatchObject([{ name: "get_time" }]);
  const third = await chat.say({ results: second.calls.map((call) => ({ call, text: "noon" })) }, how, { model: thinkingModel });
  expect(third.text).toBe("Done.");
  expect(
    host.asked.map((asked) => asked.turns.length > 0),
    model,
  ).toEqual([true, true]);
  for (const asked of host.asked) {
    const sent = asked.request.body.toString();
    expect(sent).not.toContain(state);
    expect(sent).not.toContain(Buffer.from(state).toString("base64").slice(0, -4));
  }
  const results = partsOf(host.asked[1]).filter((part) => part.type === "result");
  expect(results.map((part) => part.text)).toMatchObject([expect.stringContaining("rain"), expect.stringContaining("noon")]);
  other.host.script(says("hello"));
}

export const features: readonly Feature[] = [
  { name: "text", tests: [{ run: text }] },
  { name: "stream", tests: [{ run: stream }] },
  {
    name: "tools",
    tests: [...both(toolLoop), ...both(longNames).map((test) => ({ ...test, variant: `long names, ${test.variant}`, needsProxy: true }))],
  },
  { name: "parallel tools", tests: both(parallelTools) },
  { name: "thinking", tests: both(thinking) },
  { name: "images", tests: [{ run: images }] },
  { name: "documents", tests: [{ run: documents }] },
  { name: "web search", tests: both(webSearch).map((test) => ({ ...test, needsProxy: true })) },
  { name: "length", tests: both(length) },
  { name: "refusal", tests: both(refusal) },
  {
    name: "errors",
    tests: (["bad request", "no such key", "rate limit", "broken", "overflow"] as const).flatMap((kind) =>
      hows.map((how) => failing(kind, how)),
    ),
  },
  { name: "broken stream", tests: [breaking("error"), breaking("cut"), breaking("end")] },
  { name: "abort", tests: [{ run: abort }] },
  { name: "change of provider", tests: both(move).map((test) => ({ ...test, needsProxy: true })) },
];

/** Name of a test, below the names of client and wire. */
export function testName(feature: Feature, test: FeatureTest): string {
  return test.variant === undefined ? feature.name : `${feature.name}: ${test.variant}`;
}

function partsOf(asked: Asked | undefined): readonly AskedPart[] {
  return asked?.turns.flatMap((turn) => turn.parts) ?? [];
}

/** Who said what; neighbours of one role are one. */
function textsOf(asked: Asked | undefined): readonly (readonly [role: string, text: string])[] {
  const texts: [string, string][] = [];
  for (const { role, parts } of asked?.turns ?? []) {
    const words = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    const last = texts.at(-1);
    if (last?.[0] === role) last[1] += words;
    else texts.push([role, words]);
  }
  return texts;
}

async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing went wrong, and something should have");
}
