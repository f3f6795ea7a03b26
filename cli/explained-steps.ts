/** The steps of an explained request as text: one line each, and below it what changed. */

import type { ExplainedStep } from "../core/explain-trace.ts";
import { table, wrap, type Paint } from "./display.ts";

/** Of details in one line. */
const detailColumns = 90;

export function describeExplained(steps: readonly ExplainedStep[], paint: Paint): string {
  const heads = table(
    steps.map((step) => head(step, paint)),
    "  ",
  ).split("\n");
  return steps.map((step, index) => `${heads[index]}\n${below(step, paint)}`).join("");
}

/** What user code is known by stands in the columns; the rest of the details follows. */
const shownApart = new Set(["file", "rule", "phase", "us", "label", "changed", "error", "policy", "annotations"]);

function head({ stage, what, detail = {} }: ExplainedStep, paint: Paint): string[] {
  const { file, rule, phase, us, label } = detail;
  const isMatch = typeof label === "string" && what === "matched";
  const said = isMatch ? `${what} → ${paint("cyan", label)}` : what;
  const color = /failed|denied|refused/.test(what) ? "red" : /changed|responded/.test(what) && what !== "unchanged" ? "yellow" : undefined;
  return [
    paint("dim", text(phase) || stage),
    text(file) || text(rule),
    color === undefined ? said : paint(color, said),
    typeof us === "number" ? paint("dim", `${us} µs`) : "",
  ];
}

function below({ detail = {}, changes }: ExplainedStep, paint: Paint): string {
  const lines: string[] = [];
  if (typeof detail["error"] === "string") lines.push(paint("red", detail["error"]));
  for (const { path, before, after } of changes ?? []) {
    lines.push(path);
    if (before !== "") lines.push(paint("red", `- ${before}`));
    if (after !== "") lines.push(paint("green", `+ ${after}`));
  }
  if (changes === undefined && Array.isArray(detail["changed"])) lines.push(...wrap(detail["changed"].map(String), detailColumns));
  const rest = [...Object.entries(detail).filter(([name]) => !shownApart.has(name)), ...Object.entries(annotationsOf(detail))];
  lines.push(
    ...wrap(
      rest.map(([name, value]) => paint("dim", `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)),
      detailColumns,
    ),
  );
  return lines.map((line) => `      ${line}\n`).join("");
}

function annotationsOf({ annotations }: Readonly<Record<string, unknown>>): object {
  return typeof annotations === "object" && annotations !== null ? annotations : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
