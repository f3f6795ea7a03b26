/** `ccproxy spend`: what the requests of the running server cost, and what routing saved. */

import type { WriteStream } from "node:tty";
import type { CostGrouping, CostTable } from "../../core/reports/cost-table.ts";
import { configDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { askServer } from "../control.ts";
import { painter } from "../display.ts";
import { CliFailure } from "../failure.ts";
import { spendCsv } from "../spend-csv.ts";
import { spendTable, type SpendLook } from "../spend-table.ts";
import { inspectState } from "../state.ts";

interface SpendOptions extends CommonOptions {
  readonly by: CostGrouping;
  /** `7d`, `24h`, a date, or `all`; the server reads it. */
  readonly since: string;
  readonly csv?: boolean;
  readonly json?: boolean;
}

/** A ledger of years takes a while to add up. */
const answerMs = 60_000;

const spend: Command<SpendOptions> = async (context, options) => {
  const table = await askForTable(context, options);
  const { stdout } = context;
  if (options.json === true) stdout.write(`${JSON.stringify(table, undefined, 2)}\n`);
  else if (options.csv === true) stdout.write(spendCsv(table));
  else stdout.write(spendTable(table, lookOf(context)));
  return 0;
};
export default spend;

async function askForTable(context: CliContext, options: SpendOptions): Promise<CostTable> {
  const found = await inspectState(configDirectory(context, options));
  if (found.type !== "running") throw new CliFailure('no server runs that could know what was spent; "ccproxy start" starts one');
  const query = new URLSearchParams({ by: options.by, since: options.since });
  const answer = await askServer(found.server, `/ccproxy/spend?${query.toString()}`, answerMs);
  if (answer.status === 200) return JSON.parse(answer.body) as CostTable;
  const { error }: { readonly error?: { readonly message: string } } = parsed(answer.body);
  throw new CliFailure(error?.message ?? `the server answered with status ${answer.status}`, answer.status === 400 ? 2 : 1);
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Names are cut for terminals only. */
function lookOf({ stdout, env }: CliContext): SpendLook {
  const { isTTY, columns } = stdout as Partial<WriteStream>;
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "");
  const isTerminal = isTTY === true;
  return {
    width: isTerminal ? (columns ?? 80) : Infinity,
    isUnicode: isTerminal && /utf-?8/i.test(locale ?? ""),
    paint: painter(stdout),
  };
}
