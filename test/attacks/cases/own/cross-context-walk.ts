import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a walk from one rule to another that shares the isolate",
  where: "rule",
  body: String.raw`const own = globalThis;
const realms = new Set();
const seen = new Set();
const queue = [context, request, context.facts, context.facts.toolNames, context.facts.usedToolNames, context.params, context.headers, context.state, context.locals, context.kv, context.signal, context.env, context.grants, context.log, context.annotate, context.pseudonym, context.fetch, request.messages, request.tools, Symbol, new Error("x"), (() => { try { null.x; } catch (error) { return error; } })()];
const add = (value) => { if ((typeof value === "object" || typeof value === "function") && value !== null && !seen.has(value)) { seen.add(value); queue.push(value); } };
for (let count = 0; queue.length > 0 && count < 20000; count++) {
  const value = queue.pop();
  if ((typeof value !== "object" && typeof value !== "function") || value === null) continue;
  try { add(Object.getPrototypeOf(value)); } catch {}
  if (typeof value === "function") {
    try { const made = value.constructor("return globalThis")(); if (made !== own && typeof made === "object" && "Array" in made) realms.add(made); } catch {}
  }
  let keys = [];
  try { keys = Reflect.ownKeys(value); } catch {}
  for (const key of keys) {
    try { const descriptor = Reflect.getOwnPropertyDescriptor(value, key); add(descriptor?.get); add(descriptor?.set); } catch {}
    try { add(value[key]); } catch (error) { add(error); }
  }
}
return realms.size;`,
  isDirect: true,
  sliceMs: 20000,
  expected: [{ value: 0 }],
};
export default attack;
