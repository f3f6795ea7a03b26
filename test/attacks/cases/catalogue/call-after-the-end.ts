import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the proxy asked for something after the end of the call",
  where: "preCall",
  body: String.raw`globalThis.kept ??= [];
kept.push(context);
if (kept.length === 1) return 1;
const late = kept[0];
return Promise.race([late.kv.get("late").then(() => "answered"), context.kv.get("now").then(() => "only its own")]);`,
  calls: 2,
  check: (seen) => !seen.operations.some((one) => one.op === "kv.get" && one.key === "late"),
  expected: [{ value: "only its own" }],
};
export default attack;
