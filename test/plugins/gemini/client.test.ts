/** The vendor's own client against replies of this dialect, over a real connection. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type, type GenerateContentResponse } from "@google/genai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { bodyOf } from "../../../sdk/hub/byte-body.ts";
import { record } from "../../../sdk/hub/json.ts";
import { MessageWriter } from "../../../sdk/hub/message-writer.ts";
import { translation } from "./received.ts";
import { fold, ingress, present } from "./replies.ts";

type Tell = (writer: MessageWriter) => void;

/** What the model says to each request, in order. */
let script: Tell[] = [];
let refusal: ProxyError | undefined;
/** What came, in the hub's words. */
let asked: JsonObject[] = [];

const server = createServer((request, response) => {
  void respond(request, response);
});

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers, body } = await answer(request).catch((error: unknown): Answer => {
    if (error instanceof ProxyError) return local(ingress.encodeError(error, "req_1"));
    return { status: 500, headers: {}, body: Buffer.from(String(error)) };
  });
  response.writeHead(status, headers);
  response.end(body);
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? "", "http://localhost");
  const route = present(ingress.routes.find(({ path }) => path instanceof RegExp && path.test(url.pathname)));
  const body = bodyOf(await buffer(request));
  const received = { operation: route.operation, body, path: url.pathname, search: url.search, headers: { get: () => undefined } };
  asked.push(translation.decode(received, () => {}));
  if (refusal !== undefined) return local(ingress.encodeError(refusal, "req_1"));
  if (route.operation === "count_tokens") return local(ingress.encodeTokenCount(42));
  const head = translation.head(received);
  const options = { received, head, id: "req_1" };
  const writer = new MessageWriter({ model: head.model, inputTokens: 7 });
  script.shift()?.(writer);
  const events = writer.take();
  if (!head.stream) return local(translation.whole(present(record(fold(events))), options));
  const encoder = translation.stream(options);
  const pieces = [
    ...events.map((event) => Buffer.concat([Buffer.from(encoder.push(event)), Buffer.from(ingress.ping)])),
    Buffer.from(encoder.end()),
  ];
  return { status: 200, headers: { "content-type": "text/event-stream" }, body: Buffer.concat([ingress.ping, ...pieces]) };
}

function local({ status, headers, chunks }: ReturnType<typeof ingress.encodeTokenCount>): Answer {
  return { status, headers: Object.fromEntries(headers), body: Buffer.concat(chunks) };
}

let ai: GoogleGenAI;
const model = "claude-opus-5-5";

beforeEach(async () => {
  script = [];
  asked = [];
  refusal = undefined;
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  ai = new GoogleGenAI({ apiKey: "sk-local", httpOptions: { baseUrl: `http://127.0.0.1:${port}` } });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function collect(stream: AsyncGenerator<GenerateContentResponse>): Promise<readonly GenerateContentResponse[]> {
  const all: GenerateContentResponse[] = [];
  for await (const response of stream) all.push(response);
  return all;
}

const greet: Tell = (writer) => {
  writer.usage({ input_tokens: 5, output_tokens: 3, cache_read_input_tokens: 2 });
  writer.text("Grüße, ");
  writer.text("世界");
  writer.finish();
};

const declaration = {
  name: "get_weather",
  description: "Weather.",
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ["city"] },
};

describe("the vendor's client", () => {
  test("reads a whole reply", async () => {
    script = [greet];
    const reply = await ai.models.generateContent({
      model,
      contents: "Hello",
      config: { systemInstruction: "Be brief.", maxOutputTokens: 20, temperature: 0.5 },
    });
    expect(reply.text).toBe("Grüße, 世界");
    expect(reply.usageMetadata).toMatchObject({ promptTokenCount: 7, cachedContentTokenCount: 2, candidatesTokenCount: 3 });
    expect(reply.candidates?.[0]?.finishReason).toBe("STOP");
    expect(asked[0]).toMatchObject({
      model,
      max_tokens: 20,
      temperature: 0.5,
      system: [{ text: "Be brief." }],
      messages: [{ role: "user", content: [{ text: "Hello" }] }],
      stream: false,
    });
  });

  test("reads a stream with blank lines in between", async () => {
    script = [greet];
    const responses = await collect(await ai.models.generateContentStream({ model, contents: "Hello" }));
    expect(responses.map((response) => response.text ?? "").join("")).toBe("Grüße, 世界");
    expect(responses.at(-1)?.candidates?.[0]?.finishReason).toBe("STOP");
    expect(responses.at(-1)?.usageMetadata?.totalTokenCount).toBe(10);
    expect(asked[0]).toMatchObject({ stream: true });
  });

  test("calls tools, gives their results back, and keeps what the model thought in between", async () => {
    const signature = "EqQBCkYIBxgCKkA=";
    script = [
      (writer) => {
        writer.thinking("I need the weather.");
        writer.signature(signature);
        for (const city of ["Paris", "London"]) {
          writer.toolStart(city, { id: `toolu_${city}`, name: "get_weather" });
          writer.toolInput(city, '{"city":');
          writer.toolInput(city, `"${city}"}`);
          writer.toolEnd(city);
        }
        writer.finish();
      },
      greet,
    ];
    const config = {
      tools: [{ functionDeclarations: [declaration] }],
      thinkingConfig: { includeThoughts: true },
      toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } },
    };
    const chat = ai.chats.create({ model, config });
    const first = await collect(await chat.sendMessageStream({ message: "What is the weather in Paris and London?" }));
    const calls = first.flatMap((response) => response.functionCalls ?? []);
    expect(calls).toEqual([
      { id: "toolu_Paris", name: "get_weather", args: { city: "Paris" } },
      { id: "toolu_London", name: "get_weather", args: { city: "London" } },
    ]);
    const thoughts = first.flatMap((response) => response.candidates?.[0]?.content?.parts ?? []).filter((part) => part.thought === true);
    expect(thoughts.map((part) => part.text).join("")).toBe("I need the weather.");
    const results = calls.toReversed().map(({ id, name }) => ({
      functionResponse: { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }), response: { output: "Rain" } },
    }));
    await collect(await chat.sendMessageStream({ message: results }));
    expect(asked[0]).toMatchObject({
      tool_choice: { type: "any" },
      tools: [{ name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } }],
    });
    expect(asked[1]?.["messages"]).toMatchObject([
      { role: "user" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I need the weather.", signature },
          { type: "tool_use", id: "toolu_Paris" },
          { type: "tool_use", id: "toolu_London" },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_London" },
          { type: "tool_result", tool_use_id: "toolu_Paris" },
        ],
      },
    ]);
  });

  test("sends images and forms", async () => {
    script = [greet];
    const contents = [{ inlineData: { mimeType: "image/png", data: "iVBORw0KGgo=" } }, { text: "What is it?" }];
    await ai.models.generateContent({
      model,
      contents,
      config: { responseMimeType: "application/json", responseSchema: { type: Type.OBJECT, properties: { a: { type: Type.STRING } } } },
    });
    expect(asked[0]).toMatchObject({
      messages: [{ content: [{ type: "image", source: { media_type: "image/png" } }, { type: "text" }] }],
      output_config: { format: { schema: { type: "object", properties: { a: { type: "string" } } } } },
    });
  });

  test("counts tokens", async () => {
    expect((await ai.models.countTokens({ model, contents: "Hello" })).totalTokens).toBe(42);
  });

  test("throws its own error for a refusal", async () => {
    refusal = new ProxyError("prompt is too long: 300 tokens > 200 maximum", { status: 400, kind: "invalid_request_error" });
    const thrown = await ai.models.generateContent({ model, contents: "Hello" }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ApiError);
    expect(thrown).toMatchObject({ status: 400 });
    expect(String(thrown)).toContain("The input token count (300) exceeds the maximum number of tokens allowed (200).");
  });

  test("throws its own error for a stream that fails in the middle", async () => {
    script = [
      (writer) => {
        writer.text("Half");
        writer.fail({ type: "overloaded_error", message: "Busy." });
      },
    ];
    const thrown = await collect(await ai.models.generateContentStream({ model, contents: "Hello" })).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ApiError);
    expect(thrown).toMatchObject({ status: 503 });
  });

  test("throws for a stream that was cut", async () => {
    script = [(writer) => writer.text("Half")];
    const thrown = await collect(await ai.models.generateContentStream({ model, contents: "Hello" })).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ status: 502 });
  });
});
