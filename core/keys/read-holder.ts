/** Reads a key with its user, its team, and what their budgets say. */

import type { Budget, KeyStore } from "../../sdk/keys.ts";
import type { Awaitable } from "../../sdk/routing-store.ts";
import { andThen } from "../routing/awaitable.ts";
import type { KeyHolder } from "./access.ts";
import { withBudget } from "./rights.ts";
import { opens } from "./secret.ts";

type Keys = Pick<KeyStore, "get">;
type Budgets = ReadonlyMap<string, Budget>;

/** @param id of the secret @returns undefined when there is no such key; nothing to wait for where the store answers at once */
export function readHolder(keys: Keys, id: string, secret: string): Awaitable<KeyHolder | undefined> {
  return andThen(keys.get("key", id), (key) => {
    // Whatever a store takes for equal, only the secret itself opens.
    if (key === undefined || !opens(secret, key.id)) return undefined;
    const { userId, teamId } = key;
    return andThen(userId === undefined ? undefined : keys.get("user", userId), (user) =>
      andThen(teamId === undefined ? undefined : keys.get("team", teamId), (team) => withBudgets(keys, { key, user, team })),
    );
  });
}

function withBudgets(keys: Keys, { key, user, team }: KeyHolder): Awaitable<KeyHolder> {
  const ids = [key, user, team].flatMap((owner) => (owner?.budgetId === undefined ? [] : [owner.budgetId]));
  return andThen(readBudgets(keys, [...new Set(ids)]), (budgets) => ({
    key: withBudget(key, budgets.get(key.budgetId ?? "")),
    user: user === undefined ? undefined : withBudget(user, budgets.get(user.budgetId ?? "")),
    team: team === undefined ? undefined : withBudget(team, budgets.get(team.budgetId ?? "")),
  }));
}

/** One after the other. */
function readBudgets(keys: Keys, [id, ...others]: readonly string[], found: Budgets = new Map()): Awaitable<Budgets> {
  if (id === undefined) return found;
  return andThen(keys.get("budget", id), (budget) =>
    readBudgets(keys, others, budget === undefined ? found : new Map([...found, [id, budget]])),
  );
}
