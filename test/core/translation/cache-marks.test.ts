import { describe, expect, test } from "vitest";

import { createMadeBody } from "../../../core/body/made-body.ts";
import { withCacheMarks } from "../../../core/translation/cache-marks.ts";
import type { JsonObject } from "../../../sdk/events.ts";

const tools = [{ name: "Bash", input_schema: { type: "object" } }];
const result = (id: string): JsonObject => ({ role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "ok" }] });
const call = (id: string): JsonObject => ({ role: "assistant", content: [{ type: "tool_use", id, name: "Bash", input: {} }] });
const say = (text: string): JsonObject => ({ role: "user", content: [{ type: "text", text }] });

/** Texts and ids of the blocks that are marked, in order. */
function marked(request: JsonObject): readonly unknown[] {
  const found: unknown[] = [];
  JSON.stringify(withCacheMarks(createMadeBody(request)).json(), (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "cache_control" in value) {
      found.push("text" in value ? value.text : "tool_use_id" in value ? value.tool_use_id : value);
    }
    return value;
  });
  return found;
}

describe("an agent's conversation", () => {
  const system = [
    { type: "text", text: "One." },
    { type: "text", text: "Two." },
  ];

  test("is marked behind the system and behind the user's last two turns", () => {
    const messages = [say("a"), call("call_1"), result("call_1"), call("call_2"), result("call_2")];
    expect(marked({ system, tools, messages })).toEqual(expect.arrayContaining(["Two.", "call_1", "call_2"]));
    expect(marked({ system, tools, messages })).toHaveLength(3);
  });

  test("is marked with one turn, without a system, and where a turn is a plain text", () => {
    expect(marked({ tools, messages: [{ role: "user", content: "only" }] })).toEqual(["only"]);
    expect(marked({ messages: [say("a"), { role: "assistant", content: "b" }, say("c")] })).toEqual(["a", "c"]);
  });

  test("is left alone where the client marked something itself", () => {
    const own = { role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }] };
    const body = createMadeBody({ system, tools, messages: [own, call("call_1"), result("call_1")] });
    expect(withCacheMarks(body)).toBe(body);
  });
});

test("a single question is not marked: it is asked once", () => {
  const body = createMadeBody({ messages: [say("a")] });
  expect(withCacheMarks(body)).toBe(body);
});
