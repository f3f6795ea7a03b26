import { expect, test } from "vitest";

import { decodeTeamNew, decodeTeamUpdate } from "../../../core/keys/team-request.ts";

test("/team/new makes a team with its members", () => {
  const members_with_roles = [
    { user_id: "u", role: "admin", max_budget_in_team: 2 },
    { user_id: "v", role: "user" },
  ];
  const { team } = decodeTeamNew({ team_alias: "Core", members_with_roles, models: ["opus"], blocked: true }, 7);
  expect(team).toMatchObject({ alias: "Core", models: ["opus"], isBlocked: true, createdAt: 7 });
  expect(team.members).toEqual([
    { userId: "u", role: "admin", maxBudget: 2_000_000_000 },
    { userId: "v", role: "user" },
  ]);
  expect(team.id).toMatch(/^[0-9a-f-]{36}$/);
});

test("a member is named once, by an id, with a role", () => {
  const twice = [
    { user_id: "u", role: "user" },
    { user_id: "u", role: "admin" },
  ];
  expect(() => decodeTeamNew({ members_with_roles: twice }, 7)).toThrow("members_with_roles: found a list, wanted each user_id once");
  expect(() => decodeTeamNew({ members_with_roles: [{ role: "user" }] }, 7)).toThrow(
    "members_with_roles[0].user_id: found nothing, wanted",
  );
  expect(() => decodeTeamNew({ members_with_roles: [{ user_id: "u", role: "king" }] }, 7)).toThrow(
    '.role: found "king", wanted admin or user',
  );
});

test("/team/update changes what is named", () => {
  const { team } = decodeTeamNew({ team_id: "t", max_budget: 1, budget_duration: "7d" }, 7);
  const { id, change } = decodeTeamUpdate({ team_id: "t", budget_duration: null, members_with_roles: null }, 9);
  const { budgetDuration: _, ...rest } = team;
  expect(id).toBe("t");
  expect(change(team)).toEqual({ ...rest, updatedAt: 9 });
  expect(() => decodeTeamUpdate({}, 9)).toThrow("team_id: found nothing, wanted the id of a team");
});
