import { describe, expect, it } from "vitest";

import { events } from "../../../sdk/hub/events.ts";
import type { JsonObject, ToolGuard } from "../../../sdk/events.ts";
import { type ReplyBlock, messageEvents, messageObject } from "../../helpers/events.ts";

const blocks: readonly ReplyBlock[] = [
  { type: "text", text: "hello" },
  { type: "tool_use", id: "t1", name: "Bash", input: { command: "ls" } },
  { type: "tool_use", id: "t2", name: "Read", input: { file: "a" } },
];
const told: readonly JsonObject[] = messageEvents({ blocks, model: "m" }).map((event): JsonObject => JSON.parse(JSON.stringify(event)));
const whole: JsonObject = JSON.parse(JSON.stringify(messageObject({ blocks, model: "m" })));

const find = (type: string, index: number): JsonObject => {
  const found = told.find((event) => event["type"] === type && event["index"] === index);
  if (found === undefined) throw new Error(`no ${type} of block ${index}`);
  return found;
};
const call = { type: "tool_use", id: "t9", name: "Evil", input: {} };

/** A guard that has seen the events before this one. */
function guardBefore(original: JsonObject): ToolGuard {
  const guard = events.guardTools();
  for (const event of told.slice(0, told.indexOf(original))) guard.change(event, [event]);
  return guard;
}

const change = (original: JsonObject, ...replacement: readonly JsonObject[]): string | undefined =>
  guardBefore(original).change(original, replacement);

describe("in events", () => {
  it("nothing is found where nothing or only text was changed", () => {
    const guard = events.guardTools();
    for (const event of told) expect(guard.change(event, [event])).toBeUndefined();
    const text = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "other" } };
    expect(change(find("content_block_delta", 0), text)).toBeUndefined();
    expect(change(find("content_block_delta", 0))).toBeUndefined();
    const start = find("content_block_start", 1);
    expect(change(start, { type: "ping" }, start, text)).toBeUndefined();
  });

  it.each<[string, JsonObject, readonly JsonObject[], string]>([
    [
      "a call put in",
      find("content_block_stop", 0),
      [find("content_block_stop", 0), { type: "content_block_start", index: 1, content_block: call }],
      "content_block_start.content_block (Evil) was added",
    ],
    [
      "a text turned into a call",
      find("content_block_start", 0),
      [{ type: "content_block_start", index: 0, content_block: call }],
      "(Evil) was added",
    ],
    [
      "a call in the first event",
      told[0] ?? {},
      [{ type: "message_start", message: { content: [call] } }],
      "message_start.message.content[0] (Evil) was added",
    ],
    ["a call taken away", find("content_block_start", 1), [], "content_block_start.content_block (Bash) was removed"],
    [
      "another name",
      find("content_block_start", 1),
      [{ ...find("content_block_start", 1), content_block: { ...call, id: "t1" } }],
      "content_block_start.content_block (Bash) was changed",
    ],
    [
      "another input",
      find("content_block_delta", 1),
      [{ type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "{}" } }],
      "content_block_delta.delta of block 1 was changed",
    ],
    [
      "an input more",
      find("content_block_delta", 0),
      [{ type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: " " } }],
      "content_block_delta.delta of block 1 was added",
    ],
    [
      "a delta of any kind for a call",
      find("content_block_stop", 1),
      [{ type: "content_block_delta", index: 1, delta: { type: "new_delta", input: {} } }, find("content_block_stop", 1)],
      "of block 1 was changed",
    ],
    [
      "an input of another call",
      find("content_block_delta", 1),
      [{ ...find("content_block_delta", 1), index: 2 }],
      "of block 1 was changed",
    ],
    ["an end taken away", find("content_block_stop", 2), [], "content_block_stop of block 2 was removed"],
    [
      "calls that are not to be carried out",
      told.at(-2) ?? {},
      [{ type: "message_delta", delta: { stop_reason: "end_turn" } }],
      "message_delta.delta.stop_reason was removed",
    ],
    [
      "a call of the vendor's server",
      find("content_block_stop", 0),
      [{ type: "content_block_start", index: 1, content_block: { type: "server_tool_use" } }],
      "was added",
    ],
  ])("%s is found", (_, original, replacement, said) => {
    expect(change(original, ...replacement)).toContain(said);
  });
});

describe("in whole messages", () => {
  const against = (changed: JsonObject): string | undefined => events.toolChange(JSON.stringify(whole), JSON.stringify(changed));
  const content = JSON.parse(JSON.stringify(blocks));

  it("nothing is found where only text was changed, added or removed", () => {
    expect(against(whole)).toBeUndefined();
    expect(against({ ...whole, content: [{ type: "text", text: "x" }, { type: "text", text: "y" }, ...content.slice(1)] })).toBeUndefined();
    expect(against({ ...whole, content: content.slice(1), model: "other" })).toBeUndefined();
  });

  it.each([
    ["content[3] (Evil) was added", { content: [...content, call] }],
    ["content[2] (Read) was removed", { content: content.slice(0, 2) }],
    ["content[1] (Bash) was changed", { content: [content[0], content[2], content[1]] }],
    ["content[1] (Bash) was changed", { content: [content[0], { ...content[1], input: { command: "rm" } }, content[2]] }],
    ["content[1] (Bash) was changed", { content: [content[0], { ...content[1], id: "t9" }, content[2]] }],
    ["stop_reason was removed", { stop_reason: "end_turn" }],
    ["content[1] (Bash) was removed", { content: "none" }],
  ])("%s", (said, changes) => {
    expect(against({ ...whole, ...changes })).toBe(said);
  });
});

describe("the numbers of blocks", () => {
  const place = (...given: readonly (readonly [event: JsonObject, isChanged: boolean])[]): readonly (JsonObject | undefined)[] => {
    const numbering = events.number();
    return given.map(([event, isChanged]) => numbering.place(event, isChanged));
  };
  const start = (index: number): JsonObject => ({ type: "content_block_start", index, content_block: { type: "text", text: "" } });
  const delta = (index: number): JsonObject => ({ type: "content_block_delta", index, delta: { type: "text_delta", text: "x" } });
  const stop = (index: number): JsonObject => ({ type: "content_block_stop", index });

  it("stay as they are where no block came or went, and so do the events", () => {
    const placed = place(...told.map((event) => [event, false] as const));
    for (const [index, event] of told.entries()) expect(placed[index]).toBe(event);
  });

  it("close the gap of a block that was dropped, and its rest goes with it", () => {
    const placed = place([delta(0), true], [stop(0), true], [start(1), true], [delta(1), true], [stop(1), true]);
    expect(placed).toEqual([undefined, undefined, start(0), delta(0), stop(0)]);
  });

  it("make room for a block that was put in, whatever number it was given", () => {
    const placed = place([start(0), true], [stop(0), true], [start(0), true], [delta(0), true], [start(1), true], [delta(1), true]);
    expect(placed).toEqual([start(0), stop(0), start(1), delta(1), start(2), delta(2)]);
  });

  it("are not those of a block that was put in for one that was dropped", () => {
    const placed = place([start(0), true], [stop(0), true], [delta(0), true], [stop(0), true], [start(1), true], [delta(1), true]);
    expect(placed).toEqual([start(0), stop(0), undefined, undefined, start(1), delta(1)]);
  });

  it("of an upstream that is out of order are left alone", () => {
    expect(place([delta(7), false], [stop(7), false])).toEqual([delta(7), stop(7)]);
  });
});
