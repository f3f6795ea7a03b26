/** What vendors refuse and types cannot say: each fault of a body that a scripted upstream received, in words. */

import { isDeepStrictEqual } from "node:util";

import { objects, type Asked, type WireName } from "../../helpers/wires/wire.ts";

type Body = Readonly<Record<string, unknown>>;

/** @returns nothing when the vendor would take the request */
export function ruleFaults(wire: WireName, asked: Asked): readonly string[] {
  const faults: string[] = [];
  const fault = (what: string): void => void faults.push(what);
  if (asked.turns.length === 0) fault("there is no turn");
  if (new Set(asked.tools).size !== asked.tools.length) fault("a tool is declared twice");
  rules[wire](asked, fault);
  return faults;
}

type Rule = (asked: Asked, fault: (what: string) => void) => void;

const rules: Readonly<Record<WireName, Rule>> = {
  "openai-chat": chat,
  "openai-responses": responses,
  gemini,
  "bedrock-converse": converse,
  anthropic,
};

const openaiName = /^[a-zA-Z0-9_-]{1,64}$/;

/** https://platform.openai.com/docs/api-reference/chat/create, https://platform.openai.com/docs/guides/function-calling */
function chat({ body, tools }: Asked, fault: (what: string) => void): void {
  const messages = objects(body["messages"], "messages");
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`;
    if (message["role"] === "tool") {
      const id = String(message["tool_call_id"]);
      if (!open.includes(id)) fault(`${where} answers ${id}, which was not called just before`);
      open = open.filter((one) => one !== id);
      continue;
    }
    if (open.length > 0) fault(`${where} comes before the answers to ${open.join(", ")}`);
    open = [];
    if (message["role"] === "assistant") {
      const calls = objects(message["tool_calls"], `${where}.tool_calls`);
      if (calls.length === 0 && isEmpty(message["content"])) fault(`${where} says nothing`);
      if ("tool_calls" in message && calls.length === 0) fault(`${where}.tool_calls is empty`);
      open = calls.map((call) => String(call["id"]));
      if (new Set(open).size !== open.length) fault(`${where} has two calls with one id`);
      for (const id of open) if (id.length > 64 || id === "") fault(`${where} has the id ${id}`);
    } else if (isEmpty(message["content"])) fault(`${where}.content is empty`);
  }
  if (open.length > 0) fault(`no answers to ${open.join(", ")}`);
  for (const name of tools) if (!openaiName.test(name)) fault(`no name of a tool: ${name}`);
  if (tools.length === 0)
    for (const field of ["tools", "tool_choice", "parallel_tool_calls"]) if (field in body) fault(`${field} without tools`);
  chosen(body["tool_choice"], tools, fault);
  if ("max_tokens" in body && "max_completion_tokens" in body) fault("both limits of the reply");
  if ("stream_options" in body && body["stream"] !== true) fault("stream_options without a stream");
  if (Array.isArray(body["stop"]) && (body["stop"].length > 4 || body["stop"].length === 0)) fault(`${body["stop"].length} stop sequences`);
}

/** https://platform.openai.com/docs/api-reference/responses/create, https://platform.openai.com/docs/guides/reasoning */
function responses({ body, tools }: Asked, fault: (what: string) => void): void {
  const input = typeof body["input"] === "string" ? [] : objects(body["input"], "input");
  const called = new Set<string>();
  const answered = new Set<string>();
  for (const [index, item] of input.entries()) {
    const where = `input[${index}]`;
    const id = item["id"];
    const prefixes: Readonly<Record<string, string>> = { message: "msg_", reasoning: "rs_", function_call: "fc_" };
    const type = typeof item["type"] === "string" ? item["type"] : "message";
    const prefix = prefixes[type];
    if (typeof id === "string" && prefix !== undefined && !id.startsWith(prefix)) fault(`${where}.id is ${id}`);
    const callId = String(item["call_id"]);
    switch (type) {
      case "reasoning": {
        const next = input[index + 1];
        const follows =
          next?.["type"] === "reasoning" ||
          next?.["type"] === "function_call" ||
          next?.["type"] === "web_search_call" ||
          next?.["role"] === "assistant";
        if (!follows) fault(`${where} is reasoning without the item that came of it`);
        break;
      }
      case "function_call":
        if (called.has(callId)) fault(`${where} has the id of another call`);
        if (callId.length > 64) fault(`${where}.call_id is too long`);
        called.add(callId);
        break;
      case "function_call_output":
        if (!called.has(callId) || answered.has(callId)) fault(`${where} answers ${callId}, which waits for no answer`);
        answered.add(callId);
        break;
      case "message": {
        const content = item["content"];
        if (isEmpty(content)) fault(`${where}.content is empty`);
        const wrong = item["role"] === "assistant" ? /^input_/ : /^output_|^refusal$/;
        if (Array.isArray(content))
          for (const part of objects(content, where))
            if (wrong.test(String(part["type"]))) fault(`${where} has a part ${String(part["type"])}`);
        break;
      }
      default:
    }
  }
  for (const id of called) if (!answered.has(id)) fault(`no answer to ${id}`);
  for (const name of tools) if (!openaiName.test(name)) fault(`no name of a tool: ${name}`);
  for (const tool of objects(body["tools"], "tools"))
    if (tool["type"] === "function" && typeof tool["strict"] !== "boolean")
      fault(`strict is on by default, and not said of ${String(tool["name"])}`);
  if (body["store"] !== false) fault("what is sent would be stored");
  if ("tools" in body && tools.length === 0) fault("tools is empty");
  if (tools.length === 0) for (const field of ["tool_choice", "parallel_tool_calls"]) if (field in body) fault(`${field} without tools`);
  chosen(body["tool_choice"], tools, fault);
  for (const field of ["stop", "max_tokens", "metadata", "messages"]) if (field in body) fault(`${field} is not a field of this wire`);
  if (typeof body["max_output_tokens"] === "number" && body["max_output_tokens"] < 16) fault("a limit below 16 tokens");
}

function chosen(choice: unknown, tools: readonly string[], fault: (what: string) => void): void {
  if (typeof choice !== "object" || choice === null) return;
  const name =
    "function" in choice && typeof choice.function === "object" && choice.function !== null && "name" in choice.function
      ? choice.function.name
      : "name" in choice
        ? choice.name
        : undefined;
  if (typeof name === "string" && !tools.includes(name)) fault(`the chosen tool ${name} is not declared`);
}

/** https://ai.google.dev/gemini-api/docs/function-calling, https://ai.google.dev/gemini-api/docs/thought-signatures */
function gemini({ body, model, tools }: Asked, fault: (what: string) => void): void {
  const contents = merged(objects(body["contents"], "contents"));
  let open: readonly Body[] = [];
  for (const [index, content] of contents.entries()) {
    const where = `contents[${index}]`;
    const parts = objects(content["parts"], `${where}.parts`);
    if (content["role"] !== "user" && content["role"] !== "model") fault(`${where}.role is ${String(content["role"])}`);
    if (parts.length === 0) fault(`${where} has no parts`);
    const answers = bodies(parts, "functionResponse");
    const named = (list: readonly Body[]): readonly unknown[] => list.map((one) => [one["name"], one["id"]]);
    if (!isDeepStrictEqual(named(answers), named(open)))
      fault(`${where} has ${answers.length} answers to ${open.length} calls, or in another order`);
    open = bodies(parts, "functionCall");
    if (open.length > 0 && content["role"] !== "model") fault(`${where} has calls of the user`);
    // Of the step under way the first call must carry its signature.
    const isCurrent = contents
      .slice(index + 1)
      .every((later) => later["role"] === "model" || objects(later["parts"], where).every((part) => "functionResponse" in part));
    const first = parts.find((part) => "functionCall" in part);
    if (/^gemini-[3-9]/.test(model) && isCurrent && first !== undefined && typeof first["thoughtSignature"] !== "string")
      fault(`${where} has a call without its signature`);
    for (const part of parts)
      if (typeof part["text"] === "string" && part["text"] === "" && !("thoughtSignature" in part)) fault(`${where} has an empty text`);
  }
  if (open.length > 0) fault("the last calls have no answers");
  if (contents[0]?.["role"] !== "user") fault("the first content is not the user's");
  for (const declared of objects(body["tools"], "tools").flatMap((tool) => objects(tool["functionDeclarations"], "functionDeclarations"))) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/.test(String(declared["name"]))) fault(`no name of a function: ${String(declared["name"])}`);
    if ("parameters" in declared && "parametersJsonSchema" in declared) fault("parameters are said twice");
  }
  const config = (body["generationConfig"] ?? {}) as Body;
  const thinking = (config["thinkingConfig"] ?? {}) as Body;
  if ("thinkingLevel" in thinking && "thinkingBudget" in thinking) fault("a level and a budget of thinking");
  if (Array.isArray(config["stopSequences"]) && config["stopSequences"].length > 5) fault("more than 5 stop sequences");
  const calling = ((body["toolConfig"] ?? {}) as Body)["functionCallingConfig"] as Body | undefined;
  if (calling !== undefined && tools.length === 0) fault("a choice of functions without any");
  if (Array.isArray(calling?.["allowedFunctionNames"]))
    for (const name of calling["allowedFunctionNames"])
      if (!tools.includes(String(name))) fault(`the chosen function ${String(name)} is not declared`);
}

/** The host takes neighbours of one role for one turn; Google's own chat sends such for each piece of a stream. */
function merged(contents: readonly Body[]): readonly Body[] {
  const turns: Body[] = [];
  for (const content of contents) {
    const last = turns.at(-1);
    if (last === undefined || last["role"] !== content["role"]) turns.push(content);
    else turns[turns.length - 1] = { ...last, parts: [...objects(last["parts"], "parts"), ...objects(content["parts"], "parts")] };
  }
  return turns;
}

function bodies(parts: readonly Body[], kind: string): readonly Body[] {
  return parts.flatMap((part) => (part[kind] === undefined ? [] : [part[kind] as Body]));
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, …_ToolUseBlock.html, …_DocumentBlock.html */
function converse({ body }: Asked, fault: (what: string) => void): void {
  const messages = objects(body["messages"], "messages");
  let open: readonly unknown[] = [];
  let marks = objects(body["system"], "system").filter((block) => "cachePoint" in block).length;
  let hasToolBlocks = false;
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`;
    const content = objects(message["content"], `${where}.content`);
    if (message["role"] !== (index % 2 === 0 ? "user" : "assistant")) fault(`${where}.role is ${String(message["role"])}`);
    if (content.length === 0) fault(`${where}.content is empty`);
    for (const block of content) if (typeof block["text"] === "string" && block["text"].trim() === "") fault(`${where} has a blank text`);
    const answers = bodies(content, "toolResult").map((result) => result["toolUseId"]);
    if (!isDeepStrictEqual(new Set(answers), new Set(open)) || answers.length !== open.length)
      fault(`${where} answers ${answers.join(", ")}; called were ${open.join(", ")}`);
    open = bodies(content, "toolUse").map((call) => call["toolUseId"]);
    if (new Set(open).size !== open.length) fault(`${where} has two calls with one id`);
    hasToolBlocks ||= answers.length > 0 || open.length > 0;
    for (const id of [...open, ...answers]) if (!openaiName.test(String(id))) fault(`no id of a call: ${String(id)}`);
    for (const call of bodies(content, "toolUse"))
      if (!openaiName.test(String(call["name"]))) fault(`no name of a tool: ${String(call["name"])}`);
    marks += content.filter((block) => "cachePoint" in block).length;
    for (const document of bodies(content, "document")) {
      if (!/^[a-zA-Z0-9()[\]-]+( [a-zA-Z0-9()[\]-]+)*$/.test(String(document["name"])))
        fault(`no name of a document: ${String(document["name"])}`);
      if (!content.some((block) => typeof block["text"] === "string")) fault(`${where} has a document and no text`);
    }
  }
  if (open.length > 0) fault("the last calls have no answers");
  const config = body["toolConfig"] as Body | undefined;
  const declared = objects(config?.["tools"], "toolConfig.tools");
  marks += declared.filter((tool) => "cachePoint" in tool).length;
  if (marks > 4) fault(`${marks} cache points`);
  if (hasToolBlocks && config === undefined) fault("calls in the history, and no toolConfig");
  if (config !== undefined && declared.length === 0) fault("toolConfig without tools");
  for (const { name } of bodies(declared, "toolSpec")) if (!openaiName.test(String(name))) fault(`no name of a tool: ${String(name)}`);
}

/** https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use, …/build-with-claude/extended-thinking */
function anthropic({ body, tools }: Asked, fault: (what: string) => void): void {
  if (typeof body["max_tokens"] !== "number") fault("no max_tokens");
  let open: readonly unknown[] = [];
  let marks = 0;
  for (const [index, message] of objects(body["messages"], "messages").entries()) {
    if (message["role"] === "system") continue;
    const where = `messages[${index}]`;
    const content =
      typeof message["content"] === "string"
        ? [{ type: "text", text: message["content"] }]
        : objects(message["content"], `${where}.content`);
    if (content.length === 0) fault(`${where}.content is empty`);
    const answers = content.filter((block) => block["type"] === "tool_result").map((block) => block["tool_use_id"]);
    const front = content.slice(0, answers.length);
    if (front.some((block) => block["type"] !== "tool_result")) fault(`${where} has answers behind other blocks`);
    if (!isDeepStrictEqual(new Set(answers), new Set(open)) || answers.length !== open.length)
      fault(`${where} answers ${answers.join(", ")}; called were ${open.join(", ")}`);
    open = content.filter((block) => block["type"] === "tool_use").map((block) => block["id"]);
    for (const id of open) if (!/^[a-zA-Z0-9_-]+$/.test(String(id))) fault(`no id of a call: ${String(id)}`);
    for (const block of content) {
      if (block["type"] === "text" && block["text"] === "") fault(`${where} has an empty text`);
      // The scripted host signs with this; anything else was made by another, and the real host would refuse it.
      if (block["type"] === "thinking" && !String(block["signature"]).startsWith(genuineSignature))
        fault(`${where} has a signature that is not this vendor's`);
      if ("cache_control" in block) marks += 1;
    }
  }
  if (open.length > 0) fault("the last calls have no answers");
  if (Array.isArray(body["system"])) marks += objects(body["system"], "system").filter((block) => "cache_control" in block).length;
  marks += objects(body["tools"], "tools").filter((tool) => "cache_control" in tool).length;
  if (marks > 4) fault(`${marks} marks for the cache`);
  for (const name of tools) if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) fault(`no name of a tool: ${name}`);
}

/** What the tokens of the scripted Anthropic host begin with. */
const genuineSignature = "anthropic-state";

function isEmpty(content: unknown): boolean {
  return content === undefined || content === null || content === "" || (Array.isArray(content) && content.length === 0);
}
