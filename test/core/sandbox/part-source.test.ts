import { expect, it } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { createPartSource } from "../../../core/sandbox/part-source.ts";

const text =
  '{"messages":0,"model":"m", "messages" : [ {"a":1.0} , "two",[3] ], "tools":{"0":1},"__proto__":[1],"messages":[ {"b":1}, 2 ], "mod\\u0065l":"n"}';
const body = createRequestBody(Buffer.from(text));

it("tells the keys in order, and the lengths of the two long lists where they are lists", () => {
  expect(createPartSource(body).shape).toEqual({ keys: ["messages", "model", "tools", "__proto__"], lengths: { messages: 2 } });
  expect(createPartSource(createRequestBody(Buffer.from('{"tools":[],"system":[1]}'))).shape).toEqual({
    keys: ["tools", "system"],
    lengths: { tools: 0 },
  });
});

it("hands out fields and elements as they are written, the last of a repeated one", () => {
  const source = createPartSource(body);
  const part = (field: string, index: number): string | undefined => {
    const bytes = source.part([field, index]);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };
  expect(source.bodyBytes).toBe(text.length);
  expect(part("messages", -1)).toBe('[ {"b":1}, 2 ]');
  expect(part("messages", 0)).toBe('{"b":1}');
  expect(part("messages", 1)).toBe("2");
  expect(part("model", -1)).toBe('"n"');
  expect(part("__proto__", 0)).toBe("1");
});

it("has nothing where there is nothing", () => {
  const source = createPartSource(body);
  for (const [field, index] of [
    ["messages", 2],
    ["messages", -2],
    ["messages", 0.5],
    ["tools", 0],
    ["none", -1],
    ["none", 0],
    ["constructor", -1],
  ] as const) {
    expect(source.part([field, index])).toBeUndefined();
  }
});

it("copies no bytes", () => {
  expect(createPartSource(body).part(["messages", 0])!.buffer).toBe(body.bytes.buffer);
});
