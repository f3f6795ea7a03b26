import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a generator of a callback that yields for ever",
  where: "onEvent",
  module: String.raw`({ async *async_post_call_streaming_iterator_hook(user, response) { console.log("reached"); for await (const event of response) { globalThis.count = (globalThis.count ?? 0) + 1; if (count > 2) for (;;) yield event; yield event; } } })`,
  kind: "callback",
  calls: 2,
  sliceMs: 200,
  expected: ["timeout", "memory", "kill"],
  why: "It yields faster than anything takes, until its time or its memory is used up.",
};
export default attack;
