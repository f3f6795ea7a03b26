import { expect, test } from "vitest";

import { createRedactor } from "../../../core/log/redact.ts";
import { redacted } from "../../../core/reports/redacted.ts";

const secret = "sk-configured-0123456789";
const redact = createRedactor([secret]);

test("takes secrets out of values and names, however deep", () => {
  const report = { rows: [{ model: secret, models: { [secret]: { spend: 1 } } }], note: `asked for ${secret}` };
  expect(redacted(report, redact)).toEqual({
    rows: [{ model: "[redacted]", models: { "[redacted]": { spend: 1 } } }],
    note: "asked for [redacted]",
  });
});

test("leaves the ids of keys, numbers and empty values as they are", () => {
  const report = { api_key: "a".repeat(64), user_api_key: null, spend: 0.25, isHit: false, tags: [] };
  expect(redacted(report, redact)).toEqual(report);
});

test("a field that is called __proto__ is a field like others", () => {
  const report: unknown = JSON.parse('{"models":{"__proto__":{"spend":1}}}');
  expect(JSON.stringify(redacted(report, redact))).toBe('{"models":{"__proto__":{"spend":1}}}');
});
