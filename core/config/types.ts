/** The configuration after reading, checking and filling in: deeply readonly, positions kept for messages. */

import type { RouterConfig, RoutingParams } from "./router-types.ts";
import type { StoresConfig } from "./store-types.ts";

/** Where something stands in a file. Lines and columns count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * `error` stops a start and refuses a reload; `warning` is something that will not work as written;
 * `note` tells of an accepted key that has no effect (yet) or what replaces it.
 */
export type Severity = "error" | "warning" | "note";

/** One finding. The message says what was found, what was wanted and what to do. */
export interface Fault {
  readonly severity: Severity;
  readonly message: string;
  /** The file alone, when there is no position (e.g. it cannot be read). */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** JSON path, e.g. `model_list[0].litellm_params.model`. */
  readonly path?: string;
  /** The line of code and a caret under the column, credentials masked; no line feed at the end. */
  readonly frame?: string;
}

/** Constructor parameters in the forms of the original; see docs. */
export interface Parameters {
  readonly positional: readonly unknown[];
  readonly named: Readonly<Record<string, unknown>>;
}

/** What a file of user code may do beyond looking and answering. */
export type Grant =
  /** `fetch:api.example.com`, with a port where it is not 443: HTTPS to this host. `fetch:http://127.0.0.1:8080`: a service on this machine. */
  | { readonly type: "fetch"; readonly host: string }
  /** `env:NAME` */
  | { readonly type: "env"; readonly name: string }
  /** `callModel:group` */
  | { readonly type: "callModel"; readonly group: string }
  /** `kv` */
  | { readonly type: "kv" }
  /** `reply:tools`: make or change tool calls in replies, which a client will carry out. */
  | { readonly type: "reply"; readonly what: "tools" };

/** Keys of an entry beside the reference and its params; undefined where not given. */
export interface UnitOptions {
  readonly grants: readonly Grant[];
  readonly required: boolean | undefined;
  readonly onError: "skip" | "deny" | undefined;
  readonly sliceMs: number | undefined;
  readonly timeoutMs: number | undefined;
}

export interface RuleEntry {
  readonly label: string;
  /** As written, e.g. `ccproxy.rules.TokenCountRule`. */
  readonly reference: string;
  readonly params: Parameters;
  readonly options: UnitOptions;
  readonly location: Location;
  /** Where the value at a path inside the params stands, e.g. `["threshold"]` or `[0]`. */
  locate(path: readonly (string | number)[]): Location;
}

export interface HookEntry {
  readonly reference: string;
  readonly params: Parameters;
  readonly options: UnitOptions;
  readonly location: Location;
}

/** One entry of `litellm_settings.callbacks`. */
export interface CallbackEntry {
  readonly reference: string;
  readonly location: Location;
}

/** Milliseconds. */
export interface Timeouts {
  readonly connectMs: number;
  /** Until the response headers of a stream are in. */
  readonly headersMs: number;
  /** Until a reply that is not streamed is complete. */
  readonly wholeMs: number;
  /** Between two pieces of a response body. */
  readonly idleMs: number;
  /** Between two pieces of a stream that are more than a ping. */
  readonly silenceMs: number;
  /** Until a stream is complete; undefined: as long as it takes. */
  readonly totalMs: number | undefined;
}

/** One of the credentials with which an entry may be asked. */
export interface AccountConfig {
  readonly apiKey: string | undefined;
  /** Who is billed, where that is not the key's own. */
  readonly organization: string | undefined;
}

/** One entry of `model_list`. */
export interface DeploymentConfig {
  /** `model_info.id`, else a stable hash of the entry. */
  readonly id: string;
  /** `model_name`: the group it belongs to; may hold `*`. */
  readonly group: string;
  /** `litellm_params.model` as written, prefix and all. */
  readonly model: string;
  /** `litellm_params.custom_llm_provider`. */
  readonly provider: string | undefined;
  /** Base URL without a trailing slash. */
  readonly apiBase: string | undefined;
  /** Resolved from `os.environ/NAME` where so written; the first of several. */
  readonly apiKey: string | undefined;
  /** Several keys or organizations, each of which is asked as a deployment of its own; empty where there is one. */
  readonly accounts: readonly AccountConfig[];
  readonly mockResponse: string | undefined;
  /** Send the caller's own credential to this deployment although it is not the vendor's own host. */
  readonly forwardClientAuth: boolean;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly timeouts: Timeouts;
  readonly routing: RoutingParams;
  /** All of `litellm_params`, references resolved. */
  readonly params: Readonly<Record<string, unknown>>;
  /** `model_info`, as written. */
  readonly info: Readonly<Record<string, unknown>>;
  readonly location: Location;
}

/** How a token is obtained for callers that bring no credential. */
export type TokenSource =
  | { readonly type: "command"; readonly command: string; readonly userAgent: string | undefined }
  | { readonly type: "file"; readonly file: string; readonly path: string; readonly userAgent: string | undefined };

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** How long open exchanges may go on after the first stop signal, ms. */
  readonly graceMs: number;
  readonly maxBodyBytes: number;
  /** Host header values (without port) accepted besides the loopback names and the bound address. */
  readonly allowedHosts: readonly string[];
  /** Callers must present the per-install token. */
  readonly localAuth: boolean;
  /** Processes that answer. */
  readonly workers: number;
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Rotate when the file would grow beyond this many bytes. */
  readonly maxBytes: number;
  /** How many rotated files are kept. */
  readonly keep: number;
}

/** How hosts are connected to. */
export interface ConnectionConfig {
  /** Names are looked up for IPv4 only. */
  readonly forceIpv4: boolean;
  /** Whether a host must prove who it is. */
  readonly verify: boolean;
  /** Absolute path of a file with certificates of authorities, which count in place of the usual ones. */
  readonly caFile: string | undefined;
  /** Whether HTTP/2 is offered. */
  readonly http2: boolean;
}

export interface Config {
  /** Absolute path of the folder of `config.yaml`. */
  readonly directory: string;
  /** Every file that was read, absolute. */
  readonly files: readonly string[];
  readonly server: ServerConfig;
  readonly log: LogConfig;
  readonly masterKey: string | undefined;
  /** Undefined when not set: then an entry `default` in `model_list` decides. */
  readonly defaultModelPassthrough: boolean | undefined;
  readonly rules: readonly RuleEntry[];
  readonly hooks: readonly HookEntry[];
  readonly callbacks: readonly CallbackEntry[];
  /** Whether files in `rules/` and `hooks/` are loaded without an entry. */
  readonly autoload: boolean;
  /** Whether traces keep the bodies of requests. */
  readonly record: boolean;
  readonly deployments: readonly DeploymentConfig[];
  /** alias → group; `hidden` ones are not listed by `/v1/models`. */
  readonly aliases: ReadonlyMap<string, { readonly group: string; readonly hidden: boolean; readonly location: Location }>;
  readonly router: RouterConfig;
  readonly connections: ConnectionConfig;
  readonly stores: StoresConfig;
  readonly tokenSources: ReadonlyMap<string, TokenSource>;
  /** `environment_variables`, resolved. To be asked before the real environment, which has had its say in it. */
  readonly environmentVariables: ReadonlyMap<string, string>;
  /** A variable by name, those of the configuration first; undefined when unset. For variables that a provider names. */
  variable(name: string): string | undefined;
  /** Exact values that must never appear in a log or an error. */
  readonly secrets: readonly string[];
}

/** A config is only there when no fault is an error. All faults of all files, in order of file and line. */
export interface LoadedConfig {
  readonly config: Config | undefined;
  /** What could be read, errors or not: for finding what else is wrong, not for use. */
  readonly draft: Config;
  /** Every file that was read or looked for, absolute: a change in any of them may mend or break it. */
  readonly files: readonly string[];
  readonly faults: readonly Fault[];
}
