import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a store that is written while it is written",
  where: "preCall",
  body: String.raw`context.state.set("a", { toJSON() { for (let i = 0; i < 100; i++) try { context.state.set("b" + i, "x".repeat(5000)); } catch {} return "a".repeat(5000); } });
return "written";`,
  check: (seen) => JSON.stringify(seen.outcomes[0]?.writes?.state ?? {}).length < 66_000,
  sliceMs: 1000,
  expected: [{ value: "written" }, { error: /full/ }],
  why: "Which write meets the limit depends on nothing but order.",
};
export default attack;
