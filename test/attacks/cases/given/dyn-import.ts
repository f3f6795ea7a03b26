import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "dynImport",
  where: "preCall",
  body: String.raw`return import("node:fs")`,
  expected: [{ error: /Not supported/ }],
};
export default attack;
