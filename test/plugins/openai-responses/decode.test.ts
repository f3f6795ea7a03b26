import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ProxyError } from "../../../sdk/errors.ts";
import type { JsonObject } from "../../../sdk/events.ts";
import { hubProducer, seal } from "../../../sdk/hub/envelope.ts";
import { blocksOf, hubReply, textOf } from "./hub-replies.ts";
import { type Loose, collectNotes, decoded, ingress, received, replyOptions, translation } from "./targets.ts";

const user = (text: string): JsonObject => ({ type: "message", role: "user", content: [{ type: "input_text", text }] });
const call = (call_id: string, others: JsonObject = {}): JsonObject => ({
  type: "function_call",
  call_id,
  name: "Bash",
  arguments: "{}",
  ...others,
});
const output = (call_id: string, said: JsonObject["output"] = "ok"): JsonObject => ({
  type: "function_call_output",
  call_id,
  output: said!,
});
const use = (id: string, name = "Bash", input: JsonObject = {}): JsonObject => ({ type: "tool_use", id, name, input });
const result = (tool_use_id: string, content: JsonObject["content"] = "ok"): JsonObject => ({
  type: "tool_result",
  tool_use_id,
  content: content!,
});

function notesOf(body: JsonObject): readonly string[] {
  const { note, notes } = collectNotes();
  decoded(body, note);
  return notes.map(({ what }) => what);
}

function messages(input: JsonObject["input"]): Loose {
  return decoded({ input: input! }).messages;
}

function refusal(body: JsonObject): ProxyError {
  try {
    decoded(body);
  } catch (error) {
    if (error instanceof ProxyError) return error;
  }
  throw new Error("it was not refused");
}

describe("the input", () => {
  test("may be a text, short items, or long ones", () => {
    const said = [{ role: "user", content: [{ type: "text", text: "Hi" }] }];
    expect(decoded({ input: "Hi" }).messages).toEqual(said);
    expect(decoded({ input: [{ role: "user", content: "Hi" }] }).messages).toEqual(said);
    expect(decoded({ input: [user("Hi")] }).messages).toEqual(said);
  });

  test("has what the system says in front; later on, in the hub's own role or in the user's turn", () => {
    const developer = (text: string): JsonObject => ({ type: "message", role: "developer", content: [{ type: "input_text", text }] });
    const body = decoded({
      instructions: "One.",
      input: [developer("Two."), user("Hi"), developer("Now."), { role: "assistant", content: "Yes?" }, developer("Then."), user("Go")],
    });
    expect(body.system).toEqual([
      { type: "text", text: "One." },
      { type: "text", text: "Two." },
    ]);
    expect(body.messages).toEqual([
      { role: "user", content: [{ type: "text", text: "Hi" }] },
      { role: "system", content: [{ type: "text", text: "Now." }] },
      { role: "assistant", content: [{ type: "text", text: "Yes?" }] },
      {
        role: "user",
        content: [
          { type: "text", text: "<system-reminder>\nThen.\n</system-reminder>" },
          { type: "text", text: "Go" },
        ],
      },
    ]);
  });

  test("has what the system says between two of the user's messages in the user's turn", () => {
    expect(messages([user("Hi"), { role: "developer", content: "Now." }, user("Go")])).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "Hi" },
          { type: "text", text: "<system-reminder>\nNow.\n</system-reminder>" },
          { type: "text", text: "Go" },
        ],
      },
    ]);
  });

  test("of the system alone is said by the user", () => {
    expect(decoded({ input: [{ role: "developer", content: "Hi" }] })).toMatchObject({
      messages: [{ role: "user", content: [{ text: "Hi" }] }],
    });
  });

  test("has calls and their results in the order that the hub wants", () => {
    expect(
      messages([
        user("Go"),
        call("call_1"),
        call("call_2"),
        { role: "developer", content: "Hurry." },
        output("call_2", "b"),
        output("call_1", "a"),
        user("On"),
      ]),
    ).toEqual([
      { role: "user", content: [{ type: "text", text: "Go" }] },
      { role: "assistant", content: [use("call_1"), use("call_2")] },
      {
        role: "user",
        content: [
          result("call_1", "a"),
          result("call_2", "b"),
          { type: "text", text: "<system-reminder>\nHurry.\n</system-reminder>" },
          { type: "text", text: "On" },
        ],
      },
    ]);
  });

  test("gives calls without a result one, keeps results without a call as text, and the last of several", () => {
    expect(messages([user("Go"), call("call_1"), user("Stop")])).toMatchObject([
      {},
      {},
      {
        content: [
          { type: "tool_result", tool_use_id: "call_1", is_error: true },
          { type: "text", text: "Stop" },
        ],
      },
    ]);
    expect(messages([user("Go"), call("call_1")]).at(-1)).toMatchObject({ role: "user", content: [{ tool_use_id: "call_1" }] });
    expect(messages([user("Go"), output("call_9", "late")])).toMatchObject([
      { content: [{ text: "[Result of an earlier tool call:]" }, { text: "late" }, { text: "Go" }] },
    ]);
    expect(messages([user("Go"), call("call_1"), output("call_1", "a"), output("call_1", "b")])[2].content).toEqual([
      result("call_1", "b"),
    ]);
  });

  test("has calls of every kind that a client carries out", () => {
    const history = messages([
      user("Go"),
      call("call_1", { namespace: "mcp__files", name: "read", arguments: '{"path":"/x"}' }),
      output("call_1", [
        { type: "input_text", text: "text" },
        { type: "input_image", image_url: "data:image/png;base64,AAAA" },
      ]),
      { type: "custom_tool_call", call_id: "call_2", name: "apply_patch", input: "*** Begin" },
      { type: "custom_tool_call_output", call_id: "call_2", output: "done" },
      { type: "local_shell_call", id: "lsh_1", call_id: "call_3", action: { type: "exec", command: ["ls"], env: {} }, status: "completed" },
      { type: "local_shell_call_output", id: "call_3", output: "a.txt" },
      { type: "tool_search_call", call_id: "call_4", execution: "client", arguments: { query: "mail" } },
      {
        type: "tool_search_output",
        call_id: "call_4",
        tools: [{ type: "namespace", name: "mail", tools: [{ type: "function", name: "send", parameters: null }] }],
      },
      { type: "shell_call", call_id: "call_5", action: { commands: ["ls"] } },
      { type: "shell_call_output", call_id: "call_5", output: [{ stdout: "a.txt", stderr: "", outcome: { type: "exit", exit_code: 0 } }] },
    ]);
    expect(history).toEqual([
      { role: "user", content: [{ type: "text", text: "Go" }] },
      { role: "assistant", content: [use("call_1", "mcp__files__read", { path: "/x" })] },
      {
        role: "user",
        content: [
          result("call_1", [
            { type: "text", text: "text" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
          ]),
        ],
      },
      { role: "assistant", content: [use("call_2", "apply_patch", { input: "*** Begin" })] },
      { role: "user", content: [result("call_2", "done")] },
      { role: "assistant", content: [use("call_3", "local_shell", { type: "exec", command: ["ls"], env: {} })] },
      { role: "user", content: [result("call_3", "a.txt")] },
      { role: "assistant", content: [use("call_4", "tool_search", { query: "mail" })] },
      { role: "user", content: [result("call_4", "The tool mail__send can be called from now on.")] },
      { role: "assistant", content: [use("call_5", "shell", { commands: ["ls"] })] },
      { role: "user", content: [result("call_5", '[{"stdout":"a.txt","stderr":"","outcome":{"type":"exit","exit_code":0}}]')] },
    ]);
  });

  test("takes arguments that are no JSON object for none", () => {
    for (const wrong of ["", "{", "[1]", "null"])
      expect(messages([user("Go"), call("call_1", { arguments: wrong })])[1].content).toEqual([use("call_1")]);
    expect(notesOf({ input: [user("Go"), call("call_1", { arguments: "{" })] })).toContain(
      "arguments of a call were left out that are no JSON object",
    );
  });

  test("has thinking that was packed here, and none of anyone else", () => {
    const block = { type: "thinking", thinking: "hm", signature: "EqQBCgIYAhIM" };
    const packed = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: seal({ producer: hubProducer, payload: block }) };
    const genuine = { type: "reasoning", id: "rs_2", summary: [{ type: "summary_text", text: "hm" }], encrypted_content: "gAAAA" };
    expect(messages([user("Go"), packed, call("call_1"), output("call_1")])[1].content).toEqual([block, use("call_1")]);
    expect(messages([user("Go"), genuine, call("call_1"), output("call_1")])[1].content).toEqual([use("call_1")]);
    expect(notesOf({ input: [user("Go"), genuine] })).toEqual(["reasoning was left out that was not made here"]);
  });

  test("has files of each kind", () => {
    const parts = [
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBE" },
      { type: "input_file", file_url: "https://example.com/a.pdf" },
      { type: "input_file", filename: "a.txt", file_data: `data:text/plain;base64,${Buffer.from("héllo").toString("base64")}` },
      { type: "input_image", image_url: "https://example.com/a.png" },
      { type: "input_image", file_id: "file_1" },
      { type: "input_file", file_id: "file_2" },
    ];
    expect(decoded({ input: [{ role: "user", content: parts }] }).messages[0].content).toEqual([
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" }, title: "a.pdf" },
      { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "héllo" }, title: "a.txt" },
      { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
      { type: "text", text: "[An uploaded image was here, given by its id; it could not be passed on.]" },
      { type: "text", text: "[An uploaded file was here, given by its id; it could not be passed on.]" },
    ]);
  });

  test("of unknown items and parts is read without them", () => {
    const input = [
      { role: "user", content: [{ type: "novelty" }, { type: "input_text", text: "Hi" }] },
      { type: "novelty", id: "x" },
      { type: "image_generation_call", id: "ig_1", result: "AAAA" },
    ];
    expect(decoded({ input, novelty: 1 }).messages).toEqual([{ role: "user", content: [{ type: "text", text: "Hi" }] }]);
    expect(notesOf({ input, novelty: 1 })).toContain("fields were left out that the hub does not have");
  });

  test("begins with the user", () => {
    expect(messages([{ role: "assistant", content: "Hi" }, user("Yes")])[0]).toEqual({
      role: "user",
      content: [{ type: "text", text: "(no content)" }],
    });
  });
});

describe("what cannot be read is refused, and said where", () => {
  test.each<[JsonObject, RegExp]>([
    [{}, /^input: found nothing, wanted a text or a list of items$/],
    [{ input: 5 }, /^input: found a number/],
    [{ input: [] }, /^input: found nothing that says something/],
    [{ input: [5] }, /^input\.0: found a number, wanted an object$/],
    [{ input: [{}] }, /^input\.0\.type: found nothing/],
    [{ input: [{ role: "robot", content: "Hi" }] }, /^input\.0\.role: found a string/],
    [{ input: [{ role: "user", content: [{ type: "input_text" }] }] }, /^input\.0\.content\.0\.text: found nothing, wanted a text$/],
    [{ input: [{ role: "user", content: [{ text: "Hi" }] }] }, /^input\.0\.content\.0\.type/],
    [{ input: [{ role: "user", content: [{ type: "input_image", image_url: "ftp://x" }] }] }, /^input\.0\.content\.0\.image_url/],
    [
      { input: [user("Hi"), { type: "function_call", call_id: "c", arguments: "{}" }] },
      /^input\.1\.name: found nothing, wanted the name of a tool$/,
    ],
    [{ input: [user("Hi"), { type: "function_call", name: "x", arguments: "{}" }] }, /^input\.1\.call_id/],
    [{ input: [{ type: "item_reference", id: "msg_1" }] }, /^input\.0: found a reference to an item.*send the whole input$/],
    [{ input: [{ type: "compaction", encrypted_content: "x" }] }, /^input\.0: found a compaction/],
    [{ input: "Hi", previous_response_id: "resp_1" }, /^previous_response_id: .*send the whole conversation/],
    [{ input: "Hi", conversation: { id: "conv_1" } }, /^conversation: /],
    [{ input: "Hi", background: true }, /^background: /],
    [{ input: "Hi", prompt: { id: "pmpt_1" } }, /^prompt: /],
    [{ input: "Hi", tools: 5 }, /^tools: found a number/],
    [{ input: "Hi", tools: [{ type: "function" }] }, /^tools\.0\.name/],
    [
      { input: "Hi", tools: [{ type: "namespace", name: "n", tools: [{ type: "function", name: "f", parameters: 5 }] }] },
      /^tools\.0\.tools\.0\.parameters/,
    ],
    [{ input: "Hi", tool_choice: "perhaps" }, /^tool_choice: /],
    [{ input: "Hi", tool_choice: { type: "function", name: "f" } }, /^tool_choice: /],
    [{ input: "Hi", tools: [{ type: "code_interpreter" }], tool_choice: { type: "code_interpreter" } }, /^tool_choice: /],
  ])("%j", (body, message) => {
    const error = refusal(body);
    expect(error.status).toBe(400);
    expect(error.message).toMatch(message);
  });

  test("in the vendor's envelope, with the path as its parameter", () => {
    const { status, chunks, headers } = ingress.encodeError(refusal({ input: [5] }), "req_1");
    expect(status).toBe(400);
    expect(headers).toContainEqual(["x-request-id", "req_1"]);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual({
      error: { message: "input.0: found a number, wanted an object", type: "invalid_request_error", param: "input.0", code: null },
    });
  });
});

describe("tools", () => {
  const of = (body: JsonObject): Loose => decoded({ input: "Hi", ...body });

  test("of every kind have a name and a schema in the hub", () => {
    const { tools } = of({
      tools: [
        { type: "function", name: "Bash", description: "Runs.", parameters: { type: "object", properties: {} }, strict: true },
        { type: "function", name: "Nothing", parameters: null },
        { type: "custom", name: "apply_patch", description: "Edits.", format: { type: "grammar", syntax: "lark", definition: "start: x" } },
        { type: "namespace", name: "mcp__files__", tools: [{ type: "function", name: "read", parameters: { properties: {} } }] },
        {
          type: "web_search",
          filters: { allowed_domains: ["example.com"] },
          user_location: { type: "approximate", city: "Bern", country: null },
        },
        { type: "code_interpreter", container: { type: "auto" } },
      ],
      max_tool_calls: 3,
    });
    expect(tools).toEqual([
      { name: "Bash", description: "Runs.", input_schema: { type: "object", properties: {} }, strict: true },
      { name: "Nothing", input_schema: { type: "object", properties: {} } },
      {
        name: "apply_patch",
        description: "Edits.\n\nThe input has to match this lark grammar:\nstart: x",
        input_schema: { type: "object", properties: { input: { type: "string", description: expect.any(String) } }, required: ["input"] },
      },
      { name: "mcp__files__read", input_schema: { type: "object", properties: {} } },
      {
        type: "web_search_20250305",
        name: "web_search",
        allowed_domains: ["example.com"],
        user_location: { type: "approximate", city: "Bern" },
        max_uses: 3,
      },
    ]);
    expect(notesOf({ input: "Hi", tools: [{ type: "code_interpreter" }] })).toEqual([
      "a tool of type code_interpreter was left out, since only its vendor has it",
    ]);
  });

  test("that are declared twice are there once, as they were first", () => {
    const tool = (description: string): JsonObject => ({ type: "function", name: "Bash", description, parameters: null });
    expect(of({ tools: [tool("One."), { type: "function", name: "Read", parameters: null }, tool("Two.")] }).tools).toMatchObject([
      { name: "Bash", description: "One." },
      { name: "Read" },
    ]);
  });

  test("that are to be looked for join when they were found, at the end of the list", () => {
    const send = { type: "function", name: "send", parameters: null, defer_loading: true };
    const eager = { type: "function", name: "Bash", parameters: null };
    const search = { type: "tool_search", execution: "client", parameters: { type: "object", properties: {} } };
    const names = (body: JsonObject): string[] => of(body).tools.map((tool: Loose) => tool.name);
    expect(names({ tools: [send, eager, search] })).toEqual(["Bash", "tool_search"]);
    const found = { type: "tool_search_output", call_id: "call_1", tools: [send] };
    const searched = [user("Go"), { type: "tool_search_call", call_id: "call_1", execution: "client", arguments: {} }, found];
    expect(names({ tools: [send, eager, search], input: searched })).toEqual(["Bash", "tool_search", "send"]);
    // Who lets the vendor look for them cannot do so elsewhere.
    expect(names({ tools: [send, eager, { type: "tool_search" }] })).toEqual(["send", "Bash"]);
    expect(names({ input: [{ type: "additional_tools", role: "developer", tools: [eager] }, user("Go")] })).toEqual(["Bash"]);
  });

  test.each<[unknown, unknown]>([
    ["auto", { type: "auto" }],
    ["required", { type: "any" }],
    ["none", { type: "none" }],
    [
      { type: "function", name: "Bash" },
      { type: "tool", name: "Bash" },
    ],
    [
      { type: "custom", name: "apply_patch" },
      { type: "tool", name: "apply_patch" },
    ],
    [{ type: "web_search" }, { type: "tool", name: "web_search" }],
    [{ type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "Bash" }] }, { type: "any" }],
  ])("are chosen by %j", (tool_choice, expected) => {
    const tools = [{ type: "function", name: "Bash", parameters: null }, { type: "custom", name: "apply_patch" }, { type: "web_search" }];
    expect(of({ tools, tool_choice: tool_choice as JsonObject }).tool_choice).toEqual(expected);
  });

  test("that are not allowed are left out, and a choice goes with the last tool", () => {
    const tools = [
      { type: "function", name: "Bash", parameters: null },
      { type: "function", name: "Read", parameters: null },
    ];
    const allowed = { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "Read" }] };
    expect(of({ tools, tool_choice: allowed }).tools).toMatchObject([{ name: "Read" }]);
    expect(of({ tools: [], tool_choice: "auto" })).not.toHaveProperty("tool_choice");
    expect(of({ tools, parallel_tool_calls: false }).tool_choice).toEqual({ type: "auto", disable_parallel_tool_use: true });
    expect(of({ tools, parallel_tool_calls: false, tool_choice: "required" }).tool_choice).toEqual({
      type: "any",
      disable_parallel_tool_use: true,
    });
  });
});

describe("the other fields", () => {
  const of = (body: JsonObject): Loose => decoded({ input: "Hi", ...body });

  test.each<[JsonObject | undefined, unknown, unknown]>([
    [undefined, undefined, undefined],
    [{ effort: "none" }, { type: "disabled" }, undefined],
    [{ effort: "minimal" }, { type: "adaptive" }, { effort: "low" }],
    [{ effort: "high", summary: "auto" }, { type: "adaptive", display: "summarized" }, { effort: "high" }],
    [{ effort: "xhigh" }, { type: "adaptive" }, { effort: "xhigh" }],
    [{ effort: null, summary: null }, undefined, undefined],
  ])("reasoning %j", (reasoning, thinking, output_config) => {
    const body = of(reasoning === undefined ? {} : { reasoning });
    expect([body.thinking, body.output_config]).toEqual([thinking, output_config]);
  });

  test("an effort set among the items counts from there on", () => {
    expect(
      of({ reasoning: { effort: "high" }, input: [user("Hi"), { type: "configuration_update", reasoning: { effort: "low" } }] })
        .output_config,
    ).toEqual({ effort: "low" });
  });

  test("formats, limits, sampling, who asks", () => {
    const schema = { type: "object", properties: {} };
    expect(of({ text: { format: { type: "json_schema", name: "n", schema } } }).output_config).toEqual({
      format: { type: "json_schema", schema },
    });
    expect(of({ text: { format: { type: "json_object" } } }).system).toEqual([
      { type: "text", text: "Answer with one valid JSON object and nothing else." },
    ]);
    expect(of({ max_output_tokens: 100, temperature: 1.5, top_p: 0.5, safety_identifier: "u1", user: "u2" })).toMatchObject({
      max_tokens: 100,
      temperature: 1,
      top_p: 0.5,
      metadata: { user_id: "u1" },
    });
    expect(of({}).max_tokens).toBe(32_000);
    expect(of({ temperature: 0.5, reasoning: { effort: "low" } })).not.toHaveProperty("temperature");
    expect(of({ stream: true }).stream).toBe(true);
  });

  test("who asks is known before anything is translated", () => {
    const head = (body: JsonObject, headers = {}): unknown => translation.head(received({ model: "gpt-5", input: "Hi", ...body }, headers));
    expect(head({ stream: true, prompt_cache_key: "key" })).toEqual({ model: "gpt-5", stream: true, session: "key" });
    expect(head({ prompt_cache_key: "key" }, { session_id: "s1" })).toEqual({ model: "gpt-5", stream: false, session: "s1" });
    expect(head({ prompt_cache_key: "two words" })).toMatchObject({ session: undefined });
  });
});

test("a reply that comes back in the history is what the hub said", () => {
  fc.assert(
    fc.property(hubReply, ({ message }) => {
      const request = replyOptions({
        tools: [
          { type: "custom", name: "apply_patch" },
          { type: "namespace", name: "mcp__files", tools: [{ type: "function", name: "read", parameters: null }] },
          { type: "tool_search", execution: "client" },
        ],
      });
      const { chunks } = translation.whole(message, request);
      const { output: items, status } = JSON.parse(Buffer.concat(chunks).toString());
      const body = decoded({ input: [user("Go"), ...items, user("On")] });
      const said = blocksOf(message, "thinking", "redacted_thinking", "tool_use");
      const expected = said.filter((block) => block["type"] !== "thinking" || block["signature"] !== "");
      const answer = body.messages.find((one: Loose) => one.role === "assistant")?.content ?? [];
      const kept = answer.filter((block: Loose) => block.type !== "text");
      expect(kept).toEqual(expected);
      const words = textOf(message);
      const heard = answer.flatMap((block: Loose) => (block.type === "text" ? [block.text] : [])).join("");
      if (words.trim() !== "" && status === "completed" && message["stop_reason"] !== "refusal")
        expect(heard.replaceAll(/\s/g, "")).toBe(words.replaceAll(/\s/g, ""));
    }),
    { numRuns: 300 },
  );
});
