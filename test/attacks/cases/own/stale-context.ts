import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the context of one call used in the next",
  where: "preCall",
  body: String.raw`globalThis.kept ??= [];
kept.push(context);
if (kept.length === 1) return "kept";
const [old] = kept;
old.log("forged line");
old.annotate("forged", true);
old.state.set("forged", true);
old.locals.set("forged", true);
try { old.headers.set("x-forged", "1"); } catch {}
void old.kv.set("forged", true).catch(() => {});
return context.requestId !== old.requestId;`,
  calls: 2,
  check: (seen) => !JSON.stringify(seen.outcomes).includes("forged") && !JSON.stringify(seen.neighbours).includes("forged"),
  expected: [{ value: true }],
};
export default attack;
