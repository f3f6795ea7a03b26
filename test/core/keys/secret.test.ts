import { expect, test } from "vitest";

import { createSecret, idOf, isId, nameOf, opens, toId } from "../../../core/keys/secret.ts";

test("a secret is sk- and 32 random bytes, never the same", () => {
  const secrets = Array.from({ length: 50 }, createSecret);
  expect(new Set(secrets).size).toBe(50);
  for (const secret of secrets) {
    expect(secret).toMatch(/^sk-[\w-]{43}$/);
    expect(Buffer.from(secret.slice(3), "base64url")).toHaveLength(32);
  }
});

test("its id is the SHA-256 of all of it", () => {
  expect(idOf("sk-1234")).toBe("88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b");
  expect(idOf(`sk-${"a".repeat(40)}b`)).not.toBe(idOf(`sk-${"a".repeat(40)}c`));
});

test("its name shows its end, where that is no great part of it", () => {
  expect(nameOf(`sk-${"x".repeat(30)}abcd`)).toBe("sk-...abcd");
  expect(nameOf("sk-1234")).toBe("sk-...");
});

test("opens what it is the secret of, and nothing else", () => {
  const secret = createSecret();
  expect(opens(secret, idOf(secret))).toBe(true);
  expect(opens(createSecret(), idOf(secret))).toBe(false);
  expect(opens(secret.slice(0, -1), idOf(secret))).toBe(false);
  expect(opens(idOf(secret), idOf(secret))).toBe(false);
  expect(opens("", "")).toBe(false);
  expect(opens(secret, idOf(secret).toUpperCase())).toBe(false);
});

test("whoever names a key may name its secret or its id", () => {
  const secret = createSecret();
  expect(toId(secret)).toBe(idOf(secret));
  expect(toId(idOf(secret))).toBe(idOf(secret));
  expect(isId(secret)).toBe(false);
});
