import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a generator of a callback that yields garbage",
  where: "onEvent",
  module: String.raw`({ async *async_post_call_streaming_iterator_hook(user, response) { console.log("reached"); for await (const event of response) { yield 1; yield null; yield [event]; yield { get type() { for (;;); } }; } } })`,
  kind: "callback",
  expected: [{ error: /onEvent returned|type/ }, "timeout"],
  why: "The first piece of garbage ends it, before the getter is looked at.",
};
export default attack;
