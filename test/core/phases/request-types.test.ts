import { describe, expect, test } from "vitest";

import { createRequestBody } from "../../../core/body/request-body.ts";
import { checkChangedRequest } from "../../../core/phases/request-types.ts";
import type { RequestBody } from "../../../sdk/body.ts";

const sent = { model: "m", max_tokens: 5, stream: true, system: "s", tools: [{ name: "t" }], messages: [{ role: "user", content: "hi" }] };

function bodyOf(value: object): RequestBody {
  return createRequestBody(Buffer.from(JSON.stringify(value)));
}

describe("a changed request", () => {
  test.each([
    { model: "other" },
    { messages: [] },
    { messages: [{ role: "user", content: "bye" }] },
    { system: [{ type: "text", text: "s" }] },
    { tools: [] },
    { max_tokens: 9 },
    { metadata: { a: 1 }, temperature: "whatever the upstream takes" },
    { system: undefined, tools: undefined, max_tokens: undefined },
  ])("may become %j", (change) => {
    expect(() => checkChangedRequest(bodyOf(sent), bodyOf({ ...sent, ...change }))).not.toThrow();
  });

  test.each([
    [{ model: 5 }, "model: is a number; wanted a text"],
    [{ model: null }, "model: is null; wanted a text"],
    [{ model: "" }, "model: is empty"],
    [{ model: "x".repeat(501) }, "model: has 501 characters; wanted at most 500"],
    [{ model: undefined }, "model: was taken away"],
    [{ messages: undefined }, "messages: was taken away"],
    [{ messages: "hi" }, "messages: is a text; wanted a list"],
    [{ messages: { 0: {} } }, "messages: is an object; wanted a list"],
    [{ messages: [...sent.messages, null] }, "messages[1]: is null; wanted an object"],
    [{ tools: ["t"] }, "tools[0]: is a text; wanted an object"],
    [{ tools: false }, "tools: is true or false; wanted a list"],
    [{ system: {} }, "system: is an object; wanted a text or a list"],
    [{ max_tokens: "5" }, "max_tokens: is a text; wanted a number"],
    [{ stream: false }, "stream: whether the reply is streamed is for the client to say"],
    [{ stream: undefined }, "stream: whether the reply is streamed is for the client to say"],
  ])("may not become %j", (change, message) => {
    expect(() => checkChangedRequest(bodyOf(sent), bodyOf({ ...sent, ...change }))).toThrow(message);
  });

  test("is not blamed for what the client sent", () => {
    const odd = { model: "m", messages: "odd", tools: [1], system: 7, max_tokens: "many" };
    expect(() => checkChangedRequest(bodyOf(odd), bodyOf({ ...odd, model: "n" }))).not.toThrow();
    expect(() => checkChangedRequest(bodyOf({ model: "m" }), bodyOf({ model: "n", messages: [] }))).not.toThrow();
  });
});
