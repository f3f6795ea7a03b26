import { expect, test } from "vitest";

import { Flights } from "../../../core/cache/flights.ts";
import { joinFor } from "../../../core/cache/join.ts";

const here = new AbortController().signal;

test("who waits long enough goes on alone, and is forgotten", async () => {
  const flights = new Flights<string>();
  const first = flights.begin("k");
  expect(await joinFor(flights, "k", here, 1)).toBe("waited long enough");
  const stays = joinFor(flights, "k", here);
  first?.land("reply");
  expect(await stays).toEqual({ type: "landed", value: "reply" });
  expect(flights.size).toBe(0);
});

test("who leaves is told why", async () => {
  const flights = new Flights<string>();
  flights.begin("k");
  const leaving = new AbortController();
  const left = joinFor(flights, "k", leaving.signal);
  leaving.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
});

test("who is the first does not wait", async () => {
  expect(await joinFor(new Flights<string>(), "k", here)).toMatchObject({ type: "first" });
});
