/** What it costs to know who spent what: without a ledger, with a key of all limits on SQLite, and on PostgreSQL with Redis. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { createSecret, idOf, nameOf } from "../core/keys/secret.ts";
import { openPostgres } from "../plugins/postgres/index.ts";
import { openSqlite } from "../plugins/sqlite/index.ts";
import type { KeyStore } from "../sdk/keys.ts";
import { toNanoDollars } from "../sdk/money.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { startRedis } from "../test/servers/redis.ts";
import { benchModel } from "./bodies.ts";
import { type LaneContext, type LaneSpec, type Launch, ccproxyStart } from "./lanes.ts";

const masterKey = "sk-bench-master";

/** Neither key nor rows of spend: what a request costs by itself. */
export const ccproxyBlindLane: LaneSpec = {
  name: "ccproxy−spend",
  forms: ["stream", "plain"],
  isPeer: false,
  note: "general_settings.disable_spend_logs: nothing is written down.",
  prepare: (context) => configured(context, "general_settings: {disable_spend_logs: true}\n"),
};

export const ccproxyKeysLane: LaneSpec = {
  name: "ccproxy+keys",
  forms: ["stream", "plain"],
  isPeer: false,
  note: "A virtual key with limits of requests, tokens and requests at a time and a budget; ledger and keys in SQLite.",
  async prepare(context) {
    const store = openSqlite({ path: join(context.directory, "ccproxy.db"), wallClock: () => Date.now() });
    const secret = await createKey(store.keys);
    await store.close();
    return { ...configured(context, `general_settings: {master_key: ${masterKey}}\n`), headers: { "x-api-key": secret } };
  },
};

export const ccproxyServersLane: LaneSpec = {
  name: "ccproxy+servers",
  forms: ["stream", "plain"],
  isPeer: false,
  note: "The same key; ledger and keys in PostgreSQL, limits and routing in Redis, both on this machine.",
  async prepare(context) {
    const servers = await startServers().catch((error: unknown) => String(error));
    if (typeof servers === "string") return { skipped: servers };
    const { postgres, redis } = servers;
    const url = await postgres.createDatabase();
    const engine = await openPostgres({ url });
    const secret = await createKey(engine.keys);
    await engine.close();
    const config = [
      `general_settings: {master_key: ${masterKey}, database_url: "${url}"}`,
      `router_settings: {redis_url: "${redis.url}"}`,
      "",
    ].join("\n");
    return {
      ...configured(context, config),
      headers: { "x-api-key": secret },
      async cleanUp() {
        await postgres[Symbol.asyncDispose]();
        await redis[Symbol.asyncDispose]();
      },
    };
  },
};

interface Servers {
  readonly postgres: Awaited<ReturnType<typeof startPostgres>>;
  readonly redis: Awaited<ReturnType<typeof startRedis>>;
}

async function startServers(): Promise<Servers> {
  const postgres = await startPostgres({ isDurable: true });
  return { postgres, redis: await startRedis() };
}

async function createKey(keys: KeyStore): Promise<string> {
  const secret = createSecret();
  const now = Date.now();
  await keys.create("key", {
    id: idOf(secret),
    name: nameOf(secret),
    models: [benchModel],
    aliases: {},
    allowedRoutes: [],
    allowedAddresses: [],
    metadata: {},
    tags: [],
    isBlocked: false,
    createdAt: now,
    updatedAt: now,
    rpm: 100_000_000,
    tpm: 1_000_000_000_000,
    maxParallelRequests: 100_000,
    maxBudget: toNanoDollars(1_000_000),
    budgetDuration: "30d",
  });
  return secret;
}

/** Priced, so that there is something to count. */
function configured(context: LaneContext, settings: string): Launch {
  const entry = [
    "model_list:",
    `  - model_name: ${benchModel}`,
    `    litellm_params: {model: anthropic/${benchModel}, api_base: "${context.upstreamUrl}", api_key: sk-ant-bench}`,
    "    model_info: {input_cost_per_token: 0.000003, output_cost_per_token: 0.000015}",
    "",
  ].join("\n");
  writeFileSync(join(context.directory, "config.yaml"), entry + settings, { mode: 0o600 });
  writeFileSync(join(context.directory, "ccproxy.yaml"), "ccproxy:\n  default_model_passthrough: true\n", { mode: 0o600 });
  return ccproxyStart(context);
}
