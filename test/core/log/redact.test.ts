import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor, redactedMark } from "../../../core/log/redact.ts";

const secretArbitrary = fc
  .oneof(
    fc.string({ minLength: 8, maxLength: 60 }),
    fc.string({ unit: "binary", minLength: 8, maxLength: 40 }),
    fc.base64String({ minLength: 12 }),
  )
  .filter((secret) => secret.length >= 8 && !redactedMark.includes(secret));

const encodings: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  json: (secret) => JSON.stringify(secret).slice(1, -1),
  "json in json": (secret) => JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
  url: (secret) => encodeURIComponent(secret.toWellFormed()),
  form: (secret) => encodeURIComponent(secret.toWellFormed()).replaceAll("%20", "+"),
  "lower-case url": (secret) => encodeURIComponent(secret.toWellFormed()).replaceAll(/%../g, (escape) => escape.toLowerCase()),
};

describe("exact values", () => {
  test.each(Object.entries(encodings))("a secret never survives at any position, encoded as %s", (_name, encode) => {
    fc.assert(
      fc.property(fc.array(secretArbitrary, { minLength: 1, maxLength: 4 }), fc.string(), fc.string(), (secrets, before, after) => {
        const planted = encode(secrets[0] ?? "");
        const redacted = createRedactor(secrets)(before + planted + after);
        // What stands between the marks came from the text; the secret must not be in any of these pieces.
        for (const piece of redacted.split(redactedMark)) expect(piece).not.toContain(planted);
      }),
      { numRuns: 500 },
    );
  });

  test.each(["base64", "base64url"] as const)("a secret inside a longer text encoded as %s cannot be decoded any more", (encoding) => {
    fc.assert(
      fc.property(secretArbitrary, fc.string(), fc.string(), (secret, before, after) => {
        const text = Buffer.from(before + secret + after).toString(encoding);
        const redacted = createRedactor([secret])(text);
        expect(redacted).toContain(redactedMark);
        for (const piece of redacted.split(redactedMark)) {
          for (const offset of [0, 1, 2, 3]) {
            expect(Buffer.from(piece.slice(offset), encoding).includes(Buffer.from(secret))).toBe(false);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("redacting twice changes nothing more", () => {
    const fragments = [
      "sk-ant-api03-abcdefgh",
      "Bearer ",
      "x-api-key: ",
      "eyJhbGciOiJIUzI1NiJ9.e30.x",
      "authorization=",
      redactedMark,
      '"',
      "\\",
    ];
    const text = fc.array(fc.oneof(fc.constantFrom(...fragments), fc.string(), secretArbitrary)).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.array(secretArbitrary, { maxLength: 3 }), text, fc.nat(3), (secrets, around, at) => {
        const redact = createRedactor(secrets);
        const once = redact(around + (secrets[at] ?? "") + around);
        expect(redact(once)).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });

  test("of two secrets the longer one goes whole when the shorter one begins it", () => {
    expect(createRedactor(["abcdefgh", "abcdefgh-and-more"])("x abcdefgh-and-more y abcdefgh z")).toBe("x [redacted] y [redacted] z");
  });

  test("values under eight characters stay, so that ordinary words survive", () => {
    expect(createRedactor(["model", ""])("the model is up")).toBe("the model is up");
  });
});

describe("what looks like a credential", () => {
  const redact = createRedactor([]);

  test.each([
    ["an Anthropic key", "key sk-ant-api03-Ab_1-xyz end", "key [redacted] end"],
    ["a subscription token", "sk-ant-oat01-abcdefgh", "[redacted]"],
    ["an OpenAI key", '{"k":"sk-proj-0123456789abcdef"}', '{"k":"[redacted]"}'],
    ["a key behind a URL escape", "k%3dsk-proj-0123456789abcdef", "k%3d[redacted]"],
    ["a key behind an escaped line feed", String.raw`one\nsk-proj-0123456789abcdef`, String.raw`one\n[redacted]`],
    ["an AWS access key id", "AKIAIOSFODNN7EXAMPLE", "[redacted]"],
    ["a Google token", "ya29.a0AfH6SMBx-12_34", "[redacted]"],
    ["a JSON Web Token", "t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-_1;", "t=[redacted];"],
    ["a bearer header", "authorization: Bearer abc.def/ghi=", "authorization: Bearer [redacted]"],
    ["a basic header", "Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted]"],
    ["an API key header in JSON", '{"x-api-key":"short"}', '{"x-api-key":"[redacted]"}'],
    ["an API key header in JSON in JSON", String.raw`"{\"x-api-key\":\"short\"}"`, String.raw`"{\"x-api-key\":\"[redacted]\"}"`],
    ["an API key in a header list", '["x-goog-api-key","short"]', '["x-goog-api-key","[redacted]"]'],
    ["a key of a configuration file", "api_key: my-own-key", "api_key: [redacted]"],
    ["our own token", "x-ccproxy-token=abc", "x-ccproxy-token=[redacted]"],
  ])("%s is redacted", (_what, text, wanted) => {
    expect(redact(text)).toBe(wanted);
  });

  test.each([
    "a risk-assessment-of-many-words",
    "disk-based-storage-engine",
    "the bearer of news",
    "claude-sonnet-5-5",
    "max_tokens: 4096",
  ])("%s stays", (text) => {
    expect(redact(text)).toBe(text);
  });
});
