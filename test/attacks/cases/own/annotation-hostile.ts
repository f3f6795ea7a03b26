import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "annotations that are no JSON",
  where: "preCall",
  body: String.raw`const values = [1n, undefined, () => {}, Symbol(), { toJSON() { throw new Error("x"); } }, new Proxy({}, { ownKeys() { throw 1; } }), NaN];
return values.map((value) => { try { context.annotate("x", value); return "taken"; } catch (error) { return error.name; } }).join();`,
  expected: [{ value: "SandboxError,SandboxError,SandboxError,SandboxError,SandboxError,SandboxError,taken" }],
};
export default attack;
