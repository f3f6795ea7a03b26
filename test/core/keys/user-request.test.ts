import { expect, test } from "vitest";

import { decodeUserNew, decodeUserUpdate } from "../../../core/keys/user-request.ts";

test("/user/new makes an internal user, with an id where none is given, who gets a key", () => {
  const { user, isKeyWanted } = decodeUserNew({ user_email: "ada@example.com", max_budget: 1 }, 7);
  expect(user).toMatchObject({ role: "internal_user", email: "ada@example.com", maxBudget: 1_000_000_000, createdAt: 7, models: [] });
  expect(user.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(isKeyWanted).toBe(true);
  expect(decodeUserNew({ user_id: "u", auto_create_key: false }, 7)).toMatchObject({ user: { id: "u" }, isKeyWanted: false });
});

test("roles are LiteLLM's", () => {
  expect(() => decodeUserNew({ user_role: "root" }, 7)).toThrow('user_role: found "root", wanted proxy_admin or proxy_admin_viewer or');
});

test("/user/update changes what is named of whom is named", () => {
  const { user } = decodeUserNew({ user_id: "u", user_alias: "Ada", rpm_limit: 3 }, 7);
  const { id, change, notes } = decodeUserUpdate({ user_id: "u", rpm_limit: null, user_role: "proxy_admin", teams: [] }, 9);
  const { rpm: _, ...rest } = user;
  expect(id).toBe("u");
  expect(change(user)).toEqual({ ...rest, role: "proxy_admin", updatedAt: 9 });
  expect(notes).toMatchObject([expect.stringContaining('"teams"')]);
  expect(() => decodeUserUpdate({}, 9)).toThrow("user_id: found nothing, wanted the id of a user");
});
