import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "node:fs imported when the file is loaded",
  where: "load",
  body: String.raw`return import("node:fs");`,
  expected: [{ harmless: true }],
};
export default attack;
