import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { litellmVersion } from "../../scripts/litellm.ts";
import { judge, readDifferences } from "./differences.ts";
import { readRecording } from "./recording.ts";
import { type Outcomes, runSuite } from "./run-suite.ts";
import { ccproxyStarter } from "./start-ccproxy.ts";
import { suites } from "./suites.ts";

const recording = readRecording();
const differences = readDifferences();

// Waits between retries have a length at random: none, with this. What cools down does so by a clock that can be put forward.
let ahead = 0;
beforeAll(() => {
  const now = performance.now.bind(performance);
  vi.spyOn(Math, "random").mockReturnValue(0);
  vi.spyOn(performance, "now").mockImplementation(() => now() + ahead);
});
afterAll(() => void vi.restoreAllMocks());
const startCcproxy = ccproxyStarter((ms) => {
  ahead += ms;
  return Promise.resolve();
});

describe.each(suites)("beside LiteLLM: $name", (suite) => {
  let ours: Outcomes = {};
  beforeAll(async () => {
    ours = await runSuite(suite, startCcproxy);
  });

  test.each(suite.cases)("$name", ({ name }) => {
    const litellm = recording.suites[suite.name]?.[name];
    expect(litellm, "recorded by npm run test:litellm -- --record").toBeDefined();
    expect(judge({ litellm: litellm ?? "", ccproxy: ours[name] ?? "" }, differences.get(name))).toBeUndefined();
  });
});

describe("what is written", () => {
  const names = suites.flatMap(({ cases }) => cases.map(({ name }) => name));

  test("names of cases differ", () => {
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test("differences are of cases that are asked", () => {
    expect([...differences.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });

  test("nothing is recorded that is not asked", () => {
    const recorded = Object.values(recording.suites).flatMap((outcomes) => Object.keys(outcomes));
    expect(recorded.toSorted()).toEqual(names.toSorted());
  });

  test("the recording is of the version that is pinned", () => {
    expect(recording.litellm).toBe(litellmVersion);
  });
});
