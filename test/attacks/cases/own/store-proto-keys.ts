import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "__proto__ and its like as keys of stores",
  where: "preCall",
  body: String.raw`const tries = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", ""].map((key) => { try { context.state.set(key, { polluted: 1 }); return typeof context.state.get(key); } catch (error) { return error.name; } });
try { context.annotate("__proto__", { polluted: 1 }); tries.push("annotated"); } catch (error) { tries.push(error.name); }
return tries.join();`,
  check: () => Reflect.get({}, "polluted") === undefined,
  expected: [{ value: "SandboxError,object,object,object,object,SandboxError,SandboxError" }],
};
export default attack;
