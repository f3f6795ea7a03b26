import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "globals that the runtime uses, replaced",
  where: "preCall",
  body: String.raw`const tries = ["Object", "Reflect", "JSON", "Promise", "Map", "Set", "Array", "String", "Number", "Proxy", "Error", "TypeError", "Symbol", "RegExp", "eval", "Uint8Array"].map((name) => { try { globalThis[name] = () => { for (;;); }; return name; } catch { try { Object.defineProperty(globalThis, name, { value: 1 }); return name; } catch { return delete globalThis[name]; } } });
return tries.filter((tried) => tried !== false).join();`,
  expected: [{ value: "" }, { error: /delete/ }],
  why: "Deleting in strict code throws.",
};
export default attack;
