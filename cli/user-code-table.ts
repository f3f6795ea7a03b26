/** Rules and hooks of the user's own as `ccproxy status` and `ccproxy check` show them. */

import type { StatusReport, UserUnitRow } from "../core/status.ts";
import { type Paint, table } from "./display.ts";

type UserCode = Pick<StatusReport["userCode"], "units" | "ignored"> & Partial<StatusReport["userCode"]>;

/** Empty text where there is nothing of the user's own. */
export function userCodeTable({ units, ignored, sandbox }: UserCode, paint: Paint): string {
  if (units.length === 0 && ignored.length === 0) return "";
  const rows = units.map((unit) => [
    unit.file,
    unit.kind,
    paint("cyan", describeUse(unit)),
    paint("dim", describeTerms(unit)),
    describeState(unit, paint),
  ]);
  const left = ignored.map(({ file, why }) => [file, paint("yellow", "not loaded"), why]);
  return `\n${paint("bold", "Your code")}\n${table(rows, "  ")}${table(left, "  ")}${describeHosts(sandbox ?? null, paint)}`;
}

function describeUse({ kind, label, phases }: UserUnitRow): string {
  return kind === "rule" ? (label ?? "") : phases.join(" ");
}

/** Where it comes from, and what the configuration lets it do. */
function describeTerms({ origin, reference, file, grants, required, onError }: UserUnitRow): string {
  const source = origin === "configured" && reference !== file ? `as ${reference}` : origin;
  const policy = required ? ["required"] : onError === "deny" ? ["on_error: deny"] : [];
  return [source, ...policy, ...grants].join(", ");
}

function describeState({ quarantined, summary }: UserUnitRow, paint: Paint): string {
  return quarantined === null ? paint("dim", summary ?? "") : paint("red", `out of use: ${quarantined}`);
}

function describeHosts(sandbox: StatusReport["userCode"]["sandbox"], paint: Paint): string {
  if (sandbox === null) return "";
  const { active, spare, kills, crashes } = sandbox;
  const hosts = [active, spare].flatMap((host, index) => {
    if (host === null) return [];
    const size = host.rssBytes === undefined ? "" : `, ${Math.round(host.rssBytes / 1_048_576)} MB`;
    return [`process ${host.pid}${size} (${index === 0 ? "works" : "stands by"})`];
  });
  const ends = kills + crashes === 0 ? [] : [`${kills} killed`, `${crashes} crashed`];
  return `  ${paint("dim", ["runs in", [...hosts, ...ends].join(", ") || "no process at the moment"].join(" "))}\n`;
}
