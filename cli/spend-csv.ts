/** A cost table for spreadsheets and scripts: one line for each name, no total. */

import type { CostTable } from "../core/reports/cost-table.ts";

/** Costs that are not known are empty cells. */
export function spendCsv({ by, rows }: CostTable): string {
  const header = [
    by,
    "requests",
    "cost_usd",
    "unknown_cost_requests",
    "saved_usd",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cache_hits",
  ];
  const lines = rows.map(({ name, requests, cost_usd, unknown_cost_requests, saved_usd, tokens, cache_hits }) => {
    const { input, output, cache_read, cache_write, reasoning } = tokens;
    const numbers = [requests, cost_usd, unknown_cost_requests, saved_usd, input, output, cache_read, cache_write, reasoning, cache_hits];
    return [textCell(name), ...numbers.map((number) => (number === null ? "" : decimal(number)))];
  });
  return [header, ...lines].map((cells) => `${cells.join(",")}\n`).join("");
}

/** A spreadsheet would run what begins like a formula; callers choose names of sessions and models. */
function textCell(text: string): string {
  const harmless = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** Small amounts without an exponent, to the nano-dollar. */
function decimal(number: number): string {
  return Number.isInteger(number) ? String(number) : number.toFixed(9).replace(/0+$/, "");
}
