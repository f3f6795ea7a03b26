import { beforeEach, expect, it } from "vitest";
import { createHealthBook, type HealthBook } from "../../../core/health/book.ts";

let time = 0;
let book: HealthBook;
beforeEach(() => {
  time = 1000;
  book = createHealthBook({ now: () => time, wallClock: () => time + 1e12 });
});

it("knows the newer of what a check found and what became of requests, while it is not too old", () => {
  expect(book.newest("a", 100)).toBeUndefined();
  book.checked("a", { state: "unhealthy", status: 503, error: "down" });
  time = 1010;
  book.answered("a");
  expect(book.newest("a", 100)).toEqual({ finding: { state: "healthy" }, by: "traffic", at: 1010, date: 1e12 + 1010 });
  time = 1020;
  book.failed("a", 500, "broken");
  expect(book.newest("a", 100)?.finding).toEqual({ state: "unhealthy", status: 500, error: "broken" });
  expect([book.answeredAt("a"), book.lastCheck("a")?.at]).toEqual([1010, 1000]);
  time = 1120;
  expect(book.newest("a", 100)?.at).toBe(1020);
  time = 1121;
  expect(book.newest("a", 100)).toBeUndefined();
});

it("takes a check that found nothing out for no evidence", () => {
  book.answered("a");
  time = 1010;
  book.checked("a", { state: "unknown", reason: "broken off" });
  expect(book.newest("a", 100)?.by).toBe("traffic");
  expect(book.lastCheck("a")?.finding.state).toBe("unknown");
});

it("forgets those that are gone", () => {
  book.answered("a");
  book.answered("b");
  book.keepOnly(new Set(["b"]));
  expect([book.answeredAt("a"), book.answeredAt("b")]).toEqual([undefined, 1000]);
});
