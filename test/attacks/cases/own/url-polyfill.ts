import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "URL given what is hard to read",
  where: "preCall",
  body: String.raw`const tries = ["http://" + "a".repeat(1e5), "http://[" + ":".repeat(1e4), "http://xn--" + "9".repeat(1e4), "a:" + "%".repeat(1e5), "http://1.2.3.4.5.6", "http://\ud800"];
for (const text of tries) try { new URL(text).href; } catch (error) { if (!(error instanceof TypeError)) throw error; }
return "read";`,
  sliceMs: 1000,
  expected: [{ value: "read" }, "timeout", { error: /RangeError/ }],
  why: "Some are long to read.",
};
export default attack;
