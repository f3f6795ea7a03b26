/** What `ccproxy keys` asks the running server. Each key that it shows or changes is one that the server has named. */

import { request } from "node:http";

import { configDirectory } from "./config-directory.ts";
import type { CliContext, CommonOptions } from "./context.ts";
import type { Answer, ServerAddress } from "./control.ts";
import { CliFailure } from "./failure.ts";
import { inspectState } from "./state.ts";

/** Of LiteLLM's shape, as far as it is shown. */
export interface ShownKey {
  /** SHA-256 in hex. */
  readonly token: string;
  readonly key_name: string;
  readonly key_alias: string | null;
  readonly user_id: string | null;
  readonly team_id: string | null;
  readonly models: readonly string[];
  /** US dollars. */
  readonly spend: number;
  readonly max_budget: number | null;
  readonly budget_duration: string | null;
  readonly budget_reset_at: string | null;
  readonly rpm_limit: number | null;
  readonly tpm_limit: number | null;
  readonly expires: string | null;
  readonly blocked: boolean;
  readonly created_at: string;
  readonly litellm_budget_table?: { readonly max_budget: number | null; readonly budget_duration: string | null };
  /** What had no effect. */
  readonly notes?: readonly string[];
}

/** Just made; `key` is its secret. */
export type NewKey = ShownKey & { readonly key: string };

export interface KeysServer {
  readonly url: string;
  /** @throws CliFailure with what the server says */
  get<Reply>(path: string): Promise<Reply>;
  /** @throws CliFailure with what the server says */
  post<Reply>(path: string, body: object): Promise<Reply>;
}

const answerMs = 30_000;
const maxAnswerBytes = 16 << 20;

/** @throws CliFailure when none runs */
export async function keysServer(context: CliContext, options: CommonOptions): Promise<KeysServer> {
  const found = await inspectState(configDirectory(context, options));
  if (found.type !== "running") throw new CliFailure('no server runs that could know of keys; "ccproxy start" starts one');
  const { server } = found;
  return {
    url: server.url,
    get: async <Reply>(path: string) => replyOf(await ask(server, "GET", path)) as Reply,
    post: async <Reply>(path: string, body: object) => replyOf(await ask(server, "POST", path, JSON.stringify(body))) as Reply,
  };
}

function replyOf({ status, body }: Answer): unknown {
  if (status === 200) return JSON.parse(body);
  throw new CliFailure(messageOf(body) ?? `the server answered with status ${status}`, status === 400 ? 2 : 1);
}

function messageOf(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { readonly error?: { readonly message?: unknown } };
    return typeof error?.message === "string" ? error.message : undefined;
  } catch {
    return undefined;
  }
}

/** The token goes to the given server only: redirects are not followed. @throws Error when there is no answer in time */
function ask({ url, controlToken }: ServerAddress, method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { "x-ccproxy-token": controlToken, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const options = { method, headers, agent: false, signal: AbortSignal.timeout(answerMs) };
    const asking = request(`${url}${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) asking.destroy(new Error("the answer is too long"));
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }));
      response.on("error", reject);
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

const pageSize = 100;

/** Newest first. */
export async function allKeys(server: KeysServer, filter: Readonly<Record<string, string | undefined>> = {}): Promise<readonly ShownKey[]> {
  const found: ShownKey[] = [];
  for (let page = 1; ; page++) {
    const query = new URLSearchParams({ page: String(page), size: String(pageSize), return_full_object: "true" });
    for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, value);
    const { keys } = await server.get<{ readonly keys: readonly ShownKey[] }>(`/key/list?${query.toString()}`);
    found.push(...keys);
    if (keys.length < pageSize) return found;
  }
}

const leastPrefix = 8;

/**
 * The key with this alias, this id, or an id that begins so. A secret is never sent as a name: it would stand in the history of the shell already.
 *
 * @throws CliFailure when there is none, or more than one
 */
export async function findKey(server: KeysServer, name: string): Promise<ShownKey> {
  if (name.startsWith("sk-")) throw new CliFailure("name a key by its alias or id, not by its secret", 2);
  const [ofAlias] = await allKeys(server, { key_alias: name });
  const ofId =
    /^[0-9a-f]+$/.test(name) && name.length >= leastPrefix ? (await allKeys(server)).filter(({ token }) => token.startsWith(name)) : [];
  const found = [...new Map([...(ofAlias === undefined ? [] : [ofAlias]), ...ofId].map((key) => [key.token, key])).values()];
  const [only, ...others] = found;
  if (only === undefined) {
    const why = /^[0-9a-f]{1,7}$/.test(name) ? `; of an id give ${leastPrefix} characters or more` : "";
    throw new CliFailure(`there is no key "${name}"${why}; "ccproxy keys list" shows them all`);
  }
  if (others.length === 0 || only.token === name) return only;
  const which = found
    .slice(0, 5)
    .map(({ token, key_alias }) => (key_alias === null ? token.slice(0, 16) : `${token.slice(0, 16)} (${key_alias})`));
  throw new CliFailure(`"${name}" is ambiguous: ${found.length} keys are called so, or have ids that begin so: ${which.join(", ")}`, 2);
}
