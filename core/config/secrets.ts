/** Gathers the exact values that must never be written anywhere. */

import { isSensitivePath } from "./describe.ts";
import type { DeploymentConfig } from "./types.ts";
import type { Reference } from "./variables.ts";

/** Shorter values occur everywhere; to strike them out would garble the log and hide nothing. */
const minSecretLength = 6;

/** Keys whose values are names and addresses, wherever they come from. */
const publicKeys: ReadonlySet<string | number> = new Set([
  "model",
  "model_name",
  "api_base",
  "base_url",
  "custom_llm_provider",
  "id",
  "host",
  "port",
]);

const credentialHeader = /auth|key|token|secret|cookie|password|credential/i;

export interface SecretSources {
  readonly deployments: readonly DeploymentConfig[];
  readonly masterKey: string | undefined;
  readonly references: readonly Reference[];
  readonly environmentVariables: ReadonlyMap<string, string>;
}

/** Without repetition, longest first, so that one that contains another is struck out whole. */
export function gatherSecrets(sources: SecretSources): readonly string[] {
  const values = new Set<string>();
  const add = (value: string | undefined): void => {
    if (value !== undefined && value.length >= minSecretLength) values.add(value);
  };
  add(sources.masterKey);
  for (const { apiKey, extraHeaders } of sources.deployments) {
    add(apiKey);
    for (const [name, value] of Object.entries(extraHeaders)) {
      if (!credentialHeader.test(name)) continue;
      add(value);
      // `Bearer <token>`: the token may turn up alone.
      add(/^\S+\s+(\S+)$/.exec(value)?.[1]);
    }
  }
  for (const { path, value } of sources.references) if (!publicKeys.has(path.at(-1) ?? "")) add(value);
  for (const [name, value] of sources.environmentVariables) if (isSensitivePath([name])) add(value);
  return [...values].sort((a, b) => b.length - a.length);
}
