/** What `ccproxy.yaml` may hold. The descriptions are its reference documentation. */

import { z } from "zod";
import { anything, count, flag, key, numeric, portNumber, requiredKey, text, type MappingSchema } from "./schema-values.ts";
import type { LogConfig } from "./types.ts";

export interface CcproxyKeys {
  readonly rules: unknown;
  readonly hooks: unknown;
  readonly autoload: boolean | undefined;
  readonly record: boolean | undefined;
  readonly default_model_passthrough: boolean | undefined;
  readonly oat_sources: unknown;
  readonly credentials: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly local_auth: boolean | undefined;
  readonly allowed_hosts: readonly string[] | undefined;
  readonly max_body_mb: number | undefined;
  readonly num_workers: number | undefined;
  readonly grace_seconds: number | undefined;
  readonly debug: boolean | undefined;
  readonly log: unknown;
}

export const ccproxySchema: MappingSchema<CcproxyKeys> = z.object({
  rules: key(anything, {
    description: "Routing rules in order; the first that matches gives the request its label. See *rules* below.",
    type: "list",
    default: "none",
  }),
  hooks: key(anything, { description: "Steps that a request passes, in order. See *hooks* below.", type: "list", default: "none" }),
  autoload: key(flag, {
    description: "Loads the files in `rules/` and `hooks/` beside `config.yaml` that no entry names. See *Code of your own* below.",
    type: "true or false",
    default: "`true`",
  }),
  record: key(flag, {
    description: "Keeps the bodies of recent requests in memory, for `ccproxy explain`.",
    type: "true or false",
    default: "`false`",
  }),
  default_model_passthrough: key(flag, {
    description:
      "Requests that no rule labels keep the model they ask for (`true`), or go to the entry `default` of `model_list` (`false`). Absent: they go to `default` if there is such an entry, else they keep their model.",
    type: "true or false",
  }),
  oat_sources: key(anything, {
    description: "Where the token of a provider comes from for callers that bring no credential, by provider. See *oat_sources* below.",
    type: "mapping",
    default: "none",
  }),
  credentials: key(text, {
    description: "Older form of `oat_sources.anthropic`: a shell command that prints the token. `oat_sources.anthropic` wins over it.",
    type: "shell command",
  }),
  host: key(text, {
    description: "Address to listen on. Anything but a loopback address needs `general_settings.master_key`.",
    type: "address",
    default: "`litellm.host`, else `127.0.0.1`",
  }),
  port: key(portNumber, {
    description: "Port to listen on; 0 takes a free one.",
    type: "0 to 65535",
    default: "`litellm.port`, else 4000",
  }),
  local_auth: key(flag, {
    description:
      "Callers on this machine must present the token of this installation, which `ccproxy run` does for its child. For machines shared with other people.",
    type: "true or false",
    default: "`false`",
  }),
  allowed_hosts: key(z.array(text), {
    description:
      "Names that a request may address the server by (Host header, without port), besides the loopback names and the address it listens on.",
    type: "list of names",
    default: "none",
  }),
  max_body_mb: key(numeric(z.number().gt(0).max(1024)), {
    description: "Requests with a larger body are refused. Anthropic itself takes 32 MB.",
    type: "megabytes",
    default: "32",
  }),
  num_workers: key(count(1), {
    description:
      "Processes that answer, behind one address. LiteLLM's `num_workers` of the section `litellm:` has no effect, as in the original.",
    type: "whole number",
    default: "1",
  }),
  grace_seconds: key(numeric(z.number().min(0).max(86_400)), {
    description: "How long open replies may go on after the first stop signal.",
    type: "seconds",
    default: "30",
  }),
  debug: key(flag, {
    description: "Writes debug lines to the log, as `log.level: debug` does.",
    type: "true or false",
    default: "`false`",
  }),
  log: key(anything, { description: "The log file. See *log* below.", type: "mapping" }),
});

export interface LogKeys {
  readonly level: LogConfig["level"] | undefined;
  readonly max_mb: number | undefined;
  readonly keep: number | undefined;
}

export const logSchema: MappingSchema<LogKeys> = z.object({
  level: key(z.enum(["debug", "info", "warn", "error"]), {
    description: "The least severe line that is written.",
    type: "debug, info, warn or error",
    default: "`info`; `debug` with `debug: true`",
  }),
  max_mb: key(numeric(z.number().gt(0).max(10_000)), {
    description: "The log file is rotated before it grows beyond this size.",
    type: "megabytes",
    default: "10",
  }),
  keep: key(numeric(z.int().min(0).max(1000)), { description: "How many rotated files are kept.", type: "whole number", default: "5" }),
});

/** Keys that entries of rules and of hooks share. */
export interface UnitOptionKeys {
  readonly params: unknown;
  readonly grants: unknown;
  readonly required: boolean | undefined;
  readonly on_error: "skip" | "deny" | undefined;
  readonly slice_ms: number | undefined;
  readonly timeout_ms: number | undefined;
}

const unitOptions: MappingSchema<UnitOptionKeys>["shape"] = {
  params: key(anything, { description: "What it is given. See *Parameters* below.", type: "any", default: "none" }),
  grants: key(anything, {
    description: "What a file of your own, or a ready-made one, may do besides. See *Grants* below.",
    type: "list",
    default: "none",
  }),
  required: key(flag, {
    description: "A request is refused when the file fails or is out of use, as with `on_error: deny`.",
    type: "true or false",
    default: "what the hook itself says, else `false`",
  }),
  on_error: key(z.enum(["skip", "deny"]), {
    description: "What becomes of a request in which the file fails or takes too long: it goes on without it, or is refused.",
    type: "skip or deny",
    default: "`skip`; `deny` where it is `required`",
  }),
  slice_ms: key(numeric(z.int().min(1).max(1000)), {
    description: "How long the file may compute without a break; 10 ms for each MB of the request come on top.",
    type: "milliseconds, 1 to 1000",
    default: "50",
  }),
  timeout_ms: key(numeric(z.int().min(1).max(60_000)), {
    description: "How long one call may take with everything it waits for.",
    type: "milliseconds, 1 to 60000",
    default: "5000",
  }),
};

export interface RuleKeys extends UnitOptionKeys {
  readonly name: string | undefined;
  readonly label: string | undefined;
  readonly rule: string;
}

export const ruleSchema: MappingSchema<RuleKeys> = z.object({
  name: key(text, {
    description: "The label that a match gives: a `model_name` or alias of `config.yaml`. Several rules may give the same one.",
    type: "text",
    default: "required",
  }),
  label: key(text, { description: "Older spelling of `name`.", type: "text" }),
  rule: requiredKey(text, {
    description: "The rule: a built-in one, e.g. `ccproxy.rules.TokenCountRule`, or one of your own, e.g. `./rules/vip.ts`.",
    type: "reference",
  }),
  ...unitOptions,
});

export interface HookKeys extends UnitOptionKeys {
  readonly hook: string;
}

export const hookSchema: MappingSchema<HookKeys> = z.object({
  hook: requiredKey(text, {
    description: "The hook: a built-in step, e.g. `ccproxy.hooks.model_router`, or one of your own, e.g. `./hooks/audit.ts`.",
    type: "reference",
  }),
  ...unitOptions,
});

export interface TokenSourceKeys {
  readonly command: string | undefined;
  readonly file: string | undefined;
  readonly path: string | undefined;
  readonly user_agent: string | undefined;
}

export const tokenSourceSchema: MappingSchema<TokenSourceKeys> = z.object({
  command: key(text, {
    description: "Shell command that prints the token. A text in the place of the mapping means the same.",
    type: "shell command",
  }),
  file: key(text, { description: "JSON file that holds the token, instead of `command`. `~/` is the home folder.", type: "file name" }),
  path: key(text, { description: "Where in that file: keys joined by dots, e.g. `claudeAiOauth.accessToken`.", type: "dotted path" }),
  user_agent: key(text, { description: "`User-Agent` sent along with the token.", type: "text", default: "the caller's own" }),
});

export interface LitellmServerKeys {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** The section `litellm:`, which the Python original kept its server in. */
export const litellmServerSchema: MappingSchema<LitellmServerKeys> = z.object({
  host: key(text, { description: "Address to listen on where `ccproxy.host` is absent.", type: "address", default: "`127.0.0.1`" }),
  port: key(portNumber, { description: "Port to listen on where `ccproxy.port` is absent.", type: "0 to 65535", default: "4000" }),
});
