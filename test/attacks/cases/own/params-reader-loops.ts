import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a reader of parameters that keeps what it was given",
  where: "preCall",
  module: String.raw`defineHook({ params(raw) { globalThis.raw = raw; return raw; }, preCall(request, context) { context.log("reached"); try { raw.extra = 1; return "changed"; } catch { context.annotate("value", "frozen"); } } })`,
  expected: [{ value: "frozen" }],
};
export default attack;
