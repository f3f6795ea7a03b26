/** Which exchanges are meant, and by what they are added up, in SQL over `exchanges e`. */

import type { Grouping, LedgerFilter } from "../../sdk/ledger.ts";
import { encodeText } from "./text.ts";

/** Collects values, and names them in the statement. */
export class Values {
  readonly list: unknown[] = [];
  bind(value: unknown): string {
    this.list.push(typeof value === "string" ? encodeText(value) : value);
    return `$${this.list.length}`;
  }
}

/** Conditions of which each has to hold; `true` where there are none. */
export function toCondition(filter: LedgerFilter, values: Values): string {
  const conditions = ["true"];
  // The indexes are of beginnings: the first half finds, the second half decides.
  const equals = (column: string, value: string | undefined): void => {
    if (value === undefined) return;
    const bound = values.bind(value);
    conditions.push(`left(e.${column}, 64) = left(${bound}::text, 64) and e.${column} = ${bound}::text`);
  };
  if (filter.from !== undefined) conditions.push(`e.started_at >= ${values.bind(filter.from)}::float8`);
  if (filter.to !== undefined) conditions.push(`e.started_at < ${values.bind(filter.to)}::float8`);
  if (filter.requestId !== undefined) conditions.push(`e.id = ${values.bind(filter.requestId)}::text`);
  equals("key_id", filter.keyId);
  equals("user_id", filter.userId);
  equals("team_id", filter.teamId);
  equals("session", filter.session);
  if (filter.tag !== undefined) conditions.push(`${values.bind(filter.tag)}::text = any (e.tags)`);
  return conditions.join(" and ");
}

export const groupings: Readonly<Record<Grouping, string>> = {
  model: "e.model_served",
  modelAsked: "e.model_asked",
  key: "e.key_id",
  user: "e.user_id",
  team: "e.team_id",
  session: "e.session",
  agent: "e.agent",
  label: "e.label",
  tag: "t.tag",
  provider: "e.provider",
  deployment: "e.deployment_id",
  day: "to_char(to_timestamp(e.started_at / 1000) at time zone 'UTC', 'YYYY-MM-DD')",
};
