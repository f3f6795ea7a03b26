import { expect, test } from "vitest";
import { checkProjectLabels, parseProject } from "../../../core/config/project.ts";

test("rules of a project file have the form of the user's own", () => {
  const { rules, faults } = parseProject(
    "rules:\n  - name: think\n    rule: ccproxy.rules.ThinkingRule\n    params: [{types: [enabled]}]\n",
    ".ccproxyrc",
  );
  expect(faults).toEqual([]);
  expect(rules).toMatchObject([
    {
      label: "think",
      reference: "ccproxy.rules.ThinkingRule",
      params: { positional: [], named: { types: ["enabled"] } },
      location: { file: ".ccproxyrc", line: 2, column: 5 },
    },
  ]);
});

test("JSON is read as well, tabs included", () => {
  const { rules, faults } = parseProject('{\n\t"rules": [\n\t\t{"label": "a", "rule": "ccproxy.rules.R"}\n\t]\n}\n', ".ccproxyrc.json");
  expect(faults).toEqual([]);
  expect(rules).toMatchObject([{ label: "a", reference: "ccproxy.rules.R" }]);
});

test("an empty file, or one with an empty list, holds no rules and no fault", () => {
  for (const content of ["", "# nothing\n", "{}", "rules:\n", '{"rules": []}'])
    expect(parseProject(content, "f")).toEqual({ rules: [], faults: [] });
});

test("anything besides rules is an error, each with its place", () => {
  const content = "rules: []\nhooks: []\nmodel_list: []\noat_sources: {a: b}\nhost: x\nrule: []\nccproxy: {}\n";
  const { faults } = parseProject(content, "f");
  expect(faults.map(({ severity, line, path, message }) => [severity, line, path, message])).toEqual([
    ["error", 2, "hooks", expect.stringContaining("may hold rules and nothing else")],
    ["error", 3, "model_list", expect.stringContaining("may hold rules and nothing else")],
    ["error", 4, "oat_sources", expect.stringContaining("may hold rules and nothing else")],
    ["error", 5, "host", expect.stringContaining("may hold rules and nothing else")],
    ["error", 6, "rule", expect.stringContaining('Did you mean "rules"?')],
    ["error", 7, "ccproxy", expect.stringContaining("is no key that is known here")],
  ]);
});

test("a content that is no mapping is an error", () => {
  expect(parseProject("- a\n", "f").faults).toMatchObject([{ severity: "error", line: 1 }]);
  expect(parseProject('"text"', "f").faults).toMatchObject([{ severity: "error", line: 1 }]);
  expect(parseProject("a: [", "f").faults).toMatchObject([{ severity: "error", line: 1, column: 4 }]);
});

test("a reference to the environment stays the text it is", () => {
  process.env["CCPROXY_TEST_SECRET"] = "never-read";
  try {
    const { rules } = parseProject(
      '{"rules": [{"name": "a", "rule": "ccproxy.rules.R", "params": {"x": "os.environ/CCPROXY_TEST_SECRET"}}]}',
      "f",
    );
    expect(rules[0]?.params.named).toEqual({ x: "os.environ/CCPROXY_TEST_SECRET" });
  } finally {
    delete process.env["CCPROXY_TEST_SECRET"];
  }
});

test("places in a part of a file are places in the file", () => {
  const { rules, faults } = parseProject('{ "rules": [\n  {"name": "a", "rule": "ccproxy.rules.R"},\n  {"name": "b"}] }', "package.json", {
    line: 7,
    column: 14,
  });
  expect(rules[0]?.location).toEqual({ file: "package.json", line: 8, column: 3 });
  expect(faults).toMatchObject([{ line: 9, column: 3, path: "rules[1].rule" }]);
  expect(parseProject('{"rulse": 1}', "package.json", { line: 7, column: 14 }).faults).toMatchObject([{ line: 7, column: 15 }]);
});

test("labels that the configuration does not have are errors with the nearest one it has", () => {
  const { rules } = parseProject(
    '{"rules": [{"name": "think", "rule": "ccproxy.rules.R"}, {"name": "thnik", "rule": "ccproxy.rules.R"}]}',
    "f",
  );
  expect(checkProjectLabels(rules, new Set(["think", "default"]))).toEqual([
    {
      severity: "error",
      message: expect.stringMatching(/the label "thnik" .* Did you mean "think"\?/),
      file: "f",
      line: 1,
      column: 58,
    },
  ]);
});

test("a project can neither bring code nor grant anything", () => {
  const text = `rules:
  - name: a
    rule: ./rules/mine.ts
  - name: b
    rule: ccproxy.rules.ThinkingRule
    grants: [kv]
    on_error: deny
hooks: [a.b]
autoload: true
`;
  expect(parseProject(text, "f").faults.map(({ line, path, message }) => [line, path, message])).toEqual([
    [3, "rules[0].rule", "names code, which a project file cannot bring; it may use the built-in rules (ccproxy.rules.*)."],
    [6, "rules[1].grants", "has no place in a project file. Take it out."],
    [7, "rules[1].on_error", "has no place in a project file. Take it out."],
    [8, "hooks", "has no place in a project file, which may hold rules and nothing else. Take it out."],
    [9, "autoload", "has no place in a project file, which may hold rules and nothing else. Take it out."],
  ]);
});
