import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "options of isolated-vm put on Object.prototype",
  where: "preCall",
  body: String.raw`const put = [];
for (const name of ["reference", "copy", "promise", "timeout", "externalCopy", "result", "arguments", "release"])
  try { Object.prototype[name] = true; put.push(name); } catch { try { Object.defineProperty(Object.prototype, name, { value: true }); put.push(name); } catch {} }
return put.join();`,
  expected: [{ value: "" }],
};
export default attack;
