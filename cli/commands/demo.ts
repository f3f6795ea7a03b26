/** `ccproxy demo`: a proxy with a mock model, one request through it, and how it was routed. Needs no key and no network. */

import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { writePrivateFile } from "../../core/private-file.ts";
import type { RunningServer } from "../../core/server.ts";
import { version } from "../../core/version.ts";
import type { TraceStep } from "../../core/trace.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { askServer } from "../control.ts";
import { demoRequest, type DemoRequest } from "../demo-request.ts";
import { painter, table, wrap, type Paint } from "../display.ts";
import { CliFailure } from "../failure.ts";
import { startOrFail } from "../serve.ts";
import { textDeltas } from "../text-deltas.ts";
import { WrappedText } from "../wrapped-text.ts";

const rulesFile = `ccproxy:
  rules:
    - name: think
      rule: ccproxy.rules.ThinkingRule
      params:
        - min_effort: xhigh
    - name: subagent
      rule: ccproxy.rules.RequestClassRule
      params: [subagent]
`;
const modelsFile = `model_list:
  - model_name: think
    litellm_params:
      model: anthropic/claude-opus-5-5
      api_base: https://api.anthropic.com
  - model_name: subagent
    litellm_params:
      model: anthropic/claude-haiku-5-5
      mock_response: >-
        Hello from the mock model. Claude Code asked for Opus, but a rule saw that it is a subagent
        that asks, and so the request came to a smaller model.
`;
/** What the columns before them leave of 80. */
const detailColumns = 46;
const askedModel = "claude-opus-5-5";

const demo: Command<CommonOptions> = async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "ccproxy-demo-"));
  try {
    await writePrivateFile(join(directory, "ccproxy.yaml"), rulesFile);
    await writePrivateFile(join(directory, "config.yaml"), modelsFile);
    const server = await startOrFail({ configDir: directory, environment: {}, host: "127.0.0.1", port: 0, logTo: "none", watch: false });
    try {
      await show(context, server);
    } finally {
      await server.stop(0);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};
export default demo;

async function show({ stdout }: CliContext, server: RunningServer): Promise<void> {
  const paint = painter(stdout);
  const heading = (number: number, text: string): string => `\n${paint("bold", `${number}  ${text}`)}\n`;
  const ask = demoRequest(askedModel);
  stdout.write(`${paint("bold", `ccproxy ${version}`)}: one request, from Claude Code's side to the model's\n`);

  stdout.write(heading(1, "The proxy"));
  stdout.write(
    table(
      [
        ["address", `${server.url}, this machine only`],
        ["rule", "ThinkingRule from effort xhigh up → label think"],
        ["rule", "RequestClassRule subagent → label subagent"],
        ["model", "label think → claude-opus-5-5 at api.anthropic.com"],
        ["model", "label subagent → claude-haiku-5-5, here a mock that needs no key"],
      ].map(([name = "", value = ""]) => [paint("dim", name), value]),
      "   ",
    ),
  );

  stdout.write(heading(2, "The request, as Claude Code sends it for a subagent"));
  stdout.write(`   POST ${ask.path}  ${paint("cyan", askedModel)}, ${Buffer.byteLength(ask.body)} bytes, streaming\n`);

  stdout.write(heading(3, "The answer, as it arrives"));
  const response = await send(server, ask);
  const column = new WrappedText(stdout, `   ${paint("dim", "│")} `, 70);
  for await (const text of textDeltas(response)) column.write(text);
  column.end();
  stdout.write(`\n   ${paint("dim", `status ${response.statusCode}`)}\n`);
  for (const name of ["label", "model", "deployment", "request-id"]) {
    stdout.write(`   ${paint("dim", `x-ccproxy-${name}:`)} ${headerOf(response, `x-ccproxy-${name}`)}\n`);
  }

  stdout.write(heading(4, "How it was routed"));
  const steps = await traceOf(server, headerOf(response, "x-ccproxy-request-id"));
  stdout.write(table(describeSteps(steps, paint), "   "));

  stdout.write(`\n${paint("green", "That works.")} Next:\n`);
  stdout.write(
    table(
      [
        ["ccproxy install", paint("dim", "make a configuration folder of your own")],
        ["ccproxy run claude", paint("dim", "use Claude Code through it")],
      ],
      "   ",
    ),
  );
}

function send(server: RunningServer, { path, headers, body }: DemoRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sending = request(`${server.url}${path}`, { method: "POST", headers, agent: false }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else {
        response.resume();
        reject(new CliFailure(`the demo's request was answered with status ${response.statusCode}; please report this`));
      }
    });
    sending.on("error", reject);
    sending.end(body);
  });
}

/** The trace is complete once the exchange has settled, which may be a moment after its last byte came here. */
async function traceOf(server: RunningServer, requestId: string): Promise<readonly TraceStep[]> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await askServer(server, `/ccproxy/traces/${requestId}`);
    if (answer.status === 200) {
      const trace: { readonly steps: readonly TraceStep[] } = JSON.parse(answer.body);
      return trace.steps;
    }
    await setTimeout(10);
  }
  throw new CliFailure(`the proxy has no trace of the demo's request ${requestId}; please report this`);
}

/** One row a step, and more where its details need more than 80 columns. */
function describeSteps(steps: readonly TraceStep[], paint: Paint): string[][] {
  const times = steps.map(({ us }) => (us / 1000).toFixed(1));
  const width = Math.max(...times.map((time) => time.length));
  return steps.flatMap(({ stage, what, detail }, index) => {
    const details = Object.entries(detail ?? {}).map(
      ([name, value]) => `${paint("dim", `${name}=`)}${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    const [first = "", ...more] = wrap(details, detailColumns);
    return [
      [paint("dim", `${(times[index] ?? "").padStart(width)} ms`), paint("cyan", stage), what, first],
      ...more.map((line) => ["", "", "", line]),
    ];
  });
}

function headerOf(response: IncomingMessage, name: string): string {
  const value = response.headers[name];
  return typeof value === "string" ? value : "";
}
