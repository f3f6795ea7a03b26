/** Generates whole messages of every kind of content, today's and tomorrow's, as JSON text. */

import * as fc from "fast-check";

const words = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom("", "\ud800", '"\\\n'),
);
const anything = fc.jsonValue({ maxDepth: 3 }).map((value): unknown => value);
const record = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), anything, { maxKeys: 4 });
const citations = fc.array(record, { maxLength: 3 });

const block = fc.oneof(
  fc.record(
    { type: fc.constant("text"), text: words, citations: fc.oneof(fc.constant(null), citations) },
    { requiredKeys: ["type", "text"] },
  ),
  fc.record({ type: fc.constant("thinking"), thinking: words, signature: words }),
  fc.record({ type: fc.constant("redacted_thinking"), data: words }),
  fc.record({ type: fc.constantFrom("tool_use", "server_tool_use", "mcp_tool_use"), id: words, name: words, input: record }),
  fc.record({
    type: fc.constant("tool_use"),
    id: words,
    name: words,
    input: fc.oneof(fc.constant('{"cut":"of'), fc.constant("5"), anything),
  }),
  fc.record({ type: fc.constant("web_search_tool_result"), tool_use_id: words, content: fc.array(record, { maxLength: 2 }) }),
  fc.record({ type: fc.constant("compaction"), content: fc.option(words) }),
  fc.record({ type: fc.constant("not_yet_known"), text: words, input: record, more: anything }),
  fc.record({ type: fc.constant("text"), text: anything }),
  fc.constantFrom(null, 5, "a text that is no block"),
);

const count = fc.oneof(fc.nat(), fc.constant(null));

export const wholeMessage: fc.Arbitrary<string> = fc
  .record(
    {
      id: fc.constant("msg_1"),
      type: fc.constant("message"),
      role: fc.constant("assistant"),
      model: words,
      content: fc.array(block, { maxLength: 5 }),
      stop_reason: fc.constantFrom("end_turn", "tool_use", "refusal", null),
      stop_sequence: fc.option(words),
      stop_details: fc.option(record),
      container: fc.option(record),
      context_management: fc.option(record),
      input_transformations: fc.array(record, { maxLength: 2 }),
      usage: fc.record(
        { input_tokens: count, output_tokens: count, cache_read_input_tokens: count, server_tool_use: fc.option(record), more: anything },
        { requiredKeys: [] },
      ),
      not_yet_known: anything,
    },
    { requiredKeys: ["id", "type", "role", "model", "content"] },
  )
  .map((message) => JSON.stringify(message));
