import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a generator of a callback that yields for ever",
  where: "onEvent",
  module: String.raw`({ async *async_post_call_streaming_iterator_hook(user, response) { console.log("reached"); for await (const event of response) for (;;) yield event; } })`,
  kind: "callback",
  sliceMs: 200,
  expected: ["timeout", "memory", "kill"],
  why: "It yields faster than anything takes, until its time or its memory is used up.",
};
export default attack;
