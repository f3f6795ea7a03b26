import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "static imports and require",
  where: "preCall",
  body: String.raw`const tries = ["import fs from 'node:fs'", "import 'node:fs'", "export * from 'node:fs'", "require('node:fs')", "module.require('fs')"]; return tries.map((text) => { try { (0, eval)(text); return "done"; } catch (error) { return error.name; } }).join();`,
  expected: [{ value: "SyntaxError,SyntaxError,SyntaxError,ReferenceError,ReferenceError" }],
};
export default attack;
