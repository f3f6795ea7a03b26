/**
 * `npm run test:litellm`: asks LiteLLM and ccproxy the same, and says where they differ without a reason. `--record` keeps what LiteLLM did
 * for the tests that run without it; `--only names` runs suites whose names have this in them.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { installLitellm, litellmVersion } from "../../scripts/litellm.ts";
import { type Difference, judge, readDifferences } from "./differences.ts";
import { waitReally } from "./outcome.ts";
import { readRecording, writeRecording } from "./recording.ts";
import { type Outcomes, runSuite } from "./run-suite.ts";
import { ccproxyStarter } from "./start-ccproxy.ts";
import { litellmStarter } from "./start-litellm.ts";
import { suites } from "./suites.ts";

const { values: options } = parseArgs({ options: { record: { type: "boolean", default: false }, only: { type: "string" } } });

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = installLitellm(join(root, ".cache/ccproxy-bench"));
if (typeof program === "string") await compare(program);
else skip(program.skipped);

function skip(why: string): void {
  const mayBeSkipped = process.env["CCPROXY_MAY_SKIP_LITELLM"] === "1";
  process.stderr.write(`SKIPPED: LITELLM CANNOT RUN HERE, SO NOTHING WAS COMPARED WITH IT. ${why}\n`);
  if (!mayBeSkipped) process.stderr.write("Set CCPROXY_MAY_SKIP_LITELLM=1 where this is expected.\n");
  process.exitCode = mayBeSkipped ? 0 : 1;
}

async function compare(litellm: string): Promise<void> {
  const differences = readDifferences();
  const recording = readRecording();
  const recorded: Record<string, Outcomes> = { ...recording.suites };
  const complaints: string[] = [];
  let compared = 0;
  for (const suite of suites.filter(({ name }) => options.only === undefined || name.includes(options.only))) {
    const theirs = await runSuite(suite, litellmStarter(litellm));
    if (options.record) recorded[suite.name] = theirs;
    const ours = await runSuite(suite, ccproxyStarter(waitReally));
    for (const { name } of suite.cases) {
      const did = { litellm: theirs[name] ?? "", ccproxy: ours[name] ?? "" };
      complaints.push(...complaintsAbout(name, did, recorded[suite.name]?.[name], differences.get(name)));
      compared += 1;
    }
    process.stderr.write(`${suite.name}: ${suite.cases.length} cases\n`);
  }
  if (options.record) {
    const known = Object.fromEntries(suites.map(({ name }) => [name, recorded[name] ?? {}]));
    writeRecording({ litellm: litellmVersion, recordedOn: new Date().toISOString().slice(0, 10), suites: known });
  }
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`);
  process.stdout.write(`${compared} cases compared with LiteLLM ${litellmVersion}; ${complaints.length} complaints\n`);
  if (complaints.length > 0) process.exitCode = 1;
}

function complaintsAbout(
  name: string,
  did: { readonly litellm: string; readonly ccproxy: string },
  recorded: string | undefined,
  difference: Difference | undefined,
): readonly string[] {
  const isStale = did.litellm !== recorded;
  const verdict = judge(did, difference);
  return [
    ...(isStale ? [`${name}: LiteLLM did\n  ${did.litellm}\nand recorded is\n  ${recorded}\nRun with --record if that is right.`] : []),
    ...(verdict === undefined ? [] : [`${name}: ${verdict}`]),
  ];
}
