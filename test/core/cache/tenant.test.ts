import { describe, expect, test } from "vitest";

import { tenantOf } from "../../../core/cache/tenant.ts";

const none = { kind: "anonymous", credentials: [] };
const withOwn = { kind: "anonymous", credentials: [["authorization", "Bearer sk-own"]] } as const;

describe("whose replies a caller gets", () => {
  test("are those of its key, or of its kind", () => {
    expect(tenantOf(none, "k1", false)).toBe(tenantOf({ ...none, kind: "local" }, "k1", false));
    const tenants = [tenantOf(none, "k1", false), tenantOf(none, "k2", false), tenantOf(none, undefined, false)];
    expect(new Set([...tenants, tenantOf({ ...none, kind: "master" }, undefined, false)]).size).toBe(4);
  });

  test("are everybody's only where it is configured, and never for credentials of its own", () => {
    expect(tenantOf(none, "k1", true)).toBeUndefined();
    expect(tenantOf(withOwn, "k1", true)).toBe(tenantOf(withOwn, "k1", false));
    expect(tenantOf(withOwn, "k1", true)).not.toBe(tenantOf(withOwn, "k2", true));
    expect(tenantOf(withOwn, undefined, true)).not.toBe(tenantOf(none, undefined, false));
  });

  test("are told without the credentials", () => {
    expect(tenantOf(withOwn, undefined, false)).not.toContain("sk-own");
  });
});
