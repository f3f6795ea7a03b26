import { expect, test } from "vitest";

import { makeRequest, runHook } from "ccproxy/sdk/testing";

import piiGuard from "../../hooks/pii-guard.ts";

const card = "4111 1111 1111 1111";
const iban = "DE89 3704 0044 0532 0130 00";

async function refusal(text: string, params: object = {}): Promise<string | undefined> {
  const { decision } = await runHook(piiGuard, "preCall", makeRequest(text), { params });
  return decision?.kind === "deny" ? `${decision.status} ${decision.message}` : undefined;
}

test.each([
  [card, "credit_card (1)"],
  [`pay ${card.replaceAll(" ", "-")} and ${card.replaceAll(" ", "")}`, "credit_card (2)"],
  [iban, "iban (1)"],
  [`${iban.replaceAll(" ", "")}, ${card}`, "credit_card (1), iban (1)"],
  ["078-05-1120", "us_ssn (1)"],
])("%s is refused", async (text, list) => {
  const message = await refusal(`I am ${text}.`);
  expect(message).toContain(`personal data was found: ${list}, in messages[0].content`);
  for (const part of text.split(/[ ,-]+/).filter(({ length }) => length > 2)) expect(message).not.toContain(part);
});

test.each([
  "4111 1111 1111 1112",
  "0000 0000 0000 0000",
  "1700000000000",
  "DE89 3704 0044 0532 0130 01",
  "123e4567-e89b-12d3-a456-426614174000",
  "000-12-3456",
  "someone@example.org",
  "+49 30 901820",
])("%s is not", async (text) => {
  expect(await refusal(text)).toBeUndefined();
});

test("mail addresses and telephone numbers when asked for, but not the allowed ones", async () => {
  const params = { kinds: ["email", "phone"], allow: ["@example.com"] };
  expect(await refusal("someone@example.org, +49 30 901820, me@example.com", params)).toContain("email (1), phone (1)");
  expect(await refusal("me@example.com", params)).toBeUndefined();
});

test("the whole conversation, or what was said last", async () => {
  const request = makeRequest({
    messages: [
      { role: "user", content: card },
      { role: "assistant", content: "No." },
      { role: "user", content: [{ type: "text", text: "Go on" }] },
    ],
  });
  expect((await runHook(piiGuard, "preCall", request)).decision).toMatchObject({ kind: "deny", status: 400 });
  const { decision, context } = await runHook(piiGuard, "preCall", request, { params: { scope: "last" } });
  expect(decision).toBeUndefined();
  expect(context.annotations).toEqual({});
});

test("a refused request is noted with kinds and counts", async () => {
  const { context, decision } = await runHook(piiGuard, "preCall", makeRequest(card), { params: { status: 403 } });
  expect(decision).toMatchObject({ status: 403 });
  expect(context.annotations).toEqual({ pii_found: { credit_card: 1 } });
});
