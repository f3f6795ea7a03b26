/** `ccproxy explain`: which rules and hooks act on a request, what each returned or changed, and where the request goes. */

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { countFaults, formatFaults } from "../../core/config/format.ts";
import { loadConfig } from "../../core/config/load.ts";
import { explainRequest, type Explanation } from "../../core/explain.ts";
import type { ExplainedTrace } from "../../core/explain-trace.ts";
import { createRegistry } from "../../core/registry.ts";
import { buildSnapshot } from "../../core/snapshot.ts";
import { createUserCodeRuntime } from "../../core/user-code-runtime.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import { ProxyError } from "../../sdk/errors.ts";
import { configDirectory, existingConfigDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { askServer } from "../control.ts";
import { painter, type Paint } from "../display.ts";
import { describeExplained } from "../explained-steps.ts";
import { CliFailure } from "../failure.ts";
import { silentLogger } from "../silent-logger.ts";
import { inspectState } from "../state.ts";

interface ExplainOptions extends CommonOptions {
  readonly request: string;
  readonly json?: boolean;
}

const explain: Command<ExplainOptions> = async (context, options) => {
  const { stdout } = context;
  const paint = painter(stdout);
  const isPast = options.request === "last" || /^req_[\da-f]+$/.test(options.request);
  if (isPast) {
    const trace = await askForTrace(context, options);
    if (options.json === true) stdout.write(`${JSON.stringify(trace, undefined, 2)}\n`);
    else stdout.write(describePast(trace, paint));
    return 0;
  }
  const explanation = await tryOut(context, options);
  if (options.json === true) stdout.write(`${JSON.stringify(explanation, undefined, 2)}\n`);
  else stdout.write(describeTrial(options.request === "-" ? "the input" : options.request, explanation, paint));
  return explanation.outcome.type === "refused" ? 1 : 0;
};
export default explain;

interface PastRequest extends ExplainedTrace {
  readonly requestId: string;
}

async function askForTrace(context: CliContext, options: ExplainOptions): Promise<PastRequest> {
  const found = await inspectState(configDirectory(context, options));
  if (found.type !== "running")
    throw new CliFailure(
      `no server runs that could know of ${options.request === "last" ? "a last request" : "this request"}; "ccproxy start" starts one, "ccproxy explain FILE" needs none`,
    );
  const answer = await askServer(found.server, `/ccproxy/traces/${options.request}`);
  const value: PastRequest & { readonly error?: { readonly message: string } } = JSON.parse(answer.body);
  if (answer.status !== 200) throw new CliFailure(value.error?.message ?? `the server answered with status ${answer.status}`);
  return value;
}

async function tryOut(context: CliContext, options: ExplainOptions): Promise<Explanation> {
  const bytes = await readRequest(context, options.request);
  const directory = await existingConfigDirectory(context, options);
  const loaded = await loadConfig({ directory, environment: context.env });
  const registry = createRegistry(builtinPlugins);
  const userCode = createUserCodeRuntime({ registry, environment: context.env, logger: silentLogger });
  try {
    const { snapshot, faults } = await buildSnapshot(loaded, { registry, ...userCode }, 1, new Date());
    if (snapshot === undefined) throw new CliFailure(`the configuration has ${countFaults(faults)}:\n${formatFaults(faults).trimEnd()}`);
    return await explainRequest(bytes, { snapshot, registry, mapError: userCode.mapError, logger: silentLogger });
  } catch (error) {
    if (error instanceof ProxyError) throw new CliFailure(error.message, 1, { cause: error });
    throw error;
  } finally {
    await userCode.close();
  }
}

async function readRequest(context: CliContext, file: string): Promise<Uint8Array> {
  if (file === "-") return await buffer(context.stdin);
  const path = resolve(context.cwd, file);
  try {
    return await readFile(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    throw new CliFailure(`there is no file ${file}; wanted a file with the JSON of a request, "-", "last", or an id such as req_4f0c…`, 2);
  }
}

function describePast(trace: PastRequest, paint: Paint): string {
  const hint = trace.recorded
    ? ""
    : paint("dim", "What changed is kept with `record: true` in ccproxy.yaml; this request was not recorded.\n");
  return `${paint("bold", trace.requestId)}\n${describeExplained(trace.steps, paint)}${hint}`;
}

function describeTrial(name: string, explanation: Explanation, paint: Paint): string {
  const { model, messages, bytes, steps, outcome, logs } = explanation;
  const size = `${messages} message${messages === 1 ? "" : "s"}, ${bytes} bytes`;
  const lines = logs.map(({ file, text }) => paint("dim", `  │ ${file}: ${text}\n`)).join("");
  return (
    `${paint("bold", name)}: ${model === "" ? "no model" : model}, ${size}\n${describeExplained(steps, paint)}${lines}\n` +
    `${describeOutcome(explanation, paint)}\n` +
    paint("dim", `Nothing was sent${outcome.type === "refused" ? "" : ", and nothing kept"}; state and stores were taken as empty.\n`)
  );
}

function describeOutcome({ outcome, target, label, labelledBy }: Explanation, paint: Paint): string {
  const by = label === null ? "no label" : `label ${paint("cyan", label)}, given by ${labelledBy}`;
  if (outcome.type === "refused") return `${paint("red", `Refused with ${outcome.status}`)}: ${outcome.message}`;
  if (outcome.type === "sent") return `${paint("green", "Goes to")} ${target?.model} at ${target?.deployment}, ${outcome.url} (${by})`;
  return outcome.by === "hook"
    ? `${paint("green", "Answered")} by a hook, no model is asked`
    : `${paint("green", "Answered")} with the mock_response of ${target?.deployment} (${by})`;
}
