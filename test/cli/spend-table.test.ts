import { describe, expect, test } from "vitest";

import { textWidth } from "../../cli/spend-columns.ts";
import { spendCsv } from "../../cli/spend-csv.ts";
import { spendTable } from "../../cli/spend-table.ts";
import type { CostFigures, CostRow, CostTable } from "../../core/reports/cost-table.ts";

const figures: CostFigures = {
  requests: 1,
  cost_usd: 1,
  unknown_cost_requests: 0,
  saved_usd: 0,
  tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0, reasoning: 0 },
  cache_hits: 0,
};

function tableOf(rows: readonly (Partial<CostFigures> & { readonly name: string })[], total: Partial<CostFigures> = {}): CostTable {
  const whole: readonly CostRow[] = rows.map((row) => ({ ...figures, ...row }));
  return { from: "2026-11-16T12:00:00.000Z", to: "2026-11-23T12:00:00.000Z", by: "label", rows: whole, total: { ...figures, ...total } };
}

function shown(table: CostTable, width = 80, isUnicode = true): readonly string[] {
  return spendTable(table, { width, isUnicode, paint: (_style, text) => text }).split("\n");
}

const line = (lines: readonly string[], name: string): string => lines.find((text) => text.startsWith(name)) ?? "";

describe("the table", () => {
  test("gives all amounts the digits of the largest, and calls nothing free that is not", () => {
    const large = shown(
      tableOf([
        { name: "a", cost_usd: 1234.5 },
        { name: "b", cost_usd: 0.001 },
        { name: "c", cost_usd: 0 },
      ]),
    );
    expect(line(large, "a")).toContain("$1,234.50");
    expect(line(large, "b")).toContain("<$0.01");
    expect(line(large, "c")).toMatch(/ \$0 /);
    const small = shown(tableOf([{ name: "a", cost_usd: 0.0123 }], { cost_usd: 0.0123 }));
    expect(line(small, "a")).toContain("$0.0123");
  });

  test("draws bars against the dearest, to an eighth; in ASCII where nothing else shows", () => {
    const table = tableOf([
      { name: "a", cost_usd: 8 },
      { name: "b", cost_usd: 4 + 1 / 24 },
      { name: "c", cost_usd: 1e-9 },
      { name: "d", cost_usd: null, unknown_cost_requests: 1 },
    ]);
    const bars = (lines: readonly string[]): readonly (string | undefined)[] =>
      ["a", "b", "c", "d"].map((name) => /[█▉▊▋▌▍▎▏#]+/.exec(line(lines, name))?.[0]);
    expect(bars(shown(table))).toEqual(["█".repeat(24), `${"█".repeat(12)}▏`, "▏", undefined]);
    expect(bars(shown(table, 80, false))).toEqual(["#".repeat(24), "#".repeat(12), "#", undefined]);
  });

  test.each([60, 61, 70, 79, 100])("fits %i columns whatever the names and sums are", (width) => {
    const name = "セッション".repeat(20);
    const big = { requests: 123_456_789, cost_usd: 1_234_567.89, saved_usd: -1_234_567.89, unknown_cost_requests: 12_345 };
    const lines = shown(tableOf([{ name, ...big }, { name: "n".repeat(200) }], big), width);
    for (const text of lines) expect(textWidth(text), text).toBeLessThanOrEqual(width);
    expect(line(lines, "total")).toContain("$1,234,567.89");
  });

  test("shows what a terminal would act on as its escape", () => {
    const lines = shown(tableOf([{ name: "\u001b[2Jx" }]));
    expect(lines.join("\n")).not.toContain("\u001b");
    expect(line(lines, "\\u001b[2Jx")).not.toBe("");
  });

  test.each([
    [{ saved_usd: 2.5 }, "Routing saved $2.50 against the models that were asked for."],
    [{ saved_usd: -2.5 }, "Routing cost $2.50 more than the models that were asked for would have."],
    [{ unknown_cost_requests: 2 }, "The cost of 2 requests is not known and is in none of these sums."],
    [{ cache_hits: 1 }, "The cache answered 1 request."],
  ])("says %j in words", (total, words) => {
    expect(shown(tableOf([{ name: "a" }], total))).toContain(words);
    expect(shown(tableOf([{ name: "a" }])).at(-2)).toMatch(/^total /);
  });

  test.each([
    [999, "999"],
    [1000, "1.0k"],
    [9999, "10k"],
    [999_499, "999k"],
    [999_500, "1.0M"],
    [12_345_678, "12M"],
  ])("%i tokens are %s", (input, wanted) => {
    const lines = shown(tableOf([{ name: "a", tokens: { ...figures.tokens, input } }]));
    expect(line(lines, "a").endsWith(` ${wanted}`)).toBe(true);
  });
});

describe("CSV", () => {
  test.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@sum", "'@sum"],
    [" =1", "' =1"],
    ["\t=1", "'\t=1"],
    ["＝1", "'＝1"],
    ['a"b', '"a""b"'],
    ["a,b", '"a,b"'],
    ["a=b", "a=b"],
  ])("the name %j is the cell %s", (name, cell) => {
    expect(
      spendCsv(tableOf([{ name }]))
        .split("\n")[1]
        ?.startsWith(`${cell},1,`),
    ).toBe(true);
  });

  test("has small amounts without an exponent", () => {
    expect(spendCsv(tableOf([{ name: "a", cost_usd: 1e-9, saved_usd: -2.5e-7 }]))).toContain("a,1,0.000000001,0,-0.00000025,");
  });
});
