import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a decision that changes while it is read",
  where: "preCall",
  body: String.raw`let count = 0;
return { get kind() { return count++ === 0 ? "deny" : "respond"; }, get status() { return 400 + count; }, get message() { return "x".repeat(1e7); }, get reply() { return "forged"; } };`,
  isRaw: true,
  check: (seen) => {
    const decision = seen.outcomes[0]?.decision;
    return decision?.kind === "deny" && decision.message.length === 4000;
  },
  sliceMs: 1000,
  expected: [{ harmless: true }],
};
export default attack;
