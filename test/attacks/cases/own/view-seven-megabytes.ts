import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a text of 7 MB put into the request, which is allowed",
  where: "preCall",
  body: String.raw`request.system = "x".repeat(7e6);`,
  sliceMs: 5000,
  check: (seen) => seen.outcomes[0]?.patch !== undefined,
  expected: [{ harmless: true }],
};
export default attack;
