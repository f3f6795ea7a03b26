import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "async function constructor with import",
  where: "preCall",
  body: String.raw`return (async () => {}).constructor("return import('node:fs')")();`,
  expected: [{ error: /Not supported|dynamic import/ }],
};
export default attack;
