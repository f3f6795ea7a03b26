import { describe, expect, test } from "vitest";

import { aliased, refuseModel, refuseRoute } from "../../../core/keys/access.ts";
import { decodeKeyGenerate } from "../../../core/keys/key-request.ts";
import { decodeTeamNew } from "../../../core/keys/team-request.ts";
import { decodeUserNew } from "../../../core/keys/user-request.ts";

const now = Date.parse("2026-11-23T10:00:00Z");
const asked = { path: "/v1/messages", address: "127.0.0.1", now };
const keyOf = (body: object) => decodeKeyGenerate(body, now, undefined).key;
const userOf = (body: object) => decodeUserNew({ user_id: "u", ...body }, now).user;
const teamOf = (body: object) => decodeTeamNew({ team_id: "t", ...body }, now).team;

describe("a path is refused", () => {
  test("to nobody who has no limits", () => {
    expect(refuseRoute({ key: keyOf({}), user: userOf({}), team: teamOf({}) }, asked)).toBeUndefined();
  });

  test("from an address that is not allowed", () => {
    expect(refuseRoute({ key: keyOf({ allowed_ips: ["10.0.0.0/8"] }) }, asked)).toEqual({
      status: 403,
      kind: "permission_error",
      type: "auth_error",
      message: "Access forbidden: IP address 127.0.0.1 not allowed.",
    });
  });

  test("to a key that is blocked, and to those of a user or team that is", () => {
    const blocked = { blocked: true };
    const common = { status: 401, kind: "authentication_error", type: "auth_error" };
    expect(refuseRoute({ key: keyOf(blocked) }, asked)).toEqual({
      ...common,
      message: "Authentication Error, Key is blocked. Update via `/key/unblock` if you're an admin.",
    });
    expect(refuseRoute({ key: keyOf({}), user: userOf(blocked) }, asked)).toMatchObject({
      ...common,
      message: expect.stringContaining("User=u"),
    });
    expect(refuseRoute({ key: keyOf({}), team: teamOf(blocked) }, asked)).toMatchObject({
      ...common,
      message: expect.stringContaining("Team=t"),
    });
  });

  test("to a key from the ms on in which it expires", () => {
    const key = keyOf({ duration: "1h" });
    expect(refuseRoute({ key }, { ...asked, now: now + 3_599_999 })).toBeUndefined();
    expect(refuseRoute({ key }, { ...asked, now: now + 3_600_000 })).toMatchObject({
      status: 401,
      type: "expired_key",
      message: "Authentication Error - Expired Key. Key Expiry time 2026-11-23T11:00:00.000Z and current time 2026-11-23T11:00:00.000Z",
    });
  });

  test("that is none of the key's", () => {
    expect(refuseRoute({ key: keyOf({ allowed_routes: ["info_routes"] }) }, asked)).toEqual({
      status: 403,
      kind: "permission_error",
      type: "auth_error",
      message:
        "Virtual key is not allowed to call this route. Only allowed to call routes: ['info_routes']. Tried to call route: /v1/messages",
    });
    expect(refuseRoute({ key: keyOf({}) }, { ...asked, path: "/key/generate" })?.message).toContain("['llm_api_routes']");
  });
});

describe("a model is refused", () => {
  const resolve = (name: string) => ({ name, provider: "anthropic" });

  test("that the key does not have", () => {
    const holder = { key: keyOf({ models: ["haiku", "sonnet"] }) };
    expect(refuseModel(holder, "haiku", resolve)).toBeUndefined();
    expect(refuseModel(holder, "opus", resolve)).toEqual({
      status: 401,
      kind: "authentication_error",
      type: "key_model_access_denied",
      message: "key not allowed to access model. This key can only access models=['haiku', 'sonnet']. Tried to access opus",
    });
  });

  test("that its team does not have, whatever its user has", () => {
    const team = teamOf({ models: ["haiku"] });
    const user = userOf({ models: ["opus"] });
    const holder = { key: keyOf({ team_id: "t" }), team, user };
    expect(refuseModel(holder, "haiku", resolve)).toBeUndefined();
    expect(refuseModel(holder, "opus", resolve)).toMatchObject({ status: 401, type: "team_model_access_denied" });
    expect(refuseModel({ ...holder, key: keyOf({ team_id: "t", models: ["all-team-models"] }) }, "haiku", resolve)).toBeUndefined();
    expect(refuseModel({ ...holder, key: keyOf({ team_id: "t", models: ["all-team-models"] }) }, "opus", resolve)?.type).toBe(
      "key_model_access_denied",
    );
  });

  test("to a key whose team is gone", () => {
    expect(refuseModel({ key: keyOf({ team_id: "t" }) }, "haiku", resolve)).toMatchObject({ type: "team_model_access_denied" });
  });

  test("that its user does not have, where there is no team", () => {
    expect(refuseModel({ key: keyOf({}), user: userOf({ models: ["no-default-models"] }) }, "opus", resolve)).toMatchObject({
      status: 401,
      type: "user_model_access_denied",
    });
  });

  test("by what an alias means, for team and user; the key may name the alias", () => {
    const key = keyOf({ models: ["fast"], aliases: { fast: "opus" } });
    expect(aliased({ key }, "fast")).toBe("opus");
    expect(aliased({ key }, "toString")).toBe("toString");
    expect(refuseModel({ key }, "fast", resolve)).toBeUndefined();
    expect(refuseModel({ key: { ...key, models: ["opus"] } }, "fast", resolve)).toBeUndefined();
    expect(refuseModel({ key: { ...key, models: ["haiku"] } }, "fast", resolve)).toMatchObject({ type: "key_model_access_denied" });
    expect(refuseModel({ key }, "opus", resolve)).toMatchObject({ type: "key_model_access_denied" });
    expect(refuseModel({ key: { ...key, teamId: "t" }, team: teamOf({ models: ["fast"] }) }, "fast", resolve)?.type).toBe(
      "team_model_access_denied",
    );
    expect(refuseModel({ key, user: userOf({ models: ["fast"] }) }, "fast", resolve)?.type).toBe("user_model_access_denied");
  });
});
