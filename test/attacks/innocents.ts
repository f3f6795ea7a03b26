/** Calls of other files that go on all the time and must all come out right, whatever an attack does. */

import type { LoadedProgram, Sandbox } from "../../core/sandbox/sandbox.ts";
import { bodyOf, phaseCall } from "../helpers/sandboxes.ts";
import { fileOf } from "./attack-code.ts";
import { unitSpec } from "./unit-spec.ts";

export interface Innocents {
  /** One call, now; undefined when it came out right. */
  call(): Promise<string | undefined>;
  /** What went wrong since the last time. */
  takeFailures(): readonly string[];
  readonly count: number;
  stop(): Promise<void>;
}

const everyMs = 5;
/** On a slow machine they would pile up. */
const mostAtOnce = 40;

export async function startInnocents(sandbox: Sandbox): Promise<Innocents> {
  const rule = fileOf(`defineRule((request, params, context) => context.facts.model + "/" + context.requestId)`);
  const hook = fileOf(
    `defineHook({ preCall(request, context) { request.max_tokens = request.messages.length; context.annotate("id", context.requestId); } })`,
  );
  const program = await sandbox.load([
    unitSpec({ unit: 0, kind: "rule", file: "rules/innocent.ts", code: rule, hash: "innocent rule" }),
    unitSpec({ unit: 1, kind: "hook", file: "hooks/innocent.ts", code: hook, hash: "innocent hook" }),
  ]);
  let failures: string[] = [];
  let count = 0;
  const open = new Set<Promise<void>>();
  const call = async (): Promise<string | undefined> => {
    count++;
    return count % 2 === 0 ? callRule(program) : callHook(program);
  };
  const callAndNote = async (): Promise<void> => {
    const failure = await call();
    if (failure !== undefined) failures.push(failure);
  };
  const timer = setInterval(() => {
    if (open.size >= mostAtOnce) return;
    const one: Promise<void> = callAndNote().finally(() => open.delete(one));
    open.add(one);
  }, everyMs);

  return {
    call,
    takeFailures() {
      const taken = failures;
      failures = [];
      return taken;
    },
    get count() {
      return count;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      program.release();
    },
  };
}

async function callRule(program: LoadedProgram): Promise<string | undefined> {
  const call = phaseCall([0], { phase: "rule", body: bodyOf({ model: "claude", messages: [] }) });
  const outcomes = await program.run(call);
  return outcomes[0]?.verdict === `claude/${call.context.requestId}` ? undefined : `an innocent rule got ${JSON.stringify(outcomes)}`;
}

async function callHook(program: LoadedProgram): Promise<string | undefined> {
  const body = bodyOf({ model: "claude", max_tokens: 1, messages: [{ role: "user", content: "hello" }, 1, 2] });
  const call = phaseCall([1], { body });
  const [outcome] = await program.run(call);
  const isRight =
    JSON.stringify(outcome?.patch) === '{"o":{"max_tokens":{"v":"3"}}}' && outcome?.writes?.annotations?.["id"] === call.context.requestId;
  return isRight ? undefined : `an innocent hook got ${JSON.stringify(outcome)}`;
}
