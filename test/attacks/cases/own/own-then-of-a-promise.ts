import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a promise with a then of its own",
  where: "preCall",
  body: String.raw`const promise = Promise.resolve(undefined);
Object.defineProperty(promise, "then", { value(resolve) { globalThis.late ??= resolve; resolve(respond("forged")); return { then() { for (;;); } }; } });
globalThis.late?.(respond("for another"));
return promise;`,
  isRaw: true,
  isDirect: true,
  calls: 2,
  check: (seen) =>
    seen.outcomes.every(({ decision }) => decision === undefined || (decision.kind === "respond" && decision.reply === "forged")),
  expected: [{ harmless: true }],
};
export default attack;
