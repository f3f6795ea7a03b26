/** Keys for people: one line for each, and all there is of one. */

import { printable } from "../core/config/describe.ts";
import { table, type Paint } from "./display.ts";
import type { ShownKey } from "./keys-server.ts";

const shownId = 12;

/** @param now ms since 1970 */
export function keysTable(keys: readonly ShownKey[], paint: Paint, now: number): string {
  if (keys.length === 0) return 'no keys; "ccproxy keys create" makes one\n';
  const heads = ["alias", "key", "id", "models", "spend / budget", "expires", "state"].map((head) => paint("dim", head));
  const rows = keys.map((key) => [
    key.key_alias === null ? "-" : printable(key.key_alias),
    printable(key.key_name),
    key.token.slice(0, shownId),
    modelsOf(key.models),
    spendOf(key),
    expiryOf(key, now),
    stateOf(key, paint, now),
  ]);
  return table([heads, ...rows]);
}

/** @param now ms since 1970 */
export function keyDetails(key: ShownKey, paint: Paint, now: number): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["alias", key.key_alias ?? undefined],
    ["key", key.key_name],
    ["id", key.token],
    ["state", stateOf(key, paint, now)],
    ["models", key.models.length === 0 ? "all" : key.models.map(printable).join(", ")],
    ["spend", spendOf(key)],
    ["begins anew", key.budget_reset_at === null ? undefined : timeOf(key.budget_reset_at)],
    ["requests", key.rpm_limit === null ? undefined : `${key.rpm_limit} a minute`],
    ["tokens", key.tpm_limit === null ? undefined : `${key.tpm_limit} a minute`],
    ["user", key.user_id ?? undefined],
    ["team", key.team_id ?? undefined],
    ["created", timeOf(key.created_at)],
    ["expires", key.expires === null ? "never" : timeOf(key.expires)],
  ];
  const shown = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [[paint("dim", name), name === "state" ? value : printable(value)]],
  );
  return table(shown);
}

const mostModels = 3;

function modelsOf(models: readonly string[]): string {
  if (models.length === 0) return "all";
  const others = models.length - mostModels;
  return `${models.slice(0, mostModels).map(printable).join(", ")}${others > 0 ? `, and ${others} more` : ""}`;
}

/** e.g. `$0.25 / $5.00 in 30d`. */
function spendOf({ spend, max_budget, budget_duration, litellm_budget_table: shared }: ShownKey): string {
  const max = max_budget ?? shared?.max_budget ?? null;
  const duration = budget_duration ?? shared?.budget_duration ?? null;
  const budget = max === null ? "" : ` / ${money(max)}`;
  return `${money(spend)}${budget}${duration === null ? "" : ` in ${duration}`}`;
}

function money(usd: number): string {
  if (usd === 0) return "$0";
  return usd < 0.01 ? "<$0.01" : `$${usd.toFixed(2)}`;
}

const dayMs = 86_400_000;

function expiryOf({ expires }: ShownKey, now: number): string {
  if (expires === null) return "never";
  const left = Date.parse(expires) - now;
  const day = expires.slice(0, 10);
  if (left <= 0) return day;
  return left < dayMs ? `${day}, in ${Math.max(1, Math.round(left / 3_600_000))} h` : `${day}, in ${Math.round(left / dayMs)} d`;
}

function stateOf({ blocked, expires, spend, max_budget, litellm_budget_table: shared }: ShownKey, paint: Paint, now: number): string {
  if (blocked) return paint("red", "blocked");
  if (expires !== null && Date.parse(expires) <= now) return paint("red", "expired");
  const max = max_budget ?? shared?.max_budget ?? null;
  return max !== null && spend >= max ? paint("yellow", "over budget") : paint("green", "active");
}

function timeOf(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}
