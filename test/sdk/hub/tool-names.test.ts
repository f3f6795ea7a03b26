import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ToolNames } from "../../../sdk/hub/tool-names.ts";

const openai = { pattern: /[a-zA-Z0-9_-]/, maxLength: 64 };
const gemini = { pattern: /[a-zA-Z0-9_.-]/, maxLength: 64, firstChar: /[a-zA-Z_]/ };
const longName = "mcp__a_server_with_a_very_long_name_indeed__a_tool_with_a_name_that_is_no_shorter";

describe("names of tools", () => {
  it.each(["Bash", "mcp__github__create_issue", "a".repeat(64)])("stay as they are where they fit: %s", (name) => {
    const names = new ToolNames(openai);
    expect(names.alias(name)).toBe(name);
    expect(names.original(name)).toBe(name);
  });

  it.each([longName, "files.read", "Zürich", "a b", "", "🎉", `${"a".repeat(64)}b`, "7up"])("fit afterwards, and lead back: %s", (name) => {
    const names = new ToolNames(gemini);
    const alias = names.alias(name);
    expect(alias).toMatch(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/);
    expect(names.original(alias)).toBe(name);
  });

  it("are kept apart, whatever they are", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: "grapheme", maxLength: 90 }), { maxLength: 20 }), (list) => {
        const names = new ToolNames({ ...openai, maxLength: 20 });
        const aliases = list.map((name) => names.alias(name));
        expect(new Set(aliases).size).toBe(list.length);
        for (const [index, alias] of aliases.entries()) {
          expect(alias).toMatch(/^[a-zA-Z0-9_-]{1,20}$/);
          expect(names.original(alias)).toBe(list[index]);
        }
      }),
    );
  });

  it("are kept apart where they are the same once they fit", () => {
    const names = new ToolNames(openai);
    const aliases = ["a.b", "a:b", "a_b", `${longName}1`, `${longName}2`].map((name) => names.alias(name));
    expect(new Set(aliases).size).toBe(5);
    expect(aliases.map((alias) => names.original(alias))).toEqual(["a.b", "a:b", "a_b", `${longName}1`, `${longName}2`]);
  });

  it("have an alias that depends on nothing but the name", () => {
    const names = new ToolNames(openai);
    names.alias("other.name");
    names.alias(`${longName}x`);
    expect(names.alias(longName)).toBe(new ToolNames(openai).alias(longName));
    // It stands in the caches of prefixes, so it must not change from one release to the next.
    expect(names.alias("files.read")).toBe("files_read_601e4eb6");
  });

  it("may be tested with patterns that remember", () => {
    const names = new ToolNames({ pattern: /[a-z]/g, maxLength: 64, firstChar: /[a-z]/y });
    expect(["abc", "abd"].map((name) => names.alias(name))).toEqual(["abc", "abd"]);
  });
});

describe("a name that a model mangled", () => {
  const names = new ToolNames(openai);
  for (const name of ["Bash", "mcp__files__read", "Read", "read_file", "files.read"]) names.alias(name);

  it.each([
    ["functions.Bash", "Bash"],
    ["default_api:Bash", "Bash"],
    ["tools/Read", "Read"],
    ["bash", "Bash"],
    [" Bash\n", "Bash"],
    ["mcp__mcp__files__read", "mcp__files__read"],
    ["mcp__files__mcp__files__read", "mcp__files__read"],
    ["MCP__files__read", "mcp__files__read"],
    ["BashBash", "Bash"],
    ["functions.bash", "Bash"],
  ])("%s is known again", (mangled, name) => {
    expect(names.original(mangled)).toBe(name);
  });

  it.each(["Bas", "Write", "", ".", "mcp__", "__", "read"])("%s is left as it is where no name is meant", (mangled) => {
    expect(names.original(mangled)).toBe(mangled === "read" ? "Read" : mangled);
  });

  it("is left as it is where two could be meant", () => {
    const twins = new ToolNames(openai);
    twins.alias("read");
    twins.alias("READ");
    expect(twins.original("Read")).toBe("Read");
    expect(twins.original("read")).toBe("read");
    expect(twins.original("READ")).toBe("READ");
  });

  it("leads to the name that was given, not to its alias", () => {
    const alias = names.alias("files.read");
    expect(names.original(`functions.${alias}`)).toBe("files.read");
    expect(names.original(alias.toUpperCase())).toBe("files.read");
  });
});
