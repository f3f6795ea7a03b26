import { describe, expect, it } from "vitest";
import type { HookEntry } from "../../../core/config/types.ts";
import { noOptions, noParameters } from "../../../core/config/unit-options.ts";
import { type PolicyStep, orderPolicy } from "../../../core/phases/policy-order.ts";
import type { LoadedUnit } from "../../../core/phases/user-program.ts";
import { loadedUnit } from "../../helpers/units.ts";

const builtin: Readonly<Record<string, string>> = {
  rules: "ccproxy.hooks.rule_evaluator",
  router: "ccproxy.hooks.model_router",
  forward: "ccproxy.hooks.forward_oauth",
};

/** Names of hooks stand for `./hooks/NAME.ts`; those in `auto` are in no entry. */
function order(list: readonly string[], auto: readonly string[] = [], phases: readonly "preCall"[] = ["preCall"]): readonly string[] {
  return names(build(list, auto, phases).steps);
}

function build(
  list: readonly string[],
  auto: readonly string[] = [],
  phases: readonly "preCall"[] = ["preCall"],
): ReturnType<typeof orderPolicy> {
  const entries = list.map((name, index): HookEntry => {
    const location = { file: "/config/ccproxy.yaml", line: index + 1, column: 5 };
    return { reference: builtin[name] ?? `./hooks/${name}.ts`, params: noParameters, options: noOptions, location };
  });
  const unit = (name: string, entry: number | undefined, index: number): LoadedUnit =>
    loadedUnit({
      index,
      label: name,
      source: { file: `hooks/${name}.ts`, entry, origin: entry === undefined ? "autoloaded" : "configured" },
      manifest: { phases },
    });
  const configured = list.flatMap((name, index) => (builtin[name] === undefined ? [{ name, index }] : []));
  const units = [
    ...configured.map(({ name, index }, at) => unit(name, index, at)),
    ...auto.map((name, at) => unit(name, undefined, 100 + at)),
  ];
  return orderPolicy(entries, units);
}

function names(steps: readonly PolicyStep[]): readonly string[] {
  return steps.flatMap((step) => (step.type === "hooks" ? step.hooks.map(({ label }) => label) : [step.type]));
}

function permutations(items: readonly string[]): readonly (readonly string[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

function subsets(items: readonly string[]): readonly (readonly string[])[] {
  const [first, ...others] = items;
  if (first === undefined) return [[]];
  const rest = subsets(others);
  return rest.concat(rest.map((set) => [first, ...set]));
}

describe("the order of hooks, rules and router", () => {
  it("is that of the list, whichever permutation it is", () => {
    for (const list of permutations(["a", "rules", "b", "router", "c"])) expect(order(list)).toEqual(list);
  });

  it("takes no notice of the steps that forward credentials", () => {
    for (const list of permutations(["a", "rules", "forward", "router"])) {
      expect(order(list)).toEqual(list.filter((name) => name !== "forward"));
    }
  });

  it("has rules and router once each, the ones that are not named behind the hooks, and rules never behind the router on their own", () => {
    for (const list of subsets(["a", "b", "rules", "router"]).flatMap(permutations)) {
      const steps = order(list);
      expect(steps.filter((step) => step === "rules" || step === "router").sort()).toEqual(["router", "rules"]);
      expect(steps.filter((step) => list.includes(step))).toEqual(list);
      if (!list.includes("router")) expect(steps.at(-1)).toBe("router");
      if (!list.includes("rules")) expect(steps.indexOf("rules")).toBe(steps.indexOf("router") - 1);
    }
  });

  it("puts files that no entry names behind the last hook that one does, or before everything", () => {
    for (const list of subsets(["a", "b", "rules", "router", "forward"]).flatMap(permutations)) {
      const steps = order(list, ["x", "y"]);
      const last = list.findLast((name) => name === "a" || name === "b");
      const at = last === undefined ? 0 : steps.indexOf(last) + 1;
      expect(steps.slice(at, at + 2)).toEqual(["x", "y"]);
    }
  });

  it("without any list is hooks, rules, router", () => {
    expect(order([], ["x"])).toEqual(["x", "rules", "router"]);
    expect(order([])).toEqual(["rules", "router"]);
  });

  it("runs neighbours in one call", () => {
    expect(
      build(["a", "forward", "b", "rules", "c"], ["x"]).steps.map((step) => (step.type === "hooks" ? step.hooks.length : step.type)),
    ).toEqual([2, "rules", 2, "router"]);
  });

  it("leaves out hooks that do not see the request, but lets them mark the place of the others", () => {
    expect(order(["a", "rules", "b"], ["x"], [])).toEqual(["rules", "router"]);
  });

  it("has two entries of the same file as two steps", () => {
    expect(order(["a", "rules", "a"])).toEqual(["a", "rules", "a", "router"]);
  });
});

describe("a list that cannot mean what it says", () => {
  it("is told so: rules behind the router give their label too late", () => {
    expect(build(["router", "a", "rules"]).faults).toMatchObject([
      { severity: "warning", line: 3, message: expect.stringContaining("too late") },
    ]);
    expect(build(["rules", "a", "router"]).faults).toEqual([]);
  });

  it("is told so: a built-in step that is named twice runs once", () => {
    const { steps, faults } = build(["rules", "a", "rules", "router"]);
    expect(names(steps)).toEqual(["rules", "a", "router"]);
    expect(faults).toMatchObject([{ severity: "warning", line: 3 }]);
  });
});
