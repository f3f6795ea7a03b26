/** The real Claude Code with a virtual key and a small budget: it warns, it refuses in words that say what to do, and goes on after a raise. */

import { afterAll, beforeAll, expect, it } from "vitest";

import { createSecret, idOf, nameOf } from "../../core/keys/secret.ts";
import { openSqlite, type SqliteEngine } from "../../plugins/sqlite/index.ts";
import { toNanoDollars } from "../../sdk/money.ts";
import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { textReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";
import { installClaudeCode } from "./claude-code-package.ts";
import { createSession, oauthToken, type Run } from "./claude-code.ts";

let upstream: Upstream;
let proxy: Proxy;
let store: SqliteEngine;
const secret = createSecret();

beforeAll(async () => {
  await installClaudeCode();
  upstream = await startUpstream(textReply("The budget pays for this.", { input_tokens: 100_000, output_tokens: 100_000 }));
  const entry = {
    ...(deployment("claude-sonnet-4-5", upstream.url) as object),
    model_info: { input_cost_per_token: 1e-6, output_cost_per_token: 1e-6 },
  };
  proxy = await startProxy({ config: { model_list: [entry], general_settings: { master_key: "sk-the-master-key" } } });
  store = openSqlite({ path: `${proxy.directory}/ccproxy.db`, wallClock: () => Date.now() });
  const now = Date.now();
  await store.keys.create("key", {
    id: idOf(secret),
    name: nameOf(secret),
    models: [],
    metadata: {},
    tags: [],
    isBlocked: false,
    createdAt: now,
    updatedAt: now,
    aliases: {},
    allowedRoutes: [],
    allowedAddresses: [],
    maxBudget: toNanoDollars(0.5),
    budgetDuration: "30d",
  });
}, 600_000);

afterAll(async () => {
  await store.close();
  await proxy[Symbol.asyncDispose]();
  await upstream.close();
});

interface RateLimitEvent {
  readonly status: string;
  readonly rateLimitType?: string;
  readonly utilization?: number;
  readonly surpassedThreshold?: number;
}

interface Seen {
  readonly exitCode: number | null;
  /** What the client knows of limits, from which its user is told. */
  readonly limits: RateLimitEvent | undefined;
  readonly result: string;
}

function seen({ exitCode, stdout, strays }: Run): Seen {
  expect(strays).toEqual([]);
  const lines = stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  return {
    exitCode,
    limits: lines.find(({ type }) => type === "rate_limit_event")?.rate_limit_info,
    result: lines.find(({ type }) => type === "result")?.result,
  };
}

const question = ["--model", "claude-sonnet-4-5", "--output-format", "stream-json", "--verbose", "Say something."];

it("shows the warning, then the refusal, then works after a raise", async () => {
  await using session = await createSession({ config: { model_list: [] } });
  // It asks about limits when it is logged in; the key goes beside the login.
  const loggedIn = [`ANTHROPIC_CUSTOM_HEADERS=x-litellm-api-key: ${secret}`, `CLAUDE_CODE_OAUTH_TOKEN=${oauthToken}`];
  const keyOnly = [`ANTHROPIC_AUTH_TOKEN=${secret}`];
  const claude = async (credential: readonly string[]): Promise<Seen> =>
    seen(await session.claude(question, { wrapper: ["env", `ANTHROPIC_BASE_URL=${proxy.url}`, ...credential], environment: {} }));

  expect((await claude(loggedIn)).limits).toMatchObject({ status: "allowed" });
  expect((await claude(keyOnly)).result).toBe("The budget pays for this.");
  const third = await claude(loggedIn);
  expect(third).toMatchObject({ exitCode: 0, result: "The budget pays for this." });
  expect(third.limits).toMatchObject({ status: "allowed_warning", rateLimitType: "overage", surpassedThreshold: 0.75 });
  expect(third.limits?.utilization).toBeGreaterThan(0.75);

  for (const credential of [loggedIn, keyOnly]) {
    const refused = await claude(credential);
    expect(refused.exitCode).toBe(1);
    expect(refused.result).toMatch(
      /The monthly budget of this key is used up: \$0\.6 of \$0\.5\. It begins anew on .* whoever runs this proxy can raise it\./,
    );
  }
  expect((await claude(loggedIn)).limits).toMatchObject({ status: "rejected" });

  await store.keys.update("key", idOf(secret), (key) => ({ ...key, maxBudget: toNanoDollars(5) }));
  expect(await claude(keyOnly)).toMatchObject({ exitCode: 0, result: "The budget pays for this." });
});
