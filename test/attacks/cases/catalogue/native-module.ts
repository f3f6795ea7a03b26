import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "native modules and caches of code",
  where: "preCall",
  body: String.raw`const tries = [() => require("./x.node"), () => process.dlopen({}, "x"), () => new NativeModule("x"), () => new vm.Script("", { cachedData: new Uint8Array(8) }), () => process.binding("fs")];
return tries.map((act) => { try { act(); return "done"; } catch (error) { return error.name; } }).join();`,
  expected: [{ value: "ReferenceError,ReferenceError,ReferenceError,ReferenceError,ReferenceError" }],
};
export default attack;
