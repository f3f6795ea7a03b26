import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a callback that throws an error whose status changes",
  where: "preCall",
  module: String.raw`({ async_pre_call_hook(user, cache, data) { console.log("reached"); let count = 0; throw { get status_code() { return ++count % 2 === 0 ? 200 : 418; }, get detail() { return { toJSON() { return "x".repeat(1e6); } }; } }; } })`,
  kind: "callback",
  check: (seen) => {
    const decision = seen.outcomes[0]?.decision;
    return decision === undefined || (decision.kind === "deny" && decision.status >= 400 && decision.message.length <= 4000);
  },
  expected: [{ harmless: true }, { error: /./ }],
  why: "The status that is read last may be one that no denial may have.",
};
export default attack;
