import { describe, expect, it } from "vitest";
import { createBackground } from "../../core/background.ts";
import { createLateLogger } from "../../core/log/late-logger.ts";
import { keepLog } from "../helpers/keep-log.ts";

describe("work behind requests", () => {
  it("is waited for, with what it begins in turn, and its failure is told of", async () => {
    const failures: unknown[] = [];
    const background = createBackground((error) => failures.push(error));
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    background.add(first.promise.then(() => background.add(second.promise)));
    const failure = new Error("of the work");
    background.add(Promise.reject(failure));
    let isIdle = false;
    const idle = background.idle(60_000).then(() => (isIdle = true));
    first.resolve();
    await new Promise((resolve) => void setImmediate(resolve));
    expect([isIdle, failures]).toEqual([false, [failure]]);
    second.resolve();
    await idle;
  });

  it("is waited for no longer than that", async () => {
    const background = createBackground(() => undefined);
    background.add(new Promise(() => undefined));
    await background.idle(1);
  });
});

describe("a logger before there is a log", () => {
  it("keeps what it is told, in order, and hands it on", () => {
    const late = createLateLogger();
    const { logger, lines } = keepLog();
    late.warn({ a: 1 }, "one");
    late.error({}, "two");
    late.attach(logger);
    late.info({}, "three");
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ["warn", "one"],
      ["error", "two"],
      ["info", "three"],
    ]);
  });
});
