/** What was spent, for people: a line for each name with a small bar, what all of it comes to, and what is not known, in words. */

import { printable } from "../core/config/describe.ts";
import type { CostFigures, CostGrouping, CostTable } from "../core/reports/cost-table.ts";
import { wrap, type Paint } from "./display.ts";
import { columnsOf, cut, padded, type Cells } from "./spend-columns.ts";

export interface SpendLook {
  /** Columns of the terminal; Infinity where it is none. */
  readonly width: number;
  /** Whether more than ASCII shows. */
  readonly isUnicode: boolean;
  readonly paint: Paint;
}

const narrowest = 60;
/** Sentences are read more easily when they are not as wide as a screen. */
const widestText = 80;

export function spendTable(table: CostTable, { width, isUnicode, paint }: SpendLook): string {
  const { by, rows, total, from } = table;
  const title = `Spend by ${by} since ${from === null ? "the beginning" : `${from.slice(0, 16).replace("T", " ")} UTC`}`;
  if (rows.length === 0) return `${title}: no requests\n`;
  const room = Math.max(narrowest, width);
  const money = moneyFormat([total, ...rows]);
  const dash = isUnicode ? "–" : "-";
  const cells = (name: string, figures: CostFigures): Cells => ({
    name,
    cost: figures.cost_usd === null ? "unknown" : money(figures.cost_usd),
    requests: String(figures.requests),
    saved: figures.saved_usd === null || figures.saved_usd === 0 ? dash : money(figures.saved_usd),
    tokens: shortCount(allTokens(figures)),
    note: noteOf(figures),
  });
  const body = rows.map((row) => ({ cells: cells(row.name === "" ? "(none)" : printable(row.name), row), cost: row.cost_usd ?? 0 }));
  const foot = cells("total", total);
  const layout = columnsOf([...body.map((row) => row.cells), foot], by, room);
  const dearest = Math.max(...body.map(({ cost }) => cost));
  const line = (row: Cells, bar: string, style: Parameters<Paint>[0] | undefined): string => {
    const texts = layout.columns.map(({ name, width: own, isRight }) => {
      const text = name === "bar" ? bar : (row[name] ?? "");
      const cell = padded(cut(text, own, isUnicode), own, isRight);
      return name === "bar" ? paint("cyan", cell) : style === undefined ? cell : paint(style, cell);
    });
    return `${texts.join("  ").trimEnd()}\n`;
  };
  const heads = Object.fromEntries(layout.columns.map(({ name, head }) => [name, head]));
  const lines = [
    `${paint("bold", title)}\n\n`,
    line(heads, "", "dim"),
    ...body.map((row) => line(row.cells, barOf(row.cost / (dearest || 1), layout.barWidth, isUnicode), undefined)),
    line(foot, "", "bold"),
  ];
  const words = sentences(by, total, money).flatMap((sentence) => wrap(sentence.split(" "), Math.min(room, widestText)));
  return [...lines, ...(words.length === 0 ? [] : ["\n"]), ...words.map((text) => `${text}\n`)].join("");
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** Whatever costs anything has a bar. @param share from 0 to 1 */
function barOf(share: number, width: number, isUnicode: boolean): string {
  if (share <= 0) return "";
  if (!isUnicode) return "#".repeat(Math.max(1, Math.round(share * width)));
  const parts = Math.max(1, Math.round(share * width * 8));
  return "█".repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? "");
}

/** As many digits as the largest amount deserves, the same for all, so that they can be compared by eye. */
function moneyFormat(all: readonly CostFigures[]): (usd: number) => string {
  const largest = Math.max(...all.flatMap(({ cost_usd, saved_usd }) => [cost_usd ?? 0, Math.abs(saved_usd ?? 0)]));
  const digits = largest >= 1 ? 2 : 4;
  const least = 10 ** -digits;
  const format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (usd) => {
    const sign = usd < 0 ? "-" : "";
    const amount = Math.abs(usd);
    if (amount === 0) return "$0";
    return amount < least ? `${sign}<$${least.toFixed(digits)}` : `${sign}$${format.format(amount)}`;
  };
}

function noteOf({ requests, unknown_cost_requests: unknown }: CostFigures): string {
  return unknown === 0 || unknown === requests ? "" : `+ ${unknown} unknown`;
}

function sentences(by: CostGrouping, total: CostFigures, money: (usd: number) => string): readonly string[] {
  const { unknown_cost_requests: unknown, saved_usd: saved, cache_hits: hits } = total;
  return [
    ...(unknown === 0 ? [] : [`The cost of ${requests(unknown)} is not known and is in none of these sums.`]),
    ...(saved === null || saved === 0
      ? []
      : saved > 0
        ? [`Routing saved ${money(saved)} against the models that were asked for.`]
        : [`Routing cost ${money(-saved)} more than the models that were asked for would have.`]),
    ...(hits === 0 ? [] : [`The cache answered ${requests(hits)}.`]),
    ...(by === "tag" ? ["A request counts for each of its tags, and once in the total."] : []),
  ];
}

function requests(count: number): string {
  return count === 1 ? "1 request" : `${count} requests`;
}

function allTokens({ tokens }: CostFigures): number {
  return tokens.input + tokens.output + tokens.cache_read + tokens.cache_write;
}

/** e.g. `950`, `1.2k`, `34k`, `5.6M`. */
function shortCount(count: number): string {
  const units = ["", "k", "M", "G", "T"];
  let value = count;
  let unit = 0;
  // 999.5 would be shown as 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)}${units[unit] ?? ""}`;
}
