/**
 * Tokens for Google Cloud, by Google's own library: service accounts, logins of `gcloud`, impersonation, workload
 * identity, the metadata server. Written from https://cloud.google.com/docs/authentication/application-default-credentials
 * and the types of the package `google-auth-library` 10.x.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

import type { AuthClient } from "google-auth-library";

import type { Json } from "../../sdk/body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Variables } from "../../sdk/provider.ts";

const scopes = ["https://www.googleapis.com/auth/cloud-platform"];
const googleTokenUrl = "https://oauth2.googleapis.com/token";

/** Credentials once found; the library keeps their token and renews it once for all who wait. */
export interface Session {
  /** `authorization`, and whose quota counts where the credentials say so. */
  headers(url: string): Promise<HeaderList>;
  projectId(): Promise<string | undefined>;
}

/** Where credentials are written: as text, in a file, or nowhere that we know. */
export type Source = { readonly json: Json } | { readonly file: string } | { readonly ambient: true };

/** @throws Error that says what is wrong with a text that should be JSON */
export function sourceOf(params: Readonly<Record<string, unknown>>, variables: Variables): Source {
  const given = params["vertex_credentials"] ?? params["vertex_ai_credentials"] ?? variables("VERTEXAI_CREDENTIALS");
  if (typeof given === "object" && given !== null) return { json: JSON.parse(JSON.stringify(given)) };
  if (typeof given === "string" && given.trim().startsWith("{")) return { json: parsed(given) };
  const file = typeof given === "string" && given.trim() !== "" ? given : variables("GOOGLE_APPLICATION_CREDENTIALS");
  return file === undefined || file === "" ? { ambient: true } : { file };
}

/** What cannot work, in words; the files are looked for, not read. */
export function faultOf(params: Readonly<Record<string, unknown>>, variables: Variables): readonly string[] {
  try {
    const source = sourceOf(params, variables);
    if (!("file" in source) || existsSync(source.file)) return [];
    return [`vertex_credentials names the file "${source.file}", which does not exist; give a path, the JSON itself, or neither`];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** Names a source without what is secret in it. */
export function keyOf(source: Source): string {
  if ("file" in source) return `file ${source.file}`;
  return "json" in source ? `json ${JSON.stringify(source.json)}` : "ambient";
}

export async function openSession(source: Source): Promise<Session> {
  const { GoogleAuth, JWT, gaxios } = await import("google-auth-library");
  if ("ambient" in source) {
    const auth = new GoogleAuth({ scopes });
    const client = await auth.getClient();
    return { headers: (url) => headersOf(client, url), projectId: () => auth.getProjectId().catch(() => undefined) };
  }
  const json = record("json" in source ? source.json : parsed(await readFile(source.file, "utf8"), source.file));
  if (json === undefined) throw new Error("the credentials are no JSON object");
  const tokenUrl = text(json["token_uri"]);
  const email = text(json["client_email"]);
  const key = text(json["private_key"]);
  const isElsewhere = json["type"] === "service_account" && tokenUrl !== undefined && tokenUrl !== googleTokenUrl;
  if (isElsewhere && email !== undefined && key !== undefined) {
    // The library knows Google's own address only; the claim names who may redeem the assertion.
    const transporter = new gaxios.Gaxios();
    transporter.interceptors.request.add({
      resolved: async (request) => {
        if (String(request.url) === googleTokenUrl) request.url = new URL(tokenUrl);
        return request;
      },
    });
    const client = new JWT({ email, key, scopes, additionalClaims: { aud: tokenUrl }, transporter });
    return sessionOf(client, json);
  }
  return sessionOf(new GoogleAuth({ scopes }).fromJSON({ ...json }), json);
}

function sessionOf(client: AuthClient, json: { readonly [key: string]: Json }): Session {
  const project = text(json["project_id"]) ?? text(json["quota_project_id"]);
  return { headers: (url) => headersOf(client, url), projectId: () => Promise.resolve(project) };
}

async function headersOf(client: AuthClient, url: string): Promise<HeaderList> {
  const headers = await client.getRequestHeaders(url);
  return [...headers].filter(([name]) => name === "authorization" || name === "x-goog-user-project");
}

function parsed(value: string, file?: string): Json {
  try {
    const json: Json = JSON.parse(value);
    return json;
  } catch {
    // The parser's own message quotes the text, which holds a key.
    throw new Error(file === undefined ? "vertex_credentials begins like JSON and is none" : `the file "${file}" holds no JSON`);
  }
}
