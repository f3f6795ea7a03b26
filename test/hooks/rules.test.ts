import { describe, expect, test } from "vitest";

import { makeContext, makeRequest, runRule } from "ccproxy/sdk/testing";

import abRule from "../../hooks/ab-rule.ts";
import keywordRule from "../../hooks/keyword-rule.ts";
import stickyRule from "../../hooks/sticky-rule.ts";
import timeOfDayRule from "../../hooks/time-of-day-rule.ts";

describe("keyword-rule", () => {
  test.each([
    ["please Deploy it", { words: ["deploy"] }, true],
    ["redeployment", { words: ["deploy"] }, false],
    ["/deep what is this", { words: ["/deep"] }, true],
    ["a/deeper", { words: ["/deep"] }, false],
    ["das ist schön", { words: ["schö"] }, false],
    ["see JIRA-12", { pattern: String.raw`[a-z]+-\d+`, flags: "i" }, true],
    ["see JIRA-12", { pattern: String.raw`[a-z]+-\d+` }, false],
    ["anything", {}, false],
  ])("%s, %j: %s", async (text, params, wanted) => {
    expect(await runRule(keywordRule, makeRequest(text), params)).toBe(wanted);
  });

  test("looks at what the user said last, not at tool results and reminders", async () => {
    const request = makeRequest({
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "<system-reminder>deploy</system-reminder>" },
            { type: "text", text: "hello" },
          ],
        },
        { role: "assistant", content: "deploy" },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "deploy" }] },
      ],
    });
    expect(await runRule(keywordRule, request, { words: ["deploy"] })).toBe(false);
    expect(await runRule(keywordRule, request, { words: ["hello"] })).toBe(true);
  });
});

describe("time-of-day-rule", () => {
  /** UTC. 2 January 2026 is a Friday. */
  const at = (day: number, hour: number, minute = 0): number => Date.UTC(2026, 0, day, hour, minute);
  const night = { start: "22:00", end: "06:00" };
  test.each([
    [at(2, 9), { start: "09:00", end: "17:30" }, true],
    [at(2, 17, 29), { start: "09:00", end: "17:30" }, true],
    [at(2, 17, 30), { start: "09:00", end: "17:30" }, false],
    [at(2, 8, 59), { start: "9:00", end: "17:30" }, false],
    [at(2, 23), night, true],
    [at(2, 5, 59), night, true],
    [at(2, 6), night, false],
    [at(2, 0), { start: "00:00", end: "24:00" }, true],
    [at(2, 12), { start: "07:00", end: "07:00" }, true],
    [at(2, 23), { ...night, days: ["fri"] }, true],
    [at(3, 3), { ...night, days: ["fri"] }, true],
    [at(3, 23), { ...night, days: ["fri"] }, false],
    [at(5, 3), { ...night, days: ["sun"] }, true],
    [at(2, 21), { ...night, tz: "Europe/Berlin" }, true],
    [at(2, 21), { ...night, tz: "UTC" }, false],
    // 2 January in Tokyo, where it is Saturday already.
    [at(2, 23), { start: "08:00", end: "09:00", tz: "Asia/Tokyo", days: "sat" }, true],
  ])("%d %j: %s", async (now, params, wanted) => {
    expect(await runRule(timeOfDayRule, makeRequest(), params, { now })).toBe(wanted);
  });

  test.each([
    [{ start: "22:00" }, "params.end is missing"],
    [{ start: "25:00", end: "1:00" }, 'params.start is "25:00"; wanted a time'],
    [{ start: 1320, end: "1:00" }, "params.start is 1320; wanted a time"],
    [{ ...night, tz: "Mars/Base" }, 'params.tz is "Mars/Base"; wanted a time zone'],
    [{ ...night, days: ["friday"] }, 'params.days[0] is "friday"; wanted one of mon, tue'],
  ])("%j is told: %s", async (params, message) => {
    await expect(runRule(timeOfDayRule, makeRequest(), params)).rejects.toThrow(message);
  });
});

describe("ab-rule", () => {
  const share = async (params: object): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (let index = 0; index < 2000; index++) {
      const verdict = String(await runRule(abRule, makeRequest(), params, { session: `session-${index}` }));
      counts[verdict] = (counts[verdict] ?? 0) + 1;
    }
    return counts;
  };

  test("matches for about its share of the sessions", async () => {
    const { true: matched = 0 } = await share({ percent: 25 });
    expect(matched).toBeGreaterThan(400);
    expect(matched).toBeLessThan(600);
    expect(await share({ percent: 0 })).toEqual({ false: 2000 });
    expect(await share({ percent: 100 })).toEqual({ true: 2000 });
  });

  test("gives several labels their shares", async () => {
    const { a = 0, b = 0, false: none = 0 } = await share({ shares: { a: 10, b: 40 } });
    expect([a > 130 && a < 270, b > 700 && b < 900, none > 900 && none < 1100]).toEqual([true, true, true]);
  });

  test("is the same on every request of a session, and of a conversation without one", async () => {
    const first = makeRequest("first");
    const later = makeRequest({ messages: [...first.messages, { role: "assistant", content: "x" }, { role: "user", content: "y" }] });
    for (const options of [{ session: "s" }, {}]) {
      for (const salt of ["a", "b", "c", "d", "e", "f"]) {
        const params = { percent: 50, salt };
        expect(await runRule(abRule, later, params, options)).toBe(await runRule(abRule, first, params, options));
      }
    }
  });
});

describe("sticky-rule", () => {
  const params = { labels: { think: ["ultrathink"], cheap: "/quick" } };

  test("keeps the first label of a session", async () => {
    const context = makeContext({ session: "s1" });
    const ask = (text: string, given: object = params): Promise<unknown> => runRule(stickyRule, makeRequest(text), given, { context });
    expect(await ask("hello")).toBeUndefined();
    expect(await ask("/quick hello")).toBe("cheap");
    expect(await ask("ultrathink")).toBe("cheap");
    expect(await ask("hello")).toBe("cheap");
    expect(await ask("ultrathink", { labels: { think: "ultrathink" } })).toBe("think");
  });

  test("without a session nothing is kept", async () => {
    const context = makeContext();
    expect(await runRule(stickyRule, makeRequest("ultrathink"), params, { context })).toBe("think");
    expect(await runRule(stickyRule, makeRequest("hello"), params, { context })).toBeUndefined();
  });
});
