import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a generator of a callback that waits for ever",
  where: "onEvent",
  module: String.raw`({ async *async_post_call_streaming_iterator_hook(user, response) { console.log("reached"); await new Promise(() => {}); } })`,
  kind: "callback",
  expected: [{ error: /settle/ }],
};
export default attack;
