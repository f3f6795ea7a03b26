import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "anything of the language that can still be changed",
  where: "preCall",
  body: String.raw`const open = [];
const seen = new Set([globalThis]);
const supplied = new Set(["URL", "URLSearchParams", "console", "structuredClone", "queueMicrotask", "TextEncoder", "TextDecoder", "atob", "btoa", "crypto", "fetch", "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"]);
const queue = Reflect.ownKeys(globalThis).filter((key) => !supplied.has(key)).map((key) => [String(key), globalThis[key]]);
queue.push(["generator", function* () {}.constructor], ["async", (async () => {}).constructor], ["async generator", (async function* () {}).constructor], ["array iterator", Object.getPrototypeOf([].values())], ["map iterator", Object.getPrototypeOf(new Map().values())], ["string iterator", Object.getPrototypeOf(""[Symbol.iterator]())], ["matches", Object.getPrototypeOf("".matchAll(/x/g))], ["typed arrays", Object.getPrototypeOf(Uint8Array)]);
while (queue.length > 0) {
  const [path, value] = queue.pop();
  if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
  seen.add(value);
  // Packages raise the limit of stack traces, which is let pass.
  if (!Object.isFrozen(value) && value !== Error) open.push(path);
  queue.push([path + ".__proto__", Object.getPrototypeOf(value)]);
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
    for (const inner of [descriptor.value, descriptor.get, descriptor.set]) if (typeof inner === "function" ? Object.hasOwn(inner, "prototype") : typeof inner === "object") queue.push([path + "." + String(key), inner]);
  }
}
return open.slice(0, 10).join();`,
  sliceMs: 20000,
  check: (seen) => !JSON.stringify(seen.outcomes).includes("Iterator.prototype"),
  expected: [{ value: "" }],
};
export default attack;
