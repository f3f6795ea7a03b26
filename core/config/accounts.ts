/** Reads the credentials of a deployment: one key or several, one organization that is billed or several. */

import { checkValue } from "./check.ts";
import { describeValue } from "./describe.ts";
import type { Report } from "./report.ts";
import { credential, text } from "./schema-values.ts";
import { keyOf, valueOf, within, type Place } from "./tree.ts";
import type { AccountConfig } from "./types.ts";

/** One item of a list; undefined where its variable is not set, or where it is wrong. */
interface Item {
  readonly place: Place;
  readonly value: string | undefined;
}

/**
 * What an entry is asked with, the first one in any case. A list of keys beside a list of organizations is taken pair by pair; one key
 * goes with every organization, and one organization with every key.
 *
 * @param params place of `litellm_params`
 */
export function readAccounts(params: Place, report: Report): readonly [AccountConfig, ...AccountConfig[]] {
  const keys = readItems(["api_key", "api_keys"], params, credential, report);
  const organizations = readItems(["organization"], params, text, report);
  if (keys.length > 1 && organizations.length > 1 && keys.length !== organizations.length) {
    const found = `names ${organizations.length} organizations beside ${keys.length} keys`;
    report.error(keyOf(within(params, "organization")), `${found}; wanted as many of one as of the other, or one of either.`);
  }
  const accounts: AccountConfig[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < Math.max(keys.length, organizations.length); index += 1) {
    const [key, organization] = [itemAt(keys, index), itemAt(organizations, index)];
    const account = { apiKey: key?.value, organization: organization?.value };
    // What its list names but nothing stands for is left out: to go on without a key, or at another's expense, was not meant.
    if ((keys.length > 1 && account.apiKey === undefined) || (organizations.length > 1 && account.organization === undefined)) continue;
    const identity = JSON.stringify(account);
    if (seen.has(identity)) {
      report.warning((keys.length > 1 ? key : organization)?.place ?? params, "is the same as one before it; it is left out.");
      continue;
    }
    seen.add(identity);
    accounts.push(account);
  }
  const [first = { apiKey: undefined, organization: undefined }, ...others] = accounts;
  return [first, ...others];
}

/** The parameters of a deployment that is asked with one account, whatever lists its entry has. */
export function withAccount(
  params: Readonly<Record<string, unknown>>,
  { apiKey, organization }: AccountConfig,
): Readonly<Record<string, unknown>> {
  const { api_keys: _keys, ...rest } = params;
  const replaced = Object.entries({ ...rest, api_key: apiKey, organization });
  return Object.fromEntries(replaced.filter(([, value]) => value !== undefined));
}

/** The only one of a list goes with every one of the other. */
function itemAt(items: readonly Item[], index: number): Item | undefined {
  return items.length === 1 ? items[0] : items[index];
}

/** What stands under these names, be it a text or a list of texts. */
function readItems(names: readonly string[], params: Place, schema: typeof credential, report: Report): readonly Item[] {
  return names.flatMap((name): readonly Item[] => {
    const place = within(params, name);
    const value = valueOf(place);
    if (value == null) return [];
    if (!Array.isArray(value)) {
      if (typeof value === "object") {
        report.error(place, `is ${describeValue(value)}; wanted text, or a list of texts.`);
        return [];
      }
      return [{ place, value: checkValue(place, schema, report) }];
    }
    if (value.length === 0) report.warning(place, "is an empty list; it counts as absent.");
    return value.map((item, index) => {
      const at = within(place, index);
      // Of a variable that is not set is told elsewhere.
      return { place: at, value: item === null ? undefined : checkValue(at, schema, report) };
    });
  });
}
