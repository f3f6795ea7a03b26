import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { createUserLog } from "../../../core/capabilities/user-log.ts";
import type { LogFields, Logger } from "../../../sdk/log.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorder(): { readonly logger: Logger; readonly lines: (readonly [string, LogFields, string | undefined])[] } {
  const lines: (readonly [string, LogFields, string | undefined])[] = [];
  const at = (level: string) => (fields: LogFields, message?: string) => void lines.push([level, fields, message]);
  return { logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }, lines };
}

const info = (text: string): { readonly level: "info"; readonly text: string } => ({ level: "info", text });

describe("what user code logs", () => {
  test("comes with its file, request and level", () => {
    const { logger, lines } = recorder();
    createUserLog(logger).write("hooks/a.ts", "req_1", [info("hello"), { level: "error", text: "oh" }]);
    expect(lines).toEqual([
      ["info", { file: "hooks/a.ts", requestId: "req_1", text: "hello" }, "user code"],
      ["error", { file: "hooks/a.ts", requestId: "req_1", text: "oh" }, "user code"],
    ]);
  });

  test("is cut at 8 KiB a line", () => {
    const { logger, lines } = recorder();
    createUserLog(logger).write("hooks/a.ts", "req_1", [info("x".repeat(10_000))]);
    expect(lines[0]?.[1]["text"]).toBe(`${"x".repeat(8192)}… (1808 more characters)`);
  });

  test("is at most 64 KiB per file in a second; then one line says what was dropped", () => {
    const { logger, lines } = recorder();
    const log = createUserLog(logger);
    for (let index = 0; index < 1000; index++) log.write("hooks/a.ts", "req_1", [info("x".repeat(850))]);
    expect(lines).toHaveLength(65);
    log.write("hooks/b.ts", "req_2", [info("another file")]);
    expect(lines).toHaveLength(66);
    vi.advanceTimersByTime(1000);
    expect(lines.slice(66)).toEqual([
      [
        "warn",
        { file: "hooks/a.ts", droppedLines: 935, droppedBytes: 935 * 850 },
        "user code logged too much: at most 65536 bytes per file in 1000 ms are kept",
      ],
    ]);
    log.write("hooks/a.ts", "req_3", [info("again")]);
    expect(lines.at(-1)?.[1]).toMatchObject({ text: "again" });
    vi.advanceTimersByTime(10_000);
    expect(lines).toHaveLength(68);
  });

  test("that was dropped is said at a stop too, once", () => {
    const { logger, lines } = recorder();
    const log = createUserLog(logger);
    for (let index = 0; index < 100; index++) log.write("hooks/a.ts", "req_1", [info("x".repeat(850))]);
    log.flush();
    expect(lines.at(-1)?.[1]).toEqual({ file: "hooks/a.ts", droppedLines: 35, droppedBytes: 35 * 850 });
    log.flush();
    vi.advanceTimersByTime(1000);
    expect(lines.filter(([level]) => level === "warn")).toHaveLength(1);
  });

  test("counts in bytes, and an empty line is not free", () => {
    const { logger, lines } = recorder();
    const log = createUserLog(logger);
    log.write(
      "hooks/a.ts",
      "req_1",
      Array.from({ length: 100_000 }, () => info("")),
    );
    log.write(
      "hooks/b.ts",
      "req_1",
      Array.from({ length: 10 }, () => info("é".repeat(8000))),
    );
    expect(lines.filter(([, { file }]) => file === "hooks/a.ts").length).toBeLessThan(500);
    expect(lines.filter(([, { file }]) => file === "hooks/b.ts")).toHaveLength(4);
  });
});
