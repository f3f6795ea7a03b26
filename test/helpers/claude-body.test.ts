import { describe, expect, it } from "vitest";
import { claudeCodeBody } from "./claude-body.ts";

const parse = (body: Buffer): { messages: unknown[]; tools: unknown[] } =>
  JSON.parse(body.toString()) as { messages: unknown[]; tools: unknown[] };

describe("the Claude Code body builder", () => {
  it.each([16_000, 50_000, 1_000_000])("makes a body of exactly %i bytes", (bytes) => {
    expect(claudeCodeBody({ bytes }).length).toBe(bytes);
  });

  it("gives the same bytes for the same options", () => {
    expect(claudeCodeBody({ turns: 3 }).equals(claudeCodeBody({ turns: 3 }))).toBe(true);
  });

  it("keeps the earlier turns of a longer conversation", () => {
    const short = parse(claudeCodeBody({ turns: 2 })).messages.slice(0, -1);
    const long = parse(claudeCodeBody({ turns: 3 })).messages;
    expect(long.slice(0, short.length)).toEqual(short);
    expect(long.length).toBe(short.length + 3);
  });

  it("declares the twelve tools of an empty session, and one server tool in a web search", () => {
    expect(parse(claudeCodeBody()).tools).toHaveLength(12);
    expect(parse(claudeCodeBody({ kind: "auxiliary" })).tools).toEqual([{ type: "web_search_20250305", name: "web_search", max_uses: 8 }]);
  });

  it("says so when the size asked for is too small", () => {
    expect(() => claudeCodeBody({ bytes: 100 })).toThrow(RangeError);
    expect(() => claudeCodeBody({ bytes: 20_000, turns: 10 })).toThrow(/more than the 20000/);
  });
});
