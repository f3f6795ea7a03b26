import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "normalizeHuge",
  where: "preCall",
  body: String.raw`let s="\u1E9B\u0323".repeat(5e6);for(;;)s.normalize("NFKD").length`,
  expected: ["timeout", "kill"],
  why: "It is one call of native code: whether V8 looks for the end of the slice within it, and whether it comes to an end before, is up to V8 and the machine.",
};
export default attack;
