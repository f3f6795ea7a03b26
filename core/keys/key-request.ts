/** Bodies of `/key/generate` and `/key/update`, and what they make of a key. */

import { z } from "zod";

import type { VirtualKey } from "../../sdk/keys.ts";
import { listWords } from "../config/check.ts";
import { isAddressBlock } from "./address-access.ts";
import { after } from "./durations.ts";
import { duration, listOf, mappingOf, name, names, oneOf } from "./fields.ts";
import { emptied, newOwned, ownedFields, ownedOf } from "./owned-fields.ts";
import { applied, field, readBody } from "./read-body.ts";
import { isRouteEntry, routeGroups } from "./route-access.ts";
import { createSecret, idOf, nameOf, toId } from "./secret.ts";

const never = "-1";
const block = name.refine(isAddressBlock, { error: "an IP address, or a block such as 10.0.0.0/8" });
const route = name.refine(isRouteEntry, { error: `a path such as /v1/*, or ${listWords([...routeGroups.keys()], "or")}` });
const ownSecretWords = 'text that begins with "sk-" but not with "sk-ant-" as Anthropic\'s own, of visible ASCII characters';
const ownSecret = z.string({ error: ownSecretWords }).regex(/^sk-(?!ant-)[\x21-\x7e]{1,500}$/, { error: ownSecretWords });

const keyFields = {
  ...ownedFields,
  key_alias: field(name),
  /** From now on. */
  duration: field(z.union([z.literal(never), duration], { error: "a duration such as 24h or 30d, or -1 for none" })),
  user_id: field(name),
  team_id: field(name),
  aliases: field(mappingOf(name, "names to models")),
  allowed_routes: field(listOf(route, "routes")),
  key_type: field(oneOf(["default", "llm_api", "management", "read_only"])),
  /** Ours: LiteLLM has it for all keys together. */
  allowed_ips: field(listOf(block, "IP addresses and blocks")),
  allowed_cache_controls: field(names),
};
type KeyFields = ReturnType<typeof readBody<typeof keyFields>>["fields"];

const routesOfType: Readonly<Record<string, readonly string[]>> = {
  default: [],
  llm_api: ["llm_api_routes"],
  management: ["management_routes"],
  read_only: ["info_routes"],
};

export interface GeneratedKey {
  readonly key: VirtualKey;
  /** To be shown once, and stored nowhere. */
  readonly secret: string;
  readonly notes: readonly string[];
}

/** Of its own choice a secret should not be shorter; one that is is guessed from its hash. */
const leastSecretLength = 24;

/**
 * @param now ms since 1970
 * @param createdBy who asks for it
 * @throws ProxyError 400
 */
export function decodeKeyGenerate(body: unknown, now: number, createdBy: string | undefined): GeneratedKey {
  const { fields, notes } = readBody(body, { ...keyFields, key: field(ownSecret) });
  const secret = fields.key ?? createSecret();
  const bare: VirtualKey = {
    ...newOwned(now),
    id: idOf(secret),
    name: nameOf(secret),
    aliases: {},
    allowedRoutes: [],
    allowedAddresses: [],
    createdBy,
  };
  const isShort = secret.length < leastSecretLength;
  return {
    key: applied(bare, patchOf(fields, now)),
    secret,
    notes: isShort ? [...notes, `key is shorter than ${leastSecretLength} characters: whoever sees its hash may guess it.`] : notes,
  };
}

export interface KeyUpdate {
  readonly id: string;
  /** For {@link KeyStore.update}. */
  readonly change: (key: VirtualKey) => VirtualKey;
  /** Whether what it has spent of its budgets is to be forgotten. */
  readonly isSpendReset: boolean;
  readonly notes: readonly string[];
}

const nothing = z.literal(0, { error: "0, which begins its budgets anew" });

/** @param now ms since 1970 @throws ProxyError 400 */
export function decodeKeyUpdate(body: unknown, now: number): KeyUpdate {
  const { fields, notes } = readBody(body, {
    ...keyFields,
    key: z.string({ error: "a key, or its hash" }).min(1, { error: "a key, or its hash" }),
    spend: field(nothing),
  });
  const patch = { ...patchOf(fields, now), updatedAt: now };
  return { id: toId(fields.key), change: (key) => applied(key, patch), isSpendReset: fields.spend === 0, notes };
}

function patchOf(fields: KeyFields, now: number): { readonly [Name in keyof VirtualKey]?: VirtualKey[Name] | null | undefined } {
  const { duration, key_type } = fields;
  const isForever = duration === null || duration === never;
  const ofType = key_type == null ? undefined : routesOfType[key_type];
  return {
    ...ownedOf(fields),
    alias: fields.key_alias,
    userId: fields.user_id,
    teamId: fields.team_id,
    aliases: emptied(fields.aliases, {}),
    allowedRoutes: emptied(fields.allowed_routes, []) ?? ofType,
    allowedAddresses: emptied(fields.allowed_ips, []),
    allowedCacheControls: fields.allowed_cache_controls,
    expiresAt: isForever ? null : duration === undefined ? undefined : after(duration, now),
  };
}
