import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatFaults } from "../../../core/config/format.ts";
import { loadConfig } from "../../../core/config/load.ts";
import { createReport } from "../../../core/config/report.ts";
import { parseSource } from "../../../core/config/source.ts";
import type { Fault } from "../../../core/config/types.ts";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "ccproxy-properties-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

const secrets = [
  "sk-ant-api03-Qw7_eRt-yUi9OpAs",
  "AIzaSyD4kfjDKJ3kdj4KDJ93kdjfDKJ",
  "9f86d081884c7d659a2feaa0c55ad015",
  "gsk_Zx9cVbN2mAsDf",
  "p4sswordOfTheProxy99",
];
const template = `environment_variables:
  VENDOR_KEY: ${secrets[0]}
model_list:
  - model_name: sonnet
    litellm_params:
      model: anthropic/claude-sonnet-5-5
      api_key: ${secrets[1]}
      timeout: 30
      extra_headers: {x-api-key: "${secrets[2]}"}
  - model_name: other
    litellm_params: {model: openai/other, api_key: '${secrets[3]}', api_base: "https://example.com"}
general_settings:
  master_key: "${secrets[4]}"
`;

/** Everywhere but inside a secret: what is broken apart is no longer what was to be kept. */
const editable = Array.from({ length: template.length }, (_, at) => at).filter((at) =>
  secrets.every((secret) => {
    const start = template.indexOf(secret);
    return at <= start || at >= start + secret.length;
  }),
);
const edit = fc.record({
  at: fc.constantFrom(...editable),
  remove: fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 2, max: 20 })),
  insert: fc.constantFrom("", ...Array.from("\n:{}[]\"'&*#-?,|>!%@`\t "), ": ", "- ", "\n  ", "x"),
});

function apply(edits: readonly { at: number; remove: number; insert: string }[]): string {
  let text = template;
  let untouched = template.length;
  for (const { at, remove, insert } of [...edits].sort((a, b) => b.at - a.at)) {
    let end = at;
    while (end < at + remove && end < untouched && editable.includes(end) && editable.includes(end + 1)) end += 1;
    text = text.slice(0, at) + insert + text.slice(end);
    untouched = at;
  }
  return text;
}

test("whatever is mistyped, no finding shows a credential", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      await writeFile(join(directory, "config.yaml"), apply(edits));
      const { faults } = await loadConfig({ directory, environment: {} });
      const shown = formatFaults(faults) + JSON.stringify(faults);
      for (const secret of secrets) expect(shown).not.toContain(secret.slice(4));
    }),
    // Masking goes by the forms of keys and lines, so there is no proof, only a wide and steady sample.
    { numRuns: 800, seed: 20_261_122 },
  );
}, 60_000);

test("any text is read or refused with a place inside it, and never throws", () => {
  const fragments = fc.array(
    fc.constantFrom(
      "a",
      "b: ",
      "- ",
      "\n",
      "\n  ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&x ",
      "*x",
      "<<: ",
      '"',
      "'",
      "|\n",
      ">",
      "!t ",
      "# ",
      "---\n",
      "? ",
      "\t",
      "%",
      "\r\n",
      "0x1",
      "~",
      "é",
      "😀",
      "__proto__: ",
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fragments.map((parts) => parts.join("")),
        fc.string({ unit: "binary" }),
      ),
      (text) => {
        const report = createReport();
        const tree = parseSource(text, "f", report);
        const faults: readonly Fault[] = report.faults(["f"]);
        if (tree === undefined) expect(faults.some(({ severity }) => severity === "error")).toBe(true);
        const lines = text.split("\n").length;
        for (const { line, column } of faults) {
          expect(line ?? 1).toBeGreaterThanOrEqual(1);
          expect(line ?? 1).toBeLessThanOrEqual(lines);
          expect(column ?? 1).toBeGreaterThanOrEqual(1);
        }
      },
    ),
    { numRuns: 3000 },
  );
}, 60_000);
