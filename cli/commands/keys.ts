/** `ccproxy keys`: virtual keys of the running server. */

import { printable } from "../../core/config/describe.ts";
import type { CliContext, Command, CommonOptions } from "../context.ts";
import { painter } from "../display.ts";
import { allKeys, findKey, type KeysServer, keysServer, type NewKey, type ShownKey } from "../keys-server.ts";
import { keyDetails, keysTable } from "../keys-table.ts";

interface KeysOptions extends CommonOptions {
  readonly json?: boolean;
}

interface NamedOptions extends KeysOptions {
  /** Alias, id, or the beginning of an id. */
  readonly key: string;
}

interface CreateOptions extends KeysOptions {
  readonly alias?: string;
  readonly models?: readonly string[];
  /** US dollars. */
  readonly maxBudget?: number;
  readonly budgetDuration?: string;
  readonly rpm?: number;
  readonly tpm?: number;
  /** From now on. */
  readonly expires?: string;
  readonly user?: string;
  readonly team?: string;
}

export const createKey: Command<CreateOptions> = async (context, options) => {
  const server = await keysServer(context, options);
  const asked = {
    key_alias: options.alias,
    models: options.models,
    max_budget: options.maxBudget,
    budget_duration: options.budgetDuration,
    rpm_limit: options.rpm,
    tpm_limit: options.tpm,
    duration: options.expires,
    user_id: options.user,
    team_id: options.team,
  };
  showNew(context, options, server, await server.post<NewKey>("/key/generate", asked), "created");
};

export const listKeys: Command<KeysOptions & { readonly user?: string; readonly team?: string }> = async (context, options) => {
  const server = await keysServer(context, options);
  const keys = await allKeys(server, { user_id: options.user, team_id: options.team });
  const { stdout } = context;
  stdout.write(options.json === true ? json(keys) : keysTable(keys, painter(stdout), Date.now()));
};

export const showKey: Command<NamedOptions> = async (context, options) => {
  const key = await findKey(await keysServer(context, options), options.key);
  const { stdout } = context;
  stdout.write(options.json === true ? json(key) : keyDetails(key, painter(stdout), Date.now()));
};

export const blockKey: Command<NamedOptions> = (context, options) =>
  change(context, options, "/key/block", "is blocked: it opens nothing any more");

export const unblockKey: Command<NamedOptions> = (context, options) => change(context, options, "/key/unblock", "is unblocked");

async function change(context: CliContext, options: NamedOptions, path: string, done: string): Promise<void> {
  const server = await keysServer(context, options);
  const found = await findKey(server, options.key);
  const key = await server.post<ShownKey>(path, { key: found.token });
  context.stdout.write(options.json === true ? json(key) : `${nameOf(found)} ${done}\n`);
}

export const rotateKey: Command<NamedOptions> = async (context, options) => {
  const server = await keysServer(context, options);
  const found = await findKey(server, options.key);
  const key = await server.post<NewKey>("/key/regenerate", { key: found.token });
  showNew(context, options, server, key, "has a new secret; the old one opens nothing any more");
};

export const deleteKey: Command<NamedOptions> = async (context, options) => {
  const server = await keysServer(context, options);
  const found = await findKey(server, options.key);
  const reply = await server.post("/key/delete", { keys: [found.token] });
  context.stdout.write(options.json === true ? json(reply) : `${nameOf(found)} is deleted; what it spent stays in the ledger\n`);
};

/** The secret has a line of its own, so that it can be marked as a whole. */
function showNew({ stdout, stderr }: CliContext, { json: isJson }: KeysOptions, { url }: KeysServer, key: NewKey, done: string): void {
  for (const note of key.notes ?? []) stderr.write(`ccproxy: ${printable(note)}\n`);
  if (isJson === true) {
    stdout.write(json(key));
    return;
  }
  const paint = painter(stdout);
  stdout.write(
    [
      `${nameOf(key)} ${done}. This is its secret, shown only now:`,
      "",
      `  ${paint("bold", key.key)}`,
      "",
      paint("dim", "Claude Code:"),
      `  ANTHROPIC_BASE_URL=${url} ANTHROPIC_AUTH_TOKEN=${key.key} claude`,
      paint("dim", "OpenAI clients, which send it as bearer:"),
      `  OPENAI_BASE_URL=${url}/v1 OPENAI_API_KEY=${key.key}`,
      "",
    ].join("\n"),
  );
}

function nameOf({ key_alias, key_name, token }: ShownKey): string {
  return key_alias === null ? `Key ${printable(key_name)} (${token.slice(0, 12)})` : `Key "${printable(key_alias)}"`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
