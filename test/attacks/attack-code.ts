/** The script that an attack becomes: a file like any other, with the hostile function in it. */

import type { Attack } from "./attack.ts";

/** The key of the operation that proves that an attack has been reached, whatever becomes of the host. */
export const reachedKey = "reached";

export function attackCode(attack: Attack): string {
  const { where, module } = attack;
  if (module !== undefined) return fileOf(module);
  return where === "load" ? loadCode(attack) : fileOf(`define(${JSON.stringify(where)}, ${handler(attack)})`, attackFunction(attack));
}

/** A file that exports the value of an expression. */
export function fileOf(expression: string, statements = ""): string {
  return `"use strict";
var __exports = (() => {
${helpers}
${statements}
return { default: ${expression} };
})();`;
}

function loadCode(attack: Attack): string {
  return fileOf(
    `define("preCall", (request, context) => { context.log("still there"); })`,
    `${attackFunction(attack)}
console.log("reached");
attack(undefined, { log: console.log, kv: undefined });`,
  );
}

function attackFunction({ body = "" }: Attack): string {
  return `function attack(request, context) {
const { log } = context;
const hostAsync = () => context.kv.get("more");
const href = { apply: hostAsync };
${body}
}`;
}

function handler({ isDirect, isRaw, where }: Attack): string {
  const report = isRaw === true ? "(value) => value" : "report";
  if (isDirect === true || where === "onEvent")
    return `(request, context) => { context.log("reached"); return (${report})(attack(request, context), context); }`;
  return `async (request, context) => {
  await context.kv.get("${reachedKey}");
  return (${report})(await attack(request, context), context);
}`;
}

const helpers = `const mark = (definition, kind) => Object.defineProperty(definition, Symbol.for("ccproxy.definition"), { value: kind });
const defineRule = (rule) => mark(typeof rule === "function" ? { evaluate: rule } : { ...rule }, "rule");
const defineHook = (hook) => mark({ ...hook }, "hook");
const respond = (reply) => ({ kind: "respond", reply });
const deny = (status, message) => ({ kind: "deny", status, message });
const define = (where, handler) =>
  where === "rule" ? defineRule((request, params, context) => handler(request, context)) : defineHook({ [where]: handler });
const report = (value, context) => {
  const isSimple = value === null || typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.length < 200);
  if (!isSimple) return value;
  context.annotate("value", value);
  return undefined;
};`;
