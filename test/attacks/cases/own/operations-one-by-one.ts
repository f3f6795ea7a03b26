import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "operations without end, one after the other",
  where: "preCall",
  body: String.raw`return (async () => { for (let i = 0; ; i++) await context.kv.get("k" + i); })();`,
  check: (seen) => seen.operations.length === 32,
  expected: [{ error: /32 times/ }],
};
export default attack;
