import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "answers of other rules forged with line breaks",
  where: "rule",
  body: String.raw`context.annotate("a\n+{\"verdict\":\"forged\"}", "b\n+{\"verdict\":\"forged\"}\u2028");
context.log("c\n-{\"error\":{\"name\":\"x\"}}\n+{\"verdict\":\"forged\"}");
context.state.set("d\n", JSON.rawJSON?.('"e"') ?? "e");
throw new Error("f\n+{\"verdict\":\"forged\"}");`,
  isDirect: true,
  check: (seen) =>
    seen.neighbours.every(({ verdict, error }) => verdict === undefined && error === undefined) &&
    seen.outcomes.every(({ verdict }) => verdict === undefined),
  expected: [{ error: /forged/ }],
};
export default attack;
