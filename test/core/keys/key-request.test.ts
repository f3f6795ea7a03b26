import { describe, expect, test } from "vitest";

import { decodeKeyGenerate, decodeKeyUpdate } from "../../../core/keys/key-request.ts";
import { idOf } from "../../../core/keys/secret.ts";

const now = Date.parse("2026-11-23T10:00:00Z");

describe("/key/generate", () => {
  test("of nothing makes a key without limits, and a secret", () => {
    const { key, secret, notes } = decodeKeyGenerate({}, now, undefined);
    expect(key).toEqual({
      id: idOf(secret),
      name: `sk-...${secret.slice(-4)}`,
      models: [],
      metadata: {},
      tags: [],
      isBlocked: false,
      createdAt: now,
      updatedAt: now,
      aliases: {},
      allowedRoutes: [],
      allowedAddresses: [],
    });
    expect(notes).toEqual([]);
    expect(JSON.stringify(key)).not.toContain(secret);
  });

  test("reads every field", () => {
    const body = {
      key: "sk-0123456789012345678901234567",
      key_alias: "ci",
      duration: "30d",
      models: ["opus", "anthropic/*"],
      aliases: { fast: "haiku" },
      user_id: "u",
      team_id: "t",
      budget_id: "b",
      max_budget: 12.5,
      soft_budget: "1e-9",
      budget_duration: "30d",
      budget_limits: [{ budget_duration: "24h", max_budget: 0.1 }],
      tpm_limit: 1000,
      rpm_limit: 10,
      max_parallel_requests: 0,
      model_max_budget: { opus: { budget_limit: 1, time_period: "1mo" }, haiku: { max_budget: 2, budget_duration: "7d" } },
      model_rpm_limit: { opus: 1 },
      model_tpm_limit: { opus: 2 },
      metadata: { tags: ["a", 1], project: null },
      allowed_routes: ["/v1/*", "info_routes"],
      allowed_ips: ["10.0.0.0/8", "::1"],
      allowed_cache_controls: ["no-cache"],
      blocked: true,
    };
    expect(decodeKeyGenerate(body, now, "admin").key).toEqual({
      id: idOf(body.key),
      name: "sk-...4567",
      alias: "ci",
      expiresAt: Date.parse("2026-12-23T10:00:00Z"),
      models: ["opus", "anthropic/*"],
      aliases: { fast: "haiku" },
      userId: "u",
      teamId: "t",
      budgetId: "b",
      maxBudget: 12_500_000_000,
      softBudget: 1,
      budgetDuration: "30d",
      budgetLimits: [{ duration: "24h", max: 100_000_000 }],
      tpm: 1000,
      rpm: 10,
      maxParallelRequests: 0,
      modelMaxBudget: { opus: { max: 1_000_000_000, duration: "1mo" }, haiku: { max: 2_000_000_000, duration: "7d" } },
      modelRpm: { opus: 1 },
      modelTpm: { opus: 2 },
      metadata: { tags: ["a", 1], project: null },
      tags: ["a"],
      allowedRoutes: ["/v1/*", "info_routes"],
      allowedAddresses: ["10.0.0.0/8", "::1"],
      allowedCacheControls: ["no-cache"],
      isBlocked: true,
      createdAt: now,
      updatedAt: now,
      createdBy: "admin",
    });
  });

  test("names the routes of a type", () => {
    expect(decodeKeyGenerate({ key_type: "management" }, now, undefined).key.allowedRoutes).toEqual(["management_routes"]);
    expect(decodeKeyGenerate({ key_type: "management", allowed_routes: ["/a"] }, now, undefined).key.allowedRoutes).toEqual(["/a"]);
  });

  test("leaves out what nobody knows, and names it", () => {
    const { key, notes } = decodeKeyGenerate({ permissions: {}, max_budgets: 1, __proto__: { isBlocked: true } }, now, undefined);
    expect(key.maxBudget).toBeUndefined();
    expect(notes).toEqual([
      '"permissions" is no field that is known here; it has no effect.',
      '"max_budgets" is no field that is known here; it has no effect. Did you mean "max_budget"?',
    ]);
  });

  test("an own __proto__ stays out of records", () => {
    const body: unknown = JSON.parse('{"__proto__":{"blocked":true},"aliases":{"__proto__":"x","a":"b"}}');
    const { key } = decodeKeyGenerate(body, now, undefined);
    expect(key.isBlocked).toBe(false);
    expect(Object.keys(key.aliases)).toEqual(["a"]);
  });

  test("a short secret of its own is told of", () => {
    expect(decodeKeyGenerate({ key: "sk-1234" }, now, undefined).notes).toMatchObject([expect.stringContaining("guess")]);
  });

  test.each([
    [[], "the body: found a list, wanted a JSON object"],
    [{ max_budget: "ten" }, 'max_budget: found "ten", wanted US dollars, from 0 to 9 million'],
    [{ max_budget: -1 }, "max_budget: found -1 (a number), wanted US dollars, from 0 to 9 million"],
    [{ max_budget: 1e9 }, "max_budget: found 1000000000 (a number), wanted US dollars, from 0 to 9 million"],
    [{ rpm_limit: 1.5 }, "rpm_limit: found 1.5 (a number), wanted a whole number, 0 or more"],
    [{ models: "opus" }, 'models: found "opus", wanted a list of names'],
    [{ models: ["opus", 1] }, "models[1]: found 1 (a number), wanted text that is not empty"],
    [{ budget_duration: "soon" }, 'budget_duration: found "soon", wanted a duration such as 30s, 10m, 24h, 7d, 1w, 30d or 1mo'],
    [{ budget_limits: [{ max_budget: 1 }] }, "budget_limits[0].budget_duration: found nothing, wanted a duration such as"],
    [{ model_max_budget: { opus: 5 } }, "model_max_budget.opus: found 5 (a number), wanted a mapping with budget_limit"],
    [{ allowed_ips: ["10.0.0.0/33"] }, 'allowed_ips[0]: found "10.0.0.0/33", wanted an IP address, or a block such as 10.0.0.0/8'],
    [{ allowed_routes: ["/v1/../key"] }, 'allowed_routes[0]: found "/v1/../key", wanted a path such as /v1/*, or llm_api_routes'],
    [{ key_type: "root" }, 'key_type: found "root", wanted default or llm_api or management or read_only'],
    [{ blocked: "no", tags: 1 }, 'tags: found 1 (a number), wanted a list of names; blocked: found "no", wanted true or false'],
  ])("%j is refused: %s", (body, message) => {
    expect(() => decodeKeyGenerate(body, now, undefined)).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(message) }),
    );
  });

  test("errors never show a secret", () => {
    for (const key of ["my-own-secret-value", "sk-ant-api03-of-somebody", 12_345_678, ["sk-aaaaaaaaaaaaaaaaaaaaa"]])
      expect(() => decodeKeyGenerate({ key }, now, undefined)).toThrow(
        /^key: found (text|a number|a list), wanted text that begins with "sk-"/,
      );
  });
});

describe("/key/update", () => {
  const { key, secret } = decodeKeyGenerate(
    { max_budget: 5, rpm_limit: 3, models: ["opus"], duration: "1d", key_alias: "a" },
    now,
    "admin",
  );

  test("changes what is named, and nothing else", () => {
    const { id, change } = decodeKeyUpdate({ key: secret, max_budget: 6 }, now + 1);
    expect(id).toBe(key.id);
    expect(change(key)).toEqual({ ...key, maxBudget: 6_000_000_000, updatedAt: now + 1 });
  });

  test("null takes away what was set", () => {
    const { change } = decodeKeyUpdate({ key: key.id, max_budget: null, models: null, duration: null, key_alias: null }, now + 1);
    const { maxBudget: _, expiresAt: __, alias: ___, ...rest } = key;
    expect(change(key)).toEqual({ ...rest, models: [], updatedAt: now + 1 });
    expect(decodeKeyUpdate({ key: key.id, duration: "-1" }, now).change(key).expiresAt).toBeUndefined();
  });

  test("a new duration begins now", () => {
    expect(decodeKeyUpdate({ key: key.id, duration: "1h" }, now + 5).change(key).expiresAt).toBe(now + 5 + 3_600_000);
  });

  test("keeps who created it, and when, whatever is asked", () => {
    const { change, notes } = decodeKeyUpdate({ key: key.id, created_by: "me", createdAt: 1, token: "x" }, now);
    expect(change(key)).toMatchObject({ createdBy: "admin", createdAt: now, id: key.id });
    expect(notes).toHaveLength(3);
  });

  test("needs a key", () => {
    expect(() => decodeKeyUpdate({ max_budget: 1 }, now)).toThrow("key: found nothing, wanted a key, or its hash");
  });
});
