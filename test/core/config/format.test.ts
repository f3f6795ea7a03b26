import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { countFaults, formatFaults } from "../../../core/config/format.ts";
import type { Fault } from "../../../core/config/types.ts";

const error: Fault = { severity: "error", message: 'is "x"; wanted a number.', file: "/c/config.yaml", line: 2, column: 8, path: "a.b" };
const linesOf = (): readonly string[] => ["a:", "  b:   x"];

test("an error shows the line with a caret under the place", () => {
  expect(formatFaults([error], { linesOf })).toBe(
    ['/c/config.yaml:2:8: error: a.b is "x"; wanted a number.', "  2 |   b:   x", "    |        ^", ""].join("\n"),
  );
});

test("warnings and notes take one line", () => {
  expect(
    formatFaults(
      [
        { ...error, severity: "warning" },
        { severity: "note", message: "is accepted.", file: "/c/x" },
      ],
      { linesOf },
    ),
  ).toBe('/c/config.yaml:2:8: warning: a.b is "x"; wanted a number.\n/c/x: note: is accepted.\n');
});

test("no findings are no text", () => {
  expect(formatFaults([])).toBe("");
});

test("colour changes nothing but the look", () => {
  const colored = formatFaults([error], { linesOf, color: true });
  expect(colored).not.toBe(stripVTControlCharacters(colored));
  expect(stripVTControlCharacters(colored)).toBe(formatFaults([error], { linesOf }));
});

test("a file that cannot be read has no frame", () => {
  expect(formatFaults([{ ...error, file: "/nowhere/config.yaml" }])).toBe(
    '/nowhere/config.yaml:2:8: error: a.b is "x"; wanted a number.\n',
  );
});

test("of a long line the part around the place is shown", () => {
  const line = `${"a".repeat(500)}X${"b".repeat(500)}`;
  const [, frame, caret] = formatFaults([{ ...error, line: 1, column: 501 }], { linesOf: () => [line] }).split("\n");
  expect(frame!.length).toBeLessThan(120);
  expect(frame![caret!.indexOf("^")]).toBe("X");
});

test("tabs and control characters do not move the caret or reach the terminal", () => {
  const [, frame, caret] = formatFaults([{ ...error, line: 1, column: 5, message: "\u001b[2J", file: "\u001b]0;x" }], {
    linesOf: () => ["\t\u001b\u202e X"],
  }).split("\n");
  expect(frame).toBe("  1 |     X");
  expect(frame![caret!.indexOf("^")]).toBe("X");
  expect(formatFaults([{ ...error, message: "\u001b[2J", file: "\u001b]0;x" }], { linesOf })).not.toContain("\u001b");
});

test("findings are counted in words", () => {
  expect(countFaults([])).toBe("");
  expect(countFaults([error])).toBe("1 error");
  expect(countFaults([error, error, { ...error, severity: "note" }])).toBe("2 errors and 1 note");
  expect(countFaults([error, { ...error, severity: "warning" }, { ...error, severity: "note" }])).toBe("1 error, 1 warning and 1 note");
});

test("a line without end is not shown", () => {
  expect(formatFaults([{ ...error, line: 1, column: 5 }], { linesOf: () => ["api_key".repeat(100_000)] }).split("\n")).toHaveLength(2);
});

test("a frame that a finding brings takes the place of the file's line", () => {
  const frame = "  7 | const = 1;\n    |       ^";
  const code: Fault = { severity: "error", message: 'Unexpected "="', file: "/c/rules/a.ts", line: 7, column: 7, frame };
  expect(formatFaults([code], { linesOf })).toBe(`/c/rules/a.ts:7:7: error: Unexpected "="\n${frame}\n`);
  expect(formatFaults([{ ...code, frame: "" }], { linesOf: () => Array.from({ length: 9 }, () => "x") })).toBe(
    '/c/rules/a.ts:7:7: error: Unexpected "="\n',
  );
});
