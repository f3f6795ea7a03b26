/** For tests of rules and hooks: `import { test, expect, runHook } from "ccproxy/sdk/testing"`, run by `ccproxy test`. */

export { expect, type Expectation } from "./testing-expect.ts";
export { eventsOf, replyOf } from "./testing-events.ts";
export { makeContext, makeReply, makeRequest, type ContextOptions, type TestContext } from "./testing-fixtures.ts";
export { runHook, runRule, type RunOptions } from "./testing-run.ts";
export { test, testHook, type TestResult } from "./testing-test.ts";
