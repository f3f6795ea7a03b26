import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "everything that console offers",
  where: "preCall",
  body: String.raw`const levels = Object.keys(console);
for (const name of levels) try { console[name](new Proxy({}, { get() { throw new Error("looked at"); }, ownKeys() { throw new Error("looked at"); } }), Symbol("x"), 10n, null, undefined, () => {}, new Error("x")); } catch (error) { return name + ": " + error.message; }
try { console.log = 1; } catch {}
return "said";`,
  expected: [{ value: "said" }],
};
export default attack;
