import { describe, expect, test } from "vitest";

import type { Json } from "../../../sdk/body.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { hubProducer, seal } from "../../../sdk/hub/envelope.ts";
import { record, text } from "../../../sdk/hub/json.ts";
import { encodeHub, fold, geminiTarget, present, reader, readStream } from "./replies.ts";

const user = (content: Json): JsonObject => ({ role: "user", content });
const assistant = (...content: JsonObject[]): JsonObject => ({ role: "assistant", content });
const call = (id: string, input: JsonObject = {}): JsonObject => ({ type: "tool_use", id, name: "look", input });
const result = (id: string, content: Json, more: JsonObject = {}): JsonObject => ({
  type: "tool_result",
  tool_use_id: id,
  content,
  ...more,
});
const look = { name: "look", description: "Looks.", input_schema: { type: "object", properties: { at: { type: "string" } } } };
const hub = (messages: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({ model: "m", max_tokens: 8000, messages, ...more });

function contents(messages: readonly JsonObject[], model = "gemini-3.8-flash", more: JsonObject = {}): Json {
  return encodeHub(hub(messages, { tools: [look], ...more }), geminiTarget({ model })).body["contents"] ?? null;
}

function config(more: JsonObject, model = "gemini-3.8-flash"): JsonObject {
  return record(encodeHub(hub([user("Hello")], more), geminiTarget({ model })).body["generationConfig"]) ?? {};
}

const sentinel = "skip_thought_signature_validator";

describe("contents", () => {
  test("the system stands apart, and what is said between the turns in the user's", () => {
    const { body } = encodeHub(
      hub([user("One"), { role: "system", content: "Be brief." }, assistant({ type: "text", text: "Yes" })], {
        system: [
          { type: "text", text: "x-anthropic-billing-header: cc_version=2" },
          { type: "text", text: "You help." },
        ],
      }),
    );
    expect(body["systemInstruction"]).toEqual({ parts: [{ text: "You help." }] });
    const [first, second] = Array.isArray(body["contents"]) ? body["contents"] : [];
    expect([record(first)?.["role"], record(second)?.["role"]]).toEqual(["user", "model"]);
    expect(JSON.stringify(first)).toContain("Be brief.");
  });

  test("roles alternate and the first is the user's, whatever came", () => {
    const messages = [
      assistant({ type: "text", text: "Hi" }),
      user("a"),
      user("b"),
      assistant(call("c1")),
      assistant({ type: "text", text: "x" }),
    ];
    const roles = present(contents(messages)?.valueOf());
    const found = Array.isArray(roles) ? roles.map((content) => record(content)?.["role"]) : [];
    expect(found.length).toBeGreaterThan(2);
    expect(found).toEqual(found.map((_, index) => (index % 2 === 0 ? "user" : "model")));
  });

  test("each call has one response, in the order of the calls, before all else that the user says", () => {
    const messages = [
      user("Go"),
      assistant(call("a"), call("b"), call("c")),
      user([{ type: "text", text: "Here." }, result("c", "3"), result("a", "1"), result("a", "1 again")]),
    ];
    const list = contents(messages);
    const parts = record(Array.isArray(list) ? list[2] : null)?.["parts"];
    expect(parts).toMatchObject([
      { functionResponse: { id: "a", name: "look", response: { output: "1 again" } } },
      { functionResponse: { id: "b", name: "look", response: { error: expect.any(String) } } },
      { functionResponse: { id: "c", name: "look", response: { output: "3" } } },
      { text: "Here." },
    ]);
  });

  test("a result that is JSON is told as the text it is, so that keys of its own mean nothing", () => {
    const messages = [user("Go"), assistant(call("a")), user([result("a", '{"error":"none"}')])];
    expect(JSON.stringify(contents(messages))).toContain('"response":{"output":"{\\"error\\":\\"none\\"}"}');
  });

  test("an id that was made of another one goes back as the other one", () => {
    const events = readStream(reader(), [
      Buffer.from(
        `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ functionCall: { id: "call:1/2", name: "look" } }] }, finishReason: "STOP" }] })}\n\n`,
      ),
    ]);
    const content = record(fold(events))?.["content"];
    const block = present(record(Array.isArray(content) ? content[0] : null));
    const id = text(block["id"]) ?? "";
    expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
    const list = JSON.stringify(contents([user("Go"), assistant(block), user([result(id, "ok")])]));
    expect(list.match(/"id":"call:1\/2"/g)).toHaveLength(2);
  });

  test("an image of a type that is refused here, and one behind a URL, leave words behind", () => {
    const images = [
      { type: "image", source: { type: "base64", media_type: "image/gif", data: "R0lGODlh" } },
      { type: "image", source: { type: "url", url: "https://example.com/a.webp?x=1" } },
    ];
    const found = encodeHub(hub([user(images)]));
    expect(JSON.stringify(found.body["contents"])).not.toContain("R0lGODlh");
    expect(JSON.stringify(found.body["contents"])).toContain("image/gif was here");
    expect(JSON.stringify(found.body["contents"])).toContain("https://example.com/a.webp?x=1 was here");
    expect(found.notes).toHaveLength(2);
  });

  test("a host that fetches URLs gets them, with a type", () => {
    const parts = [
      { type: "image", source: { type: "url", url: "https://example.com/a.webp?x=1" } },
      { type: "document", source: { type: "url", url: "https://example.com/paper" } },
    ];
    const { body } = encodeHub(hub([user(parts)]), geminiTarget({ quirks: { gemini: { fileUrls: true } } }));
    expect(body["contents"]).toEqual([
      {
        role: "user",
        parts: [
          { fileData: { mimeType: "image/webp", fileUri: "https://example.com/a.webp?x=1" } },
          { fileData: { mimeType: "application/pdf", fileUri: "https://example.com/paper" } },
        ],
      },
    ]);
  });

  test("a model that cannot see is told what was there", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
    const { body } = encodeHub(hub([user([image])]), geminiTarget({ modelFacts: { images: false } }));
    expect(JSON.stringify(body)).not.toContain("iVBORw0KGgo=");
  });
});

describe("signatures", () => {
  const chunk = (...parts: JsonObject[]): string => `data: ${JSON.stringify({ candidates: [{ content: { parts } }] })}\r\n\r\n`;
  const end = `data: ${JSON.stringify({ candidates: [{ finishReason: "STOP" }] })}\r\n\r\n`;
  const told = (...chunks: string[]): JsonObject => {
    const message = record(fold(readStream(reader(), [Buffer.from(chunks.join("") + end)])));
    return { role: "assistant", content: message?.["content"] ?? [] };
  };
  const functionCall = (id: string): JsonObject => ({ id, name: "look", args: {} });

  /** Of the model's turn. */
  function partsAfter(message: JsonObject, results: readonly string[], target = geminiTarget(), withoutThinking = false): Json {
    const messages = [user("Go"), message, user(results.length === 0 ? "And?" : results.map((id) => result(id, "ok")))];
    const { body } = encodeHub(hub(messages, { tools: [look] }), target, { withoutThinking });
    const list = body["contents"];
    return record(Array.isArray(list) ? list[1] : null)?.["parts"] ?? null;
  }

  test.each([
    ["a call", [chunk({ functionCall: functionCall("a"), thoughtSignature: "S1" })], ["a"], undefined],
    [
      "the first of two calls alone",
      [chunk({ functionCall: functionCall("a"), thoughtSignature: "S1" }, { functionCall: functionCall("b") })],
      ["a", "b"],
      undefined,
    ],
    [
      "each of two calls",
      [
        chunk({ functionCall: functionCall("a"), thoughtSignature: "S1" }),
        chunk({ functionCall: functionCall("b"), thoughtSignature: "S2" }),
      ],
      ["a", "b"],
      undefined,
    ],
    ["a text that is signed from its beginning", [chunk({ text: "Hello", thoughtSignature: "S1" })], [], undefined],
    ["the beginning of a text", [chunk({ text: "Hel", thoughtSignature: "S1" }), chunk({ text: "lo" })], [], undefined],
    [
      "a text between its beginning and a call",
      [
        chunk({ text: "Let me " }),
        chunk({ text: "look", thoughtSignature: "S1" }),
        chunk({ functionCall: functionCall("a"), thoughtSignature: "S2" }),
      ],
      ["a"],
      undefined,
    ],
    [
      "an empty part between text and a call",
      [
        chunk({ text: "Let me look" }),
        chunk({ text: "", thoughtSignature: "S1" }),
        chunk({ functionCall: functionCall("a"), thoughtSignature: "S2" }),
      ],
      ["a"],
      undefined,
    ],
    [
      "a thought",
      [chunk({ text: "Hm, ", thought: true }), chunk({ text: "yes.", thought: true, thoughtSignature: "S1" }), chunk({ text: "Yes." })],
      [],
      undefined,
    ],
    [
      "a part of the host's own tools",
      [chunk({ toolCall: { id: "t" }, thoughtSignature: "S1" }), chunk({ functionCall: functionCall("a"), thoughtSignature: "S2" })],
      ["a"],
      undefined,
    ],
  ])("go back on the very part they came with: %s", (_name, chunks, results) => {
    const sent = chunks.flatMap((text) => {
      const parts: JsonObject[] = JSON.parse(text.slice("data: ".length)).candidates[0].content.parts;
      return parts;
    });
    expect(partsAfter(told(...chunks), results)).toEqual(sent);
  });

  test("words of thoughts alone do not go back, and a call after them carries the signature", () => {
    const message = told(chunk({ text: "Hm.", thought: true }), chunk({ functionCall: functionCall("a"), thoughtSignature: "S1" }));
    expect(partsAfter(message, ["a"])).toEqual([{ functionCall: functionCall("a"), thoughtSignature: "S1" }]);
  });

  test("no block stands behind the last text: clients would take it for the answer", () => {
    const message = told(
      chunk({ text: "The answer" }),
      chunk({ text: ".", thoughtSignature: "S1" }),
      chunk({ text: "", thoughtSignature: "S2" }),
    );
    expect(message["content"]).toEqual([{ type: "text", text: "The answer." }]);
  });

  test("are left out where they are another producer's, and a stand-in takes their place", () => {
    const message = told(chunk({ functionCall: functionCall("a"), thoughtSignature: "S1" }, { functionCall: functionCall("b") }));
    const elsewhere = geminiTarget({ producer: "vertex_ai https://aiplatform.googleapis.com" });
    expect(partsAfter(message, ["a", "b"], elsewhere)).toEqual([
      { functionCall: functionCall("a"), thoughtSignature: sentinel },
      { functionCall: functionCall("b") },
    ]);
  });

  test("a producer that refused its own signatures gets none of them", () => {
    const message = told(
      chunk({ text: "Hello ", thoughtSignature: "S0" }),
      chunk({ functionCall: functionCall("a"), thoughtSignature: "S1" }),
    );
    const parts = partsAfter(message, ["a"], geminiTarget(), true);
    expect(parts).toEqual([{ text: "Hello " }, { functionCall: functionCall("a"), thoughtSignature: sentinel }]);
  });

  test("each step that lacks one gets a stand-in, in earlier turns too, so that a turn reads the same in all later requests", () => {
    const messages = [
      user("Go"),
      assistant(call("a"), call("b")),
      user([result("a", "1"), result("b", "2")]),
      assistant(call("c")),
      user([result("c", "3")]),
    ];
    const grown = [
      ...messages,
      assistant({ type: "text", text: "Done." }),
      user("Thanks. Again."),
      assistant(call("d")),
      user([result("d", "4")]),
    ];
    const short = contents(messages);
    const long = contents(grown);
    expect(Array.isArray(long) && Array.isArray(short) && long.slice(0, short.length)).toEqual(short);
    expect(JSON.stringify(long).match(new RegExp(sentinel, "g"))).toHaveLength(3);
  });

  test("models before Gemini 3 need no stand-in", () => {
    expect(JSON.stringify(contents([user("Go"), assistant(call("a")), user([result("a", "1")])], "gemini-2.5-pro"))).not.toContain(
      sentinel,
    );
  });

  test.each([
    ["of a vendor", "EqQBCkYIBxgCKkA"],
    ["of the hub", seal({ producer: hubProducer, payload: [] })],
    [
      "of this producer, in a form of another version",
      seal({ producer: geminiTarget().producer, payload: { place: "elsewhere", signature: "S" } }),
    ],
    [
      "of this producer, with a length that cannot be",
      seal({ producer: geminiTarget().producer, payload: { place: "text", signature: "S", length: -1 } }),
    ],
  ])("no thinking goes out as a signature: one %s", (_name, signature) => {
    const parts = partsAfter(assistant({ type: "thinking", thinking: "secret", signature }, { type: "text", text: "Hi" }), []);
    expect(parts).toEqual([{ text: "Hi" }]);
  });

  test("a text that a hook made shorter keeps its signature beside it", () => {
    const message = told(chunk({ text: "Hello there", thoughtSignature: "S1" }));
    const edited = JSON.parse(JSON.stringify(message).replace("Hello there", "Hello"));
    expect(partsAfter(edited, [])).toEqual([{ text: "Hello" }, { text: "", thoughtSignature: "S1" }]);
  });
});

describe("tools", () => {
  const tools = (more: JsonObject, target = geminiTarget()): JsonObject => encodeHub(hub([user("Hello")], more), target).body;

  test("names that are too long or hold other characters come back as they were", () => {
    const name = `mcp__${"server".repeat(12)}__do.it`;
    const encoded = encodeHub(hub([user("Hello")], { tools: [{ ...look, name }] }));
    const found = /"name":"([^"]+)"/.exec(JSON.stringify(encoded.body["tools"]))?.[1] ?? "";
    expect(found).toMatch(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/);
    const reply = { candidates: [{ content: { parts: [{ functionCall: { name: found, args: {} } }] }, finishReason: "STOP" }] };
    expect(JSON.stringify(encoded.reader.whole(reply))).toContain(JSON.stringify(name));
  });

  test("a schema is lowered, and never sent in both fields", () => {
    const schema = {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { n: { type: "integer", exclusiveMinimum: 0 } },
      additionalProperties: false,
    };
    const json = JSON.stringify(tools({ tools: [{ name: "f", input_schema: schema }] })["tools"]);
    expect(json).toContain('"parametersJsonSchema"');
    expect(json).not.toContain("$schema");
    expect(json).not.toContain('"parameters"');
    const old = JSON.stringify(
      tools({ tools: [{ name: "f", input_schema: schema }] }, geminiTarget({ model: "gemini-2.0-flash" }))["tools"],
    );
    expect(old).toContain('"parameters"');
    expect(old).not.toContain("additionalProperties");
  });

  test("a function without parameters has no schema", () => {
    const bare = { name: "f", input_schema: { type: "object", properties: {}, additionalProperties: false, $schema: "x" } };
    expect(tools({ tools: [bare] })["tools"]).toEqual([{ functionDeclarations: [{ name: "f" }] }]);
  });

  test.each([
    [{ type: "auto" }, { functionCallingConfig: { mode: "AUTO" } }],
    [{ type: "any" }, { functionCallingConfig: { mode: "ANY" } }],
    [{ type: "none" }, { functionCallingConfig: { mode: "NONE" } }],
    [{ type: "tool", name: "look" }, { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["look"] } }],
  ])("the choice %j", (tool_choice, expected) => {
    expect(tools({ tools: [look], tool_choice })["toolConfig"]).toEqual(expected);
  });

  test("there is no choice where there is no function, and nothing to forbid", () => {
    const encoded = encodeHub(hub([user("Hello")], { tool_choice: { type: "auto", disable_parallel_tool_use: true }, tools: [] }));
    expect(encoded.body).not.toHaveProperty("toolConfig");
    expect(encoded.notes.join()).not.toContain("parallel");
    const several = { tool_choice: { type: "auto", disable_parallel_tool_use: true }, tools: [look] };
    expect(encodeHub(hub([user("Hello")], several)).notes.join()).toContain("parallel");
  });

  const search = { type: "web_search_20250305", name: "web_search", max_uses: 8, blocked_domains: ["a.example"] };

  test("a search alone is the vendor's own", () => {
    expect(tools({ tools: [search] })["tools"]).toEqual([{ googleSearch: {} }]);
    const excluding = geminiTarget({ quirks: { gemini: { excludeDomains: true } } });
    expect(tools({ tools: [search] }, excluding)["tools"]).toEqual([{ googleSearch: { excludeDomains: ["a.example"] } }]);
  });

  test("a search beside functions is left out, unless host and model take both", () => {
    expect(JSON.stringify(tools({ tools: [look, search] }))).not.toContain("googleSearch");
    const mixing = { quirks: { gemini: { mixedTools: true } } };
    expect(tools({ tools: [look, search] }, geminiTarget(mixing))["toolConfig"]).toEqual({ includeServerSideToolInvocations: true });
    expect(JSON.stringify(tools({ tools: [look, search] }, geminiTarget({ ...mixing, model: "gemini-2.5-pro" })))).not.toContain(
      "googleSearch",
    );
  });
});

describe("configuration", () => {
  const thinking = (effort: string): JsonObject => ({ thinking: { type: "adaptive" }, output_config: { effort } });

  test.each([
    ["gemini-4-argon", "low", { thinkingLevel: "LOW", includeThoughts: true }],
    ["gemini-4-argon", "max", { thinkingLevel: "HIGH", includeThoughts: true }],
    ["gemini-4-argon", "none", { thinkingLevel: "LOW" }],
    ["gemini-3.8-flash", "medium", { thinkingLevel: "MEDIUM", includeThoughts: true }],
    ["gemini-3.8-flash", "none", { thinkingLevel: "LOW" }],
    ["gemini-3-flash-preview", "none", { thinkingLevel: "MINIMAL" }],
    ["gemini-3-flash-preview", "minimal", { thinkingLevel: "MINIMAL", includeThoughts: true }],
    ["gemini-3-pro-preview", "medium", { thinkingLevel: "HIGH", includeThoughts: true }],
    ["gemini-3.1-pro-preview", "medium", { thinkingLevel: "MEDIUM", includeThoughts: true }],
    ["gemini-flash-latest", "high", { thinkingLevel: "HIGH", includeThoughts: true }],
    ["gemini-2.5-pro", "none", { thinkingBudget: 128 }],
    ["gemini-2.5-pro", "low", { thinkingBudget: 1024, includeThoughts: true }],
    ["gemini-2.5-flash", "none", { thinkingBudget: 0 }],
    ["gemini-2.5-flash-lite", "medium", { thinkingBudget: 6976, includeThoughts: true }],
    ["publishers/google/models/gemini-2.5-flash", "medium", { thinkingBudget: 6976, includeThoughts: true }],
  ])("thinking of %s at effort %s", (model, effort, expected) => {
    const asked = effort === "none" ? { thinking: { type: "disabled" } } : thinking(effort);
    expect(config(asked, model)["thinkingConfig"]).toEqual(expected);
  });

  test("a budget that the client named is kept within what the model takes", () => {
    const budget = (budget_tokens: number): JsonObject => ({ thinking: { type: "enabled", budget_tokens }, max_tokens: 60_000 });
    expect(config(budget(5000), "gemini-2.5-flash")["thinkingConfig"]).toEqual({ thinkingBudget: 5000, includeThoughts: true });
    expect(config(budget(50_000), "gemini-2.5-flash")["thinkingConfig"]).toEqual({ thinkingBudget: 24_576, includeThoughts: true });
    expect(config(budget(5000))["thinkingConfig"]).toEqual({ thinkingLevel: "MEDIUM", includeThoughts: true });
  });

  test("nothing is said of thinking where the client said nothing, or the model has none", () => {
    expect(config({})).not.toHaveProperty("thinkingConfig");
    expect(config(thinking("high"), "gemini-2.0-flash")).not.toHaveProperty("thinkingConfig");
    expect(config(thinking("high"), "gemma-3-27b-it")).not.toHaveProperty("thinkingConfig");
  });

  test("at most five stop sequences, and no sampling where the model has its own", () => {
    const asked = { stop_sequences: ["1", "2", "3", "4", "5", "6"], temperature: 0.5, top_p: 0.9, top_k: 40 };
    expect(config(asked)).toMatchObject({ stopSequences: ["1", "2", "3", "4", "5"], temperature: 0.5, topP: 0.9, topK: 40 });
    expect(Object.keys(config(asked, "gemini-4-argon"))).toEqual(["maxOutputTokens", "stopSequences"]);
  });

  test("the form of the answer, or words that ask for it where functions stand beside it", () => {
    const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: false };
    const asked = { output_config: { format: { type: "json_schema", schema } } };
    expect(config(asked)).toMatchObject({
      responseMimeType: "application/json",
      responseJsonSchema: { properties: { a: { type: "string" } } },
    });
    expect(config(asked, "gemini-2.0-flash")).toHaveProperty("responseSchema");
    const { body } = encodeHub(hub([user("Hello")], { ...asked, tools: [look] }), geminiTarget({ model: "gemini-2.5-pro" }));
    expect(body["generationConfig"]).not.toHaveProperty("responseMimeType");
    expect(JSON.stringify(body["systemInstruction"])).toContain("JSON");
  });

  test("what the vendor has no use for is not sent", () => {
    const { body } = encodeHub(hub([user("Hello")], { metadata: { user_id: "u" }, context_management: {}, safeguards: {} }));
    expect(Object.keys(body)).toEqual(["contents", "generationConfig"]);
  });
});
