/** Teams as LiteLLM's replies show them. */

import type { Json } from "../../sdk/body.ts";
import type { Team, VirtualKey } from "../../sdk/keys.ts";
import { toUsd } from "../../sdk/money.ts";
import { encodeKey, encodeSpend, type KeyStanding } from "./key-reply.ts";
import { encodeOwned } from "./owned-fields.ts";

type Reply = Readonly<Record<string, Json>>;

/** Of `/team/info`. */
export function encodeTeamInfo(
  team: Team,
  standing: KeyStanding,
  keys: readonly { readonly key: VirtualKey; readonly standing: KeyStanding }[],
): Reply {
  return {
    team_id: team.id,
    team_info: encodeTeam(team, standing),
    keys: keys.map(({ key, standing }) => encodeKey(key, standing)),
  };
}

/** Of `/team/new` and `/team/update`, and of each row of `/team/list`. */
export function encodeTeam(team: Team, standing: KeyStanding): Reply {
  return {
    ...(encodeOwned(team) as unknown as Reply),
    team_id: team.id,
    team_alias: team.alias ?? null,
    members_with_roles: team.members.map(({ userId, role, maxBudget }) => ({
      user_id: userId,
      role,
      max_budget_in_team: maxBudget === undefined ? null : toUsd(maxBudget),
    })),
    ...encodeSpend(team.budgetDuration, standing),
  };
}
