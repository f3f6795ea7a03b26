/** Checks the sections `router_settings`, `general_settings` and `litellm_settings` of config.yaml, and tells of keys that are not known. */

import { checkKeys, checkMapping, type KnownKeys } from "./check.ts";
import { laterGeneralKeys, laterLitellmKeys, laterRouterKeys, laterSections } from "./later-keys.ts";
import type { Report } from "./report.ts";
import { generalSchema, litellmSettingsSchema, sectionSchema, type GeneralKeys, type LitellmSettingsKeys } from "./schema-litellm.ts";
import {
  choiceSchema,
  failureSchema,
  healthSchema,
  streamSchema,
  type ChoiceKeys,
  type FailureKeys,
  type HealthKeys,
  type StreamKeys,
} from "./schema-router.ts";
import { cacheSettingSchema, redisSchema, storeSchema, type CacheSettingKeys, type RedisKeys, type StoreKeys } from "./schema-stores.ts";
import type { z } from "zod";
import { isMapping, valueOf, within, type Place } from "./tree.ts";

/** Of each section the keys that are right. Keys with a structure of their own are as written. */
export interface Settings {
  readonly router: Partial<ChoiceKeys & FailureKeys & StreamKeys & RedisKeys>;
  readonly general: Partial<GeneralKeys & HealthKeys & StoreKeys>;
  readonly litellm: Partial<LitellmSettingsKeys & CacheSettingKeys>;
}

const notYet = "is accepted, not yet in effect.";

/** @param told paths of keys already told of */
export function readSettings(root: Place, told: Set<string>, report: Report): Settings {
  for (const key of ["ccproxy", "litellm"]) {
    if (valueOf(within(root, key)) !== undefined)
      report.error({ ...within(root, key), part: "key" }, `belongs in ccproxy.yaml; here it has no effect.`);
  }
  const keys = [...Object.keys(sectionSchema.shape), "ccproxy", "litellm"];
  checkKeys(root, { effective: keys, ...accept(laterSections) }, { unknown: "warning", told }, report);
  const read = (section: string, later: readonly string[], ...schemas: readonly z.ZodObject[]): object => {
    const place = within(root, section);
    const value = valueOf(place);
    if (value == null) return {};
    const effective = schemas.flatMap((schema) => Object.keys(schema.shape));
    checkKeys(place, { effective, ...accept(later) }, { unknown: "warning", told }, report);
    // That it is no mapping is told once.
    const asked = isMapping(value) ? schemas : schemas.slice(0, 1);
    return Object.fromEntries(asked.flatMap((schema) => Object.entries(checkMapping(place, schema, report) ?? {})));
  };
  return {
    router: read("router_settings", laterRouterKeys, choiceSchema, failureSchema, streamSchema, redisSchema),
    general: read("general_settings", laterGeneralKeys, generalSchema, healthSchema, storeSchema),
    litellm: read("litellm_settings", laterLitellmKeys, litellmSettingsSchema, cacheSettingSchema),
  };
}

function accept(later: readonly string[]): Pick<KnownKeys, "later" | "laterNote"> {
  return { later, laterNote: (key) => (later.includes(key) ? notYet : undefined) };
}
