import { describe, expect, it } from "vitest";
import { changeHeaders, readHeaderChanges } from "../../../core/phases/header-changes.ts";

describe("headers that user code wants changed", () => {
  it.each([
    ["authorization"],
    ["X-Api-Key"],
    ["x-goog-api-key"],
    ["cookie"],
    ["host"],
    ["content-length"],
    ["content-type"],
    ["content-encoding"],
    ["accept-encoding"],
    ["connection"],
    ["Transfer-Encoding"],
    ["upgrade"],
    ["proxy-authorization"],
    ["x-ccproxy-token"],
    ["x-forwarded-for"],
    ["sec-fetch-site"],
  ])("are refused when they are not its own to set or remove: %s", (name) => {
    for (const value of ["evil", null]) expect(() => readHeaderChanges([[name, value]])).toThrow(`headers["${name}"]: belongs to`);
  });

  it.each([
    ["a name with a blank", "x bad", "1"],
    ["a name with a line break", "x-a\r\nx-b", "1"],
    ["no name", "", "1"],
    ["a long name", `x-${"a".repeat(200)}`, "1"],
    ["a line break in the value", "x-a", "1\r\nx-api-key: evil"],
    ["a NUL in the value", "x-a", "1\0"],
    ["a character that is no byte", "x-a", "…"],
    ["a long value", "x-a", "1".repeat(8193)],
  ])("are refused when they hold %s", (_, name, value) => {
    expect(() => readHeaderChanges([[name, value]])).toThrow(/^headers\[/);
  });

  it("are refused when they are too many", () => {
    const many = Array.from({ length: 65 }, (_, index) => [`x-${index}`, "1"] as const);
    expect(() => readHeaderChanges(many)).toThrow("at most 64");
    expect(readHeaderChanges(many.slice(1)).size).toBe(64);
  });

  it("go by their lower-case names, the last one counts", () => {
    expect([
      ...readHeaderChanges([
        ["X-A", "1"],
        ["x-a", "2"],
        ["anthropic-beta", null],
      ]),
    ]).toEqual([
      ["x-a", "2"],
      ["anthropic-beta", null],
    ]);
  });

  it("leave the others as they are, in their order, and make one of those that were sent twice", () => {
    const headers = [
      ["a", "1"],
      ["b", "2"],
      ["b", "3"],
      ["c", "4"],
    ] as const;
    const changes = readHeaderChanges([
      ["b", "new"],
      ["c", null],
      ["d", "5"],
      ["e", null],
    ]);
    expect(changeHeaders(headers, changes)).toEqual([
      ["a", "1"],
      ["b", "new"],
      ["d", "5"],
    ]);
    expect(changeHeaders(headers, new Map())).toBe(headers);
  });
});
