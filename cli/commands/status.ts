/** `ccproxy status`: whether the server runs, where, and what is in force. */

import { existsSync } from "node:fs";
import { formatFaults } from "../../core/config/format.ts";
import type { StatusReport } from "../../core/status.ts";
import { configDirectory } from "../config-directory.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { duration, painter, shortPath, table, type Paint } from "../display.ts";
import { logFilePath } from "../log-path.ts";
import { routeTable } from "../route-table.ts";
import { userCodeTable } from "../user-code-table.ts";
import { inspectState, type RunState } from "../state.ts";

interface StatusOptions extends CommonOptions {
  readonly json?: boolean;
  readonly check?: boolean;
}

const status: Command<StatusOptions> = async (context, options) => {
  const directory = configDirectory(context, options);
  const found = await inspectState(directory);
  if (options.check === true) return found.type === "running" ? 0 : 1;
  const logPath = logFilePath(directory);
  const log = existsSync(logPath) ? logPath : null;
  if (options.json === true) printJson(context, found, directory, log);
  else if (found.type === "running") printRunning(context, found.report, log);
  else context.stdout.write(describeStopped(found, directory));
  return 0;
};
export default status;

function printJson({ stdout }: CliContext, found: RunState, directory: string, log: string | null): void {
  const value =
    found.type === "running"
      ? { running: true, ...found.report, log }
      : { running: false, state: found.type, config: { directory, exists: existsSync(directory) }, log };
  stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

function describeStopped(found: Exclude<RunState, { readonly type: "running" }>, directory: string): string {
  const folder = existsSync(directory)
    ? `Configuration in ${shortPath(directory)}; "ccproxy start" starts the server.\n`
    : `There is no configuration folder ${shortPath(directory)}; "ccproxy install" makes one.\n`;
  if (found.type === "none") return `ccproxy is not running\n${folder}`;
  if (found.type === "stale") return `ccproxy is not running; an earlier server left its state behind (${found.reason})\n${folder}`;
  const { pid, server } = found.state;
  return found.type === "starting"
    ? `ccproxy is starting (process ${pid})\n`
    : `ccproxy does not answer at ${server?.url ?? "its address"}: process ${pid} is stopping, or hangs; "ccproxy stop" ends it at once\n`;
}

function describeWorkers({ workers }: StatusReport, paint: Paint): string {
  const ready = workers.filter(({ isReady }) => isReady).length;
  const restarts = workers.reduce((sum, worker) => sum + worker.restarts, 0);
  const all = `${workers.length + 1} processes${restarts === 0 ? "" : `, ${restarts} started anew`}`;
  return ready === workers.length ? all : paint("yellow", `${all}, ${workers.length - ready} not ready`);
}

function describeStore({ name, keeps, isUp, problem, waiting = 0 }: StatusReport["stores"][number], paint: Paint): string {
  const late = waiting === 0 ? "" : `, ${waiting} writes on their way`;
  return `${keeps.join(", ")} in ${name}${late}${isUp ? "" : paint("red", `, which is away: ${problem ?? "no reason known"}`)}`;
}

function describeCache({ hits, coalesced, misses, stored }: NonNullable<StatusReport["cache"]>): string {
  const asked = hits + coalesced + misses;
  const ratio = asked === 0 ? "nothing asked yet" : `${Math.round(((hits + coalesced) / asked) * 100)} % of ${asked} answered from it`;
  return `${ratio}${coalesced === 0 ? "" : `, ${coalesced} of them at the same time as another`}, ${stored} kept`;
}

function printRunning({ stdout }: CliContext, report: StatusReport, log: string | null): void {
  const paint = painter(stdout);
  const { config, last } = report;
  const running = report.draining ? paint("yellow", "stopping") : paint("green", "running");
  const rows = [
    ["ccproxy", `${running} at ${paint("bold", report.url)}, version ${report.version}`],
    [
      "process",
      `${report.pid}, up ${duration(report.uptimeMs)}, ${report.openExchanges} open request${report.openExchanges === 1 ? "" : "s"}`,
    ],
    ...(report.workers.length === 0 ? [] : [["workers", describeWorkers(report, paint)]]),
    ["config", `${config.files.map(shortPath).join(", ")} (reading ${config.snapshot}, ${localTime(config.loadedAt)})`],
    ["log", log === null ? "none yet" : shortPath(log)],
    ...report.stores.map((store) => ["keeps", describeStore(store, paint)]),
    ...(report.cache === null ? [] : [["cache", describeCache(report.cache)]]),
    ["last", last === null ? "no request yet" : describeLast(last, paint)],
  ];
  stdout.write(table(rows.map(([name = "", value = ""]) => [paint("dim", name), value])));
  if (config.rejected !== null) {
    stdout.write(
      `\n${paint("red", `The files were changed at ${localTime(config.rejected.at)} and refused; what was read before stays in force:`)}\n`,
    );
    stdout.write(withLineFeed(formatFaults(config.rejected.faults)));
  }
  if (config.faults.length > 0) stdout.write(`\n${paint("bold", "Findings")}\n${withLineFeed(formatFaults(config.faults))}`);
  stdout.write(
    `\n${paint("bold", "Rules")}${report.rules.length === 0 ? ": none, every request keeps the model it asks for\n" : ", the first that matches gives the label\n"}`,
  );
  stdout.write(
    table(
      report.rules.map(({ label, rule, summary }) => [paint("cyan", label), rule, paint("dim", summary)]),
      "  ",
    ),
  );
  stdout.write(userCodeTable(report.userCode, paint));
  stdout.write(`\n${paint("bold", "Models")}\n${routeTable(report.routes, paint, report.deployments)}`);
}

function describeLast(last: NonNullable<StatusReport["last"]>, paint: Paint): string {
  const models = last.modelServed === last.modelAsked ? last.modelAsked : `${last.modelAsked} → ${last.modelServed}`;
  return `${localTime(last.at)}  ${last.status}  ${paint("cyan", last.label)}  ${models}`;
}

function localTime(time: string): string {
  const date = new Date(time);
  const clock = date.toTimeString().slice(0, 8);
  return date.toDateString() === new Date().toDateString() ? clock : `${date.toLocaleDateString("sv")} ${clock}`;
}

function withLineFeed(text: string): string {
  return text.endsWith("\n") || text === "" ? text : `${text}\n`;
}
