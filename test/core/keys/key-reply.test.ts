import { expect, test } from "vitest";

import * as reply from "../../../core/keys/key-reply.ts";
import { decodeKeyGenerate } from "../../../core/keys/key-request.ts";
import { encodeTeam, encodeTeamInfo } from "../../../core/keys/team-reply.ts";
import { decodeTeamNew } from "../../../core/keys/team-request.ts";
import { encodeNewUser, encodeUser, encodeUserInfo } from "../../../core/keys/user-reply.ts";
import { decodeUserNew } from "../../../core/keys/user-request.ts";

const now = Date.parse("2026-11-23T10:00:00Z");
const standing = { spent: 1_500_000_000, now };
const asked = {
  key_alias: "ci",
  models: ["opus"],
  max_budget: 12.5,
  budget_duration: "30d",
  rpm_limit: 10,
  user_id: "u",
  metadata: { a: 1 },
  budget_limits: [{ budget_duration: "24h", max_budget: 0.1 }],
  model_max_budget: { opus: { budget_limit: 1, time_period: "1mo" } },
};
const { key, secret } = decodeKeyGenerate({ ...asked, duration: "24h" }, now, "admin");

test("/key/generate echoes what was asked for, with the secret", () => {
  expect(reply.encodeGeneratedKey(key, secret, { spent: 0, now })).toMatchObject({
    ...asked,
    key: secret,
    token: key.id,
    token_id: key.id,
    key_name: `sk-...${secret.slice(-4)}`,
    expires: "2026-11-24T10:00:00.000Z",
    created_by: "admin",
    spend: 0,
    tpm_limit: null,
    team_id: null,
    budget_reset_at: "2026-12-01T00:00:00.000Z",
  });
});

test("no other reply holds the secret", () => {
  const page = { keys: [{ key, standing }], total: 1, page: 1, size: 10 };
  const all = [reply.encodeKeyInfo(key, standing), reply.encodeUpdatedKey(key, standing), reply.encodeKeyList(page, true)];
  for (const each of all) expect(JSON.stringify(each)).not.toContain(secret.slice(3));
});

test("/key/info has it in info", () => {
  expect(reply.encodeKeyInfo(key, standing)).toMatchObject({ key: key.id, info: { ...asked, spend: 1.5, blocked: false } });
});

test("/key/list has ids, or whole keys, and how many pages there are", () => {
  const page = { keys: [{ key, standing }], total: 21, page: 2, size: 10 };
  expect(reply.encodeKeyList(page, false)).toEqual({ keys: [key.id], total_count: 21, current_page: 2, total_pages: 3 });
  expect(reply.encodeKeyList(page, true)).toMatchObject({ keys: [{ token: key.id, key_alias: "ci" }] });
});

test("/key/delete names what was deleted", () => {
  expect(reply.encodeDeletedKeys(["a"])).toEqual({ deleted_keys: ["a"] });
});

test("/user/new and /user/info", () => {
  const { user } = decodeUserNew({ user_id: "u", user_email: "ada@example.com", max_budget: 2 }, now);
  expect(encodeNewUser(user, standing, { key, secret })).toMatchObject({ user_id: "u", key: secret, token: key.id, max_budget: 2 });
  expect(encodeNewUser(user, standing, undefined)).toMatchObject({ key: null });
  expect(encodeUser(user, standing)).toMatchObject({ user_id: "u", user_alias: null, max_budget: 2 });
  expect(encodeUserInfo(user, standing, [{ key, standing }])).toMatchObject({
    user_id: "u",
    user_info: { user_email: "ada@example.com", user_role: "internal_user", spend: 1.5, budget_reset_at: null },
    keys: [{ token: key.id }],
  });
});

test("/team/new and /team/info", () => {
  const members_with_roles = [{ user_id: "u", role: "admin", max_budget_in_team: 2 }];
  const { team } = decodeTeamNew({ team_id: "t", team_alias: "Core", members_with_roles }, now);
  expect(encodeTeam(team, standing)).toMatchObject({ team_id: "t", team_alias: "Core", members_with_roles, spend: 1.5 });
  expect(encodeTeamInfo(team, standing, [{ key, standing }])).toMatchObject({
    team_id: "t",
    team_info: { team_id: "t" },
    keys: [{ token: key.id }],
  });
});
