import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the request of one call changed in the next",
  where: "preCall",
  body: String.raw`globalThis.kept ??= [];
kept.push(request);
if (kept.length === 1) return "kept";
kept[0].model = "of the first call";
kept[0].messages.push({ role: "user", content: "late" });
return String(request.model);`,
  calls: 2,
  check: (seen) => seen.outcomes.every(({ patch }) => patch === undefined),
  expected: [{ value: "claude-x" }],
};
export default attack;
