/** What the bench of the sandbox runs: the rules and hooks, and the same without a sandbox. */

import { createContext, Script } from "node:vm";
import type { UnitSpec } from "../core/sandbox/sandbox.ts";
import { createRequestBody } from "../core/body/request-body.ts";
import type { Facts } from "../sdk/facts.ts";
import { readFacts } from "./sandbox-context.ts";

export type CaseName = "rule" | "ten rules" | "sets a field" | "edits the last message";

export interface SandboxCase {
  readonly name: CaseName;
  readonly phase: "rule" | "preCall";
  readonly units: readonly UnitSpec[];
  /** The same in this process; returns whether it did what it should. */
  readonly inProcess: (bytes: Buffer) => boolean;
  /** The same in a context of node:vm with a timeout; undefined where it would show nothing new. */
  readonly inVm: ((bytes: Buffer) => boolean) | undefined;
}

const rule = "(facts) => facts.model.includes('no such model') && facts.messageCount > 0";
const setsField = "(request) => { request.max_tokens = 1000; }";
const editsLast = "(request) => { const message = request.messages.at(-1); message.content = [{ type: 'text', text: 'edited' }]; }";

const ruleUnit = `__exports = { default: (request, params, context) => (${rule})(context.facts) };`;
const hookUnit = (code: string): string => `__exports = { default: { preCall: ${code} } };`;

const factsOf = (bytes: Buffer): Facts => readFacts(createRequestBody(bytes));

/** Compiled in this process, which is what the sandbox is compared with. */
function compiled(code: string): (value: object) => unknown {
  const made: unknown = new Script(`(${code})`).runInThisContext();
  if (typeof made !== "function") throw new TypeError("the code is no function");
  return (value) => Reflect.apply(made, undefined, [value]);
}

function contextified(code: string): (value: object) => unknown {
  const context = createContext({ value: undefined });
  new Script(`globalThis.code = ${code}`).runInContext(context);
  const call = new Script("code(value)");
  return (value) => {
    context["value"] = value;
    return call.runInContext(context, { timeout: 1000 });
  };
}

function parseEditWrite(code: string): (bytes: Buffer) => boolean {
  const edit = compiled(code);
  return (bytes) => {
    const request: unknown = JSON.parse(bytes.toString());
    if (typeof request !== "object" || request === null) return false;
    edit(request);
    return Buffer.from(JSON.stringify(request)).length > 0;
  };
}

const ruleHere = compiled(rule);
const ruleInVm = contextified(rule);

export function sandboxCases(): readonly SandboxCase[] {
  return [
    {
      name: "rule",
      phase: "rule",
      units: [unit(0, "rule", ruleUnit)],
      inProcess: (bytes) => ruleHere(factsOf(bytes)) === false,
      inVm: (bytes) => ruleInVm(factsOf(bytes)) === false,
    },
    {
      name: "ten rules",
      phase: "rule",
      units: Array.from({ length: 10 }, (_, index) => unit(index, "rule", ruleUnit)),
      inProcess(bytes) {
        const facts = factsOf(bytes);
        let matches = 0;
        for (let index = 0; index < 10; index++) if (ruleHere(facts) !== false) matches++;
        return matches === 0;
      },
      inVm: undefined,
    },
    {
      name: "sets a field",
      phase: "preCall",
      units: [unit(0, "hook", hookUnit(setsField))],
      inProcess: parseEditWrite(setsField),
      inVm: undefined,
    },
    {
      name: "edits the last message",
      phase: "preCall",
      units: [unit(0, "hook", hookUnit(editsLast))],
      inProcess: parseEditWrite(editsLast),
      inVm: undefined,
    },
  ];
}

/** A hook that looks at every event and changes one in a hundred. */
export const eventHook: UnitSpec = unit(
  0,
  "hook",
  "__exports = { default: { onEvent(event) { if (event.delta?.text?.endsWith('00')) event.delta.text = 'changed'; } } };",
);

export function unit(index: number, kind: UnitSpec["kind"], code: string): UnitSpec {
  return {
    unit: index,
    kind,
    file: `${kind}s/${index}.ts`,
    code,
    exportName: "default",
    params: { positional: [], named: {} },
    env: {},
    grants: { fetch: false, callModel: false, kv: false, replyTools: false },
    pseudonymKey: "0".repeat(64),
    hash: `${kind}:${index}:${code}`,
    // On a machine that does other things as well, a run that gets no processor for a while is no failure here.
    limits: { sliceMs: 1000, timeoutMs: 5000 },
  };
}
