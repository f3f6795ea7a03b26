import { describe, expect, test } from "vitest";

import { Flights } from "../../../core/cache/flights.ts";

const here = (): AbortSignal => new AbortController().signal;

describe("requests that ask the same", () => {
  test("wait for the first of them, and get what it gets", async () => {
    const flights = new Flights<string>();
    const first = flights.begin("k");
    const others = [flights.join("k", here()), flights.join("k", here())];
    first?.land("reply");
    expect(await Promise.all(others)).toEqual([
      { type: "landed", value: "reply" },
      { type: "landed", value: "reply" },
    ]);
    expect(flights.size).toBe(0);
  });

  test("do not wait for those that ask something else", async () => {
    const flights = new Flights<string>();
    flights.begin("k");
    expect(await flights.join("l", here())).toMatchObject({ type: "first" });
  });

  test("go on one by one where nothing came of the first", async () => {
    const flights = new Flights<string>();
    const first = flights.begin("k");
    const others = Array.from({ length: 3 }, async () => flights.join("k", here()));
    first?.land(undefined);
    const second = await Promise.race(others);
    if (second.type !== "first") throw new Error("somebody has to be the next");
    expect(flights.begin("k")).toBeUndefined();
    second.flight.land("late");
    const all = await Promise.all(others);
    expect(all.map(({ type }) => type).toSorted()).toEqual(["first", "landed", "landed"]);
  });

  test("may leave, and the others stay", async () => {
    const flights = new Flights<string>();
    const first = flights.begin("k");
    const leaving = new AbortController();
    const left = flights.join("k", leaving.signal);
    const stays = flights.join("k", here());
    leaving.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    first?.land("reply");
    expect(await stays).toEqual({ type: "landed", value: "reply" });
    await expect(flights.join("k", leaving.signal)).rejects.toThrow("gone");
    expect(flights.size).toBe(0);
  });

  test("land once", async () => {
    const flights = new Flights<string>();
    const first = flights.begin("k");
    first?.land("reply");
    const second = flights.begin("k");
    first?.land("again");
    const waits = flights.join("k", here());
    second?.land("other");
    expect(await waits).toEqual({ type: "landed", value: "other" });
  });
});
