import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { pack } from "../../../plugins/gemini/client-state.ts";
import { decode, hello, received, translation } from "./received.ts";
import { ingress } from "./replies.ts";

const user = (...parts: JsonObject[]): JsonObject => ({ role: "user", parts });
const model = (...parts: JsonObject[]): JsonObject => ({ role: "model", parts });
const call = (name: string, id?: string): JsonObject => ({ functionCall: { name, args: { n: 1 }, ...(id === undefined ? {} : { id }) } });
const response = (name: string, output: string, id?: string): JsonObject => ({
  functionResponse: { name, response: { output }, ...(id === undefined ? {} : { id }) },
});
const messages = (...contents: JsonObject[]): unknown => decode({ contents }).request["messages"];

function problem(body: JsonObject): string {
  try {
    decode(body);
  } catch (error) {
    if (error instanceof ProxyError && error.status === 400) return error.message;
    throw error;
  }
  return "none";
}

describe("addresses", () => {
  const head = (path: string): unknown => translation.head(received(hello, { path }));

  test.each([
    ["/v1beta/models/gemini-3.8-flash:generateContent", "gemini-3.8-flash", false],
    ["/v1/models/gemini-3.8-flash:streamGenerateContent", "gemini-3.8-flash", true],
    ["/v1alpha/models/m:generateContent", "m", false],
    ["/models/group%2Fclaude-opus-5-5:streamGenerateContent", "group/claude-opus-5-5", true],
    ["/v1beta/models/openrouter/anthropic/claude:free:generateContent", "openrouter/anthropic/claude:free", false],
    ["/v1beta/models/100%25:generateContent", "100%", false],
    ["/v1beta/models/50%:generateContent", "50%", false],
    ["/v1beta/models/m%3AcountTokens", "m", false],
  ])("%s asks for %s", (path, name, stream) => {
    expect(head(path)).toEqual({ model: name, stream, session: undefined });
    const route = ingress.routes.find(({ path: pattern }) => pattern instanceof RegExp && pattern.test(path));
    expect(route?.operation).toBe(path.endsWith("countTokens") ? "count_tokens" : "generate");
  });

  test.each(["/v1beta/models", "/v1beta/models/m", "/v1/messages", "/v1beta/models/m:embedContent", "/v2/models/m:generateContent"])(
    "%s is no address of this wire",
    (path) => {
      expect(ingress.routes.some(({ path: pattern }) => pattern instanceof RegExp && pattern.test(path))).toBe(false);
    },
  );
});

describe("contents", () => {
  test("a request in either spelling is the same", () => {
    const camel = {
      contents: [user({ inlineData: { mimeType: "image/png", data: "aWc=" } })],
      systemInstruction: { parts: [{ text: "Be brief." }] },
      generationConfig: {
        maxOutputTokens: 10,
        stopSequences: ["x"],
        topP: 0.5,
        thinkingConfig: { thinkingLevel: "LOW", includeThoughts: true },
      },
      tools: [{ functionDeclarations: [{ name: "f", parametersJsonSchema: { type: "object", properties: {} } }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } },
    };
    const snake = {
      contents: [user({ inline_data: { mime_type: "image/png", data: "aWc=" } })],
      system_instruction: { parts: [{ text: "Be brief." }] },
      generation_config: {
        max_output_tokens: 10,
        stop_sequences: ["x"],
        top_p: 0.5,
        thinking_config: { thinking_level: "LOW", include_thoughts: true },
      },
      tools: [{ function_declarations: [{ name: "f", parameters_json_schema: { type: "object", properties: {} } }] }],
      tool_config: { function_calling_config: { mode: "ANY", allowed_function_names: ["f"] } },
    };
    expect(decode(snake)).toEqual(decode(camel));
    expect(decode(camel)).toEqual({
      request: {
        model: "claude-opus-5-5",
        max_tokens: 10,
        stop_sequences: ["x"],
        top_p: 0.5,
        thinking: { type: "adaptive", display: "summarized" },
        output_config: { effort: "low" },
        system: [{ type: "text", text: "Be brief." }],
        messages: [{ role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "aWc=" } }] }],
        tools: [{ name: "f", input_schema: { type: "object", properties: {} } }],
        tool_choice: { type: "tool", name: "f" },
        stream: false,
      },
      notes: [],
    });
  });

  test("a single content and a single part stand for lists of one", () => {
    expect(decode({ contents: { parts: { text: "Hello" } } }).request["messages"]).toEqual([
      { role: "user", content: [{ type: "text", text: "Hello" }] },
    ]);
  });

  test("responses find their calls by id, whatever their order, and stand first", () => {
    const found = messages(
      user({ text: "Go" }),
      model({ text: "I will " }, { text: "look." }, call("a", "x"), call("a", "y")),
      user({ text: "Here." }, response("a", "2", "y"), response("a", "1", "x")),
    );
    expect(found).toEqual([
      { role: "user", content: [{ type: "text", text: "Go" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "I will look." },
          { type: "tool_use", id: "x", name: "a", input: { n: 1 } },
          { type: "tool_use", id: "y", name: "a", input: { n: 1 } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "y", content: [{ type: "text", text: "2" }] },
          { type: "tool_result", tool_use_id: "x", content: [{ type: "text", text: "1" }] },
          { type: "text", text: "Here." },
        ],
      },
    ]);
  });

  test("without ids by name and order, and in the role that earlier versions had", () => {
    const found = JSON.stringify(
      messages(user({ text: "Go" }), model(call("a"), call("b"), call("a")), {
        role: "function",
        parts: [response("b", "B"), response("a", "A1"), response("a", "A2")],
      }),
    );
    const ids = Array.from(found.matchAll(/"type":"tool_use","id":"([^"]+)"/g), ([, id]) => id);
    const results = Array.from(found.matchAll(/"tool_use_id":"([^"]+)","content":\[\{"type":"text","text":"(\w+)"/g), ([, id, words]) => [
      words,
      id,
    ]);
    expect(new Set(ids).size).toBe(3);
    expect(results).toEqual([
      ["B", ids[1]],
      ["A1", ids[0]],
      ["A2", ids[2]],
    ]);
  });

  test("an id that is used again in a later turn is made another one", () => {
    const found = JSON.stringify(
      messages(
        user({ text: "Go" }),
        model(call("a", "1")),
        user(response("a", "A", "1")),
        model(call("a", "1")),
        user(response("a", "B", "1")),
      ),
    );
    const ids = Array.from(found.matchAll(/"type":"tool_use","id":"([^"]+)"/g), ([, id]) => id);
    const results = Array.from(found.matchAll(/"tool_use_id":"([^"]+)"/g), ([, id]) => id);
    expect(new Set(ids).size).toBe(2);
    expect(results).toEqual(ids);
  });

  test("a turn reads the same whatever follows it", () => {
    const turns = [
      user({ text: "Go" }),
      model(call("a"), call("b")),
      user(response("a", "A"), response("b", "B")),
      model({ text: "Done" }),
      user({ text: "More" }),
    ];
    const long = messages(...turns, model(call("a")), user(response("a", "C")));
    expect(Array.isArray(long) && long.slice(0, turns.length)).toEqual(messages(...turns));
  });

  test.each([
    [{ output: "fine" }, [{ type: "text", text: "fine" }], undefined],
    [{ result: "fine" }, [{ type: "text", text: "fine" }], undefined],
    [{ output: { a: 1 } }, [{ type: "text", text: '{"a":1}' }], undefined],
    [{ error: "broken" }, [{ type: "text", text: "broken" }], true],
    [{ temperature: 20 }, [{ type: "text", text: '{"temperature":20}' }], undefined],
    [{ output: "a", error: "b" }, [{ type: "text", text: '{"output":"a","error":"b"}' }], undefined],
    [{}, [], undefined],
  ])("the response %j", (outcome, content, isError) => {
    const parts = { functionResponse: { name: "a", response: outcome } };
    const found = messages(user({ text: "Go" }), model(call("a", "x")), user(parts));
    const result = { type: "tool_result", tool_use_id: "x", content, ...(isError === undefined ? {} : { is_error: isError }) };
    expect(Array.isArray(found) && found[2]).toEqual({ role: "user", content: [result] });
  });

  test("media of a response stand in its result", () => {
    const parts = {
      functionResponse: { name: "a", response: { output: "see" }, parts: [{ inlineData: { mimeType: "image/png", data: "a-_w" } }] },
    };
    const found = messages(user({ text: "Go" }), model(call("a", "x")), user(parts));
    expect(JSON.stringify(found)).toContain(
      '{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"a+/w"}}',
    );
  });

  test.each([
    [
      { inlineData: { mimeType: "application/pdf", data: "JVBE" } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" } },
    ],
    [{ inlineData: { mimeType: "text/csv", data: Buffer.from("ä,b").toString("base64") } }, { type: "text", text: "ä,b" }],
    [
      { fileData: { mimeType: "image/png", fileUri: "https://example.com/a.png" } },
      { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
    ],
    [{ executableCode: { language: "PYTHON", code: "1+1" } }, { type: "text", text: "```python\n1+1\n```" }],
  ])("the part %j", (part, block) => {
    expect(messages(user(part))).toEqual([{ role: "user", content: [block] }]);
  });

  test.each([
    { inlineData: { mimeType: "audio/wav", data: "UklG" } },
    { fileData: { mimeType: "video/mp4", fileUri: "https://www.youtube.com/watch?v=1" } },
    { fileData: { mimeType: "image/png", fileUri: "gs://bucket/a.png" } },
    { fileData: { mimeType: "image/png", fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc" } },
  ])("what the hub cannot read leaves words behind: %j", (part) => {
    const { request, notes } = decode({ contents: [user(part)] });
    expect(JSON.stringify(request["messages"])).toContain("could not be passed on");
    expect(notes).toHaveLength(1);
  });

  test("what only the vendor knows is left out with a note, and a conversation that begins with the model is led in", () => {
    const body = {
      contents: [model({ text: "Hi" }, { hologram: {} }), user({ text: "Hello", videoMetadata: {} })],
      safetySettings: [],
      labels: {},
      store: true,
    };
    const { request, notes } = decode(body);
    expect(request["messages"]).toMatchObject([
      { role: "user" },
      { role: "assistant", content: [{ type: "text", text: "Hi" }] },
      { role: "user" },
    ]);
    expect(notes).toHaveLength(2);
  });
});

describe("thinking", () => {
  const genuine = { type: "thinking", thinking: "Hm.", signature: "EqQBCkYIBxgCKkA=" };
  const redacted = { type: "redacted_thinking", data: "abc" };

  test("blocks that were packed come back whole, before the part that carried them", () => {
    const signature = pack([genuine, redacted]);
    const found = messages(
      user({ text: "Go" }),
      model(
        { text: "Hm.", thought: true },
        { text: "I'll look. ", thoughtSignature: signature },
        { text: "Now." },
        { ...call("a", "x"), thoughtSignature: pack([genuine]) },
      ),
      user(response("a", "1", "x")),
    );
    expect(Array.isArray(found) && found[1]).toEqual({
      role: "assistant",
      content: [
        genuine,
        redacted,
        { type: "text", text: "I'll look. Now." },
        genuine,
        { type: "tool_use", id: "x", name: "a", input: { n: 1 } },
      ],
    });
  });

  test("a client that writes base64 in the alphabet for URLs loses nothing", () => {
    const block = { ...genuine, thinking: "???>>>~~~ÿÿÿ" };
    const signature = pack([block]).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    expect(
      JSON.stringify(messages(user({ text: "Go" }), model({ text: "Hi", thoughtSignature: signature }), user({ text: "?" }))),
    ).toContain(JSON.stringify(block));
  });

  test.each([
    "Q29ycnVwdGVk",
    "skip_thought_signature_validator",
    pack([genuine]).slice(0, 40),
    Buffer.from("Zccproxy.W10").toString("base64"),
  ])("a signature of another maker is left out: %s", (thoughtSignature) => {
    const found = JSON.stringify(messages(user({ text: "Go" }), model({ text: "Hi", thoughtSignature }), user({ text: "?" })));
    expect(found).not.toContain("thinking");
    expect(found).not.toContain(thoughtSignature);
  });

  test.each([
    [{ thinkingBudget: 0 }, { thinking: { type: "disabled" } }],
    [{ thinkingBudget: -1 }, { thinking: { type: "adaptive", display: "omitted" } }],
    [{ thinkingBudget: 1024 }, { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "low" } }],
    [{ thinkingBudget: 32_768 }, { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "high" } }],
    [{ thinkingLevel: "minimal" }, { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "low" } }],
    [
      { thinkingLevel: "HIGH", includeThoughts: true },
      { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "high" } },
    ],
  ])("the configuration %j", (thinkingConfig, expected) => {
    const { thinking, output_config } = decode({ ...hello, generationConfig: { thinkingConfig } }).request;
    expect({ thinking, ...(output_config === undefined ? {} : { output_config }) }).toEqual(expected);
  });
});

describe("tools and forms", () => {
  test("a schema of OpenAPI becomes one of JSON Schema", () => {
    const parameters = {
      type: "OBJECT",
      properties: {
        type: { type: "STRING", format: "enum", enum: ["a", "b"], nullable: true },
        list: { type: "ARRAY", items: { type: "INTEGER", format: "int32" }, minItems: "1", max_items: "9" },
        either: { any_of: [{ type: "NUMBER" }, { type: "BOOLEAN" }], nullable: true },
      },
      required: ["list"],
      propertyOrdering: ["list", "type"],
    };
    const { request } = decode({ ...hello, tools: [{ functionDeclarations: [{ name: "f", description: "F", parameters }] }] });
    expect(request["tools"]).toEqual([
      {
        name: "f",
        description: "F",
        input_schema: {
          type: "object",
          properties: {
            type: { type: ["string", "null"], enum: ["a", "b", null] },
            list: { type: "array", items: { type: "integer", format: "int32" }, minItems: 1, maxItems: 9 },
            either: { anyOf: [{ anyOf: [{ type: "number" }, { type: "boolean" }] }, { type: "null" }] },
          },
          required: ["list"],
        },
      },
    ]);
  });

  test("a search is the hub's, and tools of the vendor alone are left out", () => {
    const { request, notes } = decode({
      ...hello,
      tools: [{ googleSearch: { excludeDomains: ["a.example"] } }, { codeExecution: {} }, { google_search_retrieval: {} }],
    });
    expect(request["tools"]).toEqual([{ type: "web_search_20250305", name: "web_search", blocked_domains: ["a.example"] }]);
    expect(notes).toHaveLength(1);
  });

  test("a name that the hub does not take has the same alias in declarations, calls and choices", () => {
    const body = {
      contents: [user({ text: "Go" }), model(call("files.read:v1", "x")), user(response("files.read:v1", "1", "x"))],
      tools: [{ functionDeclarations: [{ name: "files.read:v1" }] }],
      toolConfig: { functionCallingConfig: { mode: "any", allowedFunctionNames: ["files.read:v1"] } },
    };
    const names = Array.from(JSON.stringify(decode(body).request).matchAll(/"name":"([^"]+)"/g), ([, name]) => name);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toMatch(/^[a-zA-Z0-9_-]+$/);
  });

  test.each([
    ["AUTO", { type: "auto" }],
    ["VALIDATED", { type: "auto" }],
    ["ANY", { type: "any" }],
    ["NONE", { type: "none" }],
    ["MODE_UNSPECIFIED", undefined],
  ])("the mode %s", (mode, expected) => {
    const tools = [{ functionDeclarations: [{ name: "f" }] }];
    expect(decode({ ...hello, tools, toolConfig: { functionCallingConfig: { mode } } }).request["tool_choice"]).toEqual(expected);
  });

  test("the form of the answer, or words for it", () => {
    const form = { responseMimeType: "application/json", responseSchema: { type: "OBJECT", properties: { a: { type: "STRING" } } } };
    expect(decode({ ...hello, generationConfig: form }).request["output_config"]).toEqual({
      format: { type: "json_schema", schema: { type: "object", properties: { a: { type: "string" } } } },
    });
    const { request } = decode({ ...hello, generationConfig: { responseMimeType: "application/json" } });
    expect(JSON.stringify(request["system"])).toContain("JSON");
  });

  test("who names no limit gets one: the hub wants it", () => {
    expect(decode(hello).request["max_tokens"]).toBe(32_000);
    expect(decode({ ...hello, generationConfig: { maxOutputTokens: 0 } }).request["max_tokens"]).toBe(32_000);
  });

  test("sampling is kept within what the hub takes, and the rest is left out with a note", () => {
    const { request, notes } = decode({ ...hello, generationConfig: { temperature: 1.6, topK: 39.6, seed: 1, candidateCount: 2 } });
    expect([request["temperature"], request["top_k"]]).toEqual([1, 40]);
    expect(notes).toHaveLength(2);
  });
});

describe("what is no request", () => {
  test.each([
    [{}, "contents: found nothing, wanted a list"],
    [{ contents: [] }, "contents: found a list, wanted a list of contents, with one at least"],
    [{ contents: ["Hello"] }, 'contents.0: found "Hello", wanted an object'],
    [{ contents: [{ role: "system", parts: [{ text: "x" }] }] }, 'contents.0.role: found "system", wanted "user" or "model"'],
    [{ contents: [{ role: "user", parts: "Hello" }] }, 'contents.0.parts: found "Hello", wanted a list of parts'],
    [{ contents: [user({ text: "a" }), { role: "model", parts: [null] }] }, "contents.1.parts.0: found null, wanted an object"],
    [{ contents: [user({ text: "" })] }, "contents: found no part that says anything, wanted one"],
    [{ contents: [user(response("a", "1"))] }, "contents.0.parts.0.functionResponse: found no call"],
    [
      { ...hello, tools: [{ functionDeclarations: [{ description: "x" }] }] },
      "tools.0.functionDeclarations.0.name: found nothing, wanted a name",
    ],
    [{ ...hello, cachedContent: "cachedContents/x" }, "cachedContent: found the name of a cache"],
  ])("%j", (body, words) => {
    expect(problem(body)).toContain(words);
  });
});

test("a request to be counted may stand inside another one", () => {
  const path = "/v1beta/models/m:countTokens";
  const { request } = decode(
    { generateContentRequest: { ...hello, model: "models/m", systemInstruction: { parts: [{ text: "S" }] } } },
    { path, operation: "count_tokens" },
  );
  expect(request).toMatchObject({ model: "m", system: [{ text: "S" }], messages: [{ role: "user" }] });
});
