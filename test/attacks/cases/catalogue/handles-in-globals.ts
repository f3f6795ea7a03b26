import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "handles of isolated-vm among the globals",
  where: "preCall",
  body: String.raw`const names = ["applySync", "applyIgnored", "applySyncPromise", "deref", "derefInto", "copySync", "copyInto", "getSync", "release"];
const found = [];
for (const key of Reflect.ownKeys(globalThis)) {
  const value = globalThis[key];
  for (const name of names) if (value !== null && value !== undefined && name in Object(value)) found.push(String(key) + "." + name);
}
return found.join() + ["ivm", "Reference", "Callback", "ExternalCopy", "NativeModule", "Isolate", "runtime", "entry", "_ivm", "$0"].filter((name) => name in globalThis).join();`,
  expected: [{ value: "" }],
};
export default attack;
