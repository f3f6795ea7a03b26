import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a callback that breaks the stream it was given",
  where: "onEvent",
  module: String.raw`({ async_post_call_streaming_iterator_hook(user, response) { console.log("reached"); response.next = () => { for (;;); }; response[Symbol.asyncIterator] = () => response; return response; } })`,
  kind: "callback",
  expected: ["timeout", { harmless: true }, { error: /./ }],
  why: "The source is the run's own object: breaking it breaks nothing else.",
};
export default attack;
