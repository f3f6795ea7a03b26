import { PassThrough } from "node:stream";

import { describe, expect, it } from "vitest";

import { formatLogLine } from "../../../core/log/human.ts";

function shown(record: object): readonly string[] {
  const line = JSON.stringify({ level: "warn", time: "2026-11-22T10:00:00.000Z", ...record });
  return formatLogLine(line, new PassThrough())
    .split("\n")
    .map((text) => text.replace(/^\d\d:\d\d:\d\d /, ""));
}

describe("a line of the log for a person", () => {
  it("shows the code that an error is about below the message, and no stack", () => {
    const frame = "  7 | throw new Error()\n    |       ^";
    expect(shown({ msg: "a rule failed", requestId: "req_1", frame, stack: "at rules/x.ts:7:9" })).toEqual([
      "warn  a rule failed requestId=req_1",
      "    7 | throw new Error()",
      "      |       ^",
    ]);
  });

  it("shows each finding of a refused configuration on a line of its own", () => {
    const faults = [
      { severity: "error", file: "/c/rules/x.ts", line: 2, column: 5, message: "Unexpected end of file.", frame: "  2 | (\n    |  ^" },
      { severity: "error", file: "/c/config.yaml", message: "is missing" },
    ];
    expect(shown({ level: "error", msg: "refused", faults })).toEqual([
      "error refused",
      "  /c/rules/x.ts:2:5: Unexpected end of file.",
      "    2 | (",
      "      |  ^",
      "  /c/config.yaml: is missing",
    ]);
    expect(shown({ level: "info", msg: "reloaded", faults: 2 })).toEqual(["info  reloaded faults=2"]);
  });

  it("does not say again what the message says", () => {
    expect(shown({ msg: "rules/x.ts threw", file: "rules/x.ts", n: 3 })).toEqual(["warn  rules/x.ts threw n=3"]);
  });

  it("lets no logged text move the cursor or forge a line", () => {
    const [line, ...others] = shown({ msg: "a\u001b[2Jb\n12:00:00 200", frame: "x\u001b[2J\r12:00:00 forged" });
    expect(line).toBe("warn  a [2Jb 12:00:00 200");
    expect(others).toEqual(["  x [2J 12:00:00 forged"]);
  });
});
