/**
 * Credentials of AWS: those of the deployment, of the environment, or of the chain that all tools of AWS look through.
 * Each set is looked for once, by whoever comes first, and again before it expires.
 */

import { createHash } from "node:crypto";

import { ProxyError } from "../../sdk/errors.ts";
import { scrub } from "../../sdk/hub/upstream-errors.ts";
import type { Variables } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";
import { param } from "./params.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Which credentials are wanted. Absent fields were not given. */
export interface CredentialQuestion {
  readonly region: string;
  readonly keys?: AwsCredentials;
  readonly profile?: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
  readonly externalId?: string;
  /** A token, or the path of a file that holds one. */
  readonly webIdentityToken?: string;
  readonly stsEndpoint?: string;
}

export type LoadCredentials = (question: CredentialQuestion) => Promise<AwsCredentials>;

export interface CredentialStore {
  /** @throws ProxyError 401 that says where credentials were looked for */
  get(target: Pick<Target, "params">, region: string, variables: Variables): Promise<AwsCredentials>;
}

interface Entry {
  known: AwsCredentials | undefined;
  pending: Promise<AwsCredentials> | undefined;
}

/** Before they expire. */
const refreshMs = 5 * 60 * 1000;
const mostEntries = 64;

export function createCredentialStore(load: LoadCredentials, now: () => number): CredentialStore {
  const entries = new Map<string, Entry>();
  const entryOf = (question: CredentialQuestion): Entry => {
    // Not the secrets themselves, which would stay behind in the keys.
    const key = createHash("sha256").update(JSON.stringify(question)).digest("hex");
    const entry = entries.get(key) ?? { known: undefined, pending: undefined };
    // Those that were used last stand last.
    entries.delete(key);
    entries.set(key, entry);
    const [oldest] = entries.keys();
    if (entries.size > mostEntries && oldest !== undefined) entries.delete(oldest);
    return entry;
  };
  return {
    async get(target, region, variables) {
      const question = readQuestion(target.params, region, variables);
      if (question.keys !== undefined && question.roleArn === undefined) return question.keys;
      const entry = entryOf(question);
      const leftMs = (entry.known?.expiration?.getTime() ?? Infinity) - now();
      if (entry.known !== undefined && leftMs > refreshMs) return entry.known;
      entry.pending ??= load(question).finally(() => {
        entry.pending = undefined;
      });
      try {
        entry.known = await entry.pending;
        return entry.known;
      } catch (error) {
        if (entry.known !== undefined && leftMs > 0) return entry.known;
        throw notFound(question, error);
      }
    },
  };
}

export function readQuestion(params: Target["params"], region: string, variables: Variables): CredentialQuestion {
  const profile = param(params, "aws_profile_name");
  // Keys of the environment are not meant where the deployment names a profile.
  const keys = keysOf((name) => param(params, name.toLowerCase())) ?? (profile === undefined ? keysOf(variables) : undefined);
  const given = {
    profile: profile ?? (keys === undefined ? variables("AWS_PROFILE") : undefined),
    roleArn: param(params, "aws_role_name"),
    sessionName: param(params, "aws_session_name"),
    externalId: param(params, "aws_external_id"),
    webIdentityToken: param(params, "aws_web_identity_token"),
    stsEndpoint: param(params, "aws_sts_endpoint"),
  };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== ""));
  return { region, ...(keys === undefined ? {} : { keys }), ...known };
}

function keysOf(look: Variables): AwsCredentials | undefined {
  const accessKeyId = look("AWS_ACCESS_KEY_ID");
  const secretAccessKey = look("AWS_SECRET_ACCESS_KEY");
  const sessionToken = look("AWS_SESSION_TOKEN");
  if (accessKeyId === undefined || secretAccessKey === undefined || accessKeyId === "" || secretAccessKey === "") return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined || sessionToken === "" ? {} : { sessionToken }) };
}

function notFound({ profile, roleArn, webIdentityToken }: CredentialQuestion, cause: unknown): ProxyError {
  const places = [
    "api_key or AWS_BEARER_TOKEN_BEDROCK",
    "aws_access_key_id and aws_secret_access_key of litellm_params",
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    profile === undefined ? "the default chain of AWS (configuration files, SSO, container, instance)" : `the profile "${profile}"`,
    ...(roleArn === undefined ? [] : ["the role of aws_role_name"]),
    ...(webIdentityToken === undefined ? [] : ["the token of aws_web_identity_token"]),
  ];
  const reason = cause instanceof Error ? ` The last of them said: ${scrub(cause.message).slice(0, 300)}` : "";
  const message = `No AWS credentials were found for this deployment. Looked in: ${places.join("; ")}.${reason}`;
  return new ProxyError(message, { status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" }, cause });
}
