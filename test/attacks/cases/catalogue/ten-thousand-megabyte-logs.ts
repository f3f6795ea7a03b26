import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "10,000 lines of 1 MB for the log",
  where: "preCall",
  body: String.raw`const line = "x".repeat(1e6); for (let i = 0; i < 10000; i++) { log(line); console.log(line, i); } return "said";`,
  sliceMs: 2000,
  check: (seen) => (seen.outcomes[0]?.writes?.logs ?? []).reduce((sum, line) => sum + line.text.length, 0) < 70_000,
  expected: [{ value: "said" }],
};
export default attack;
