/** Adds a token to a request, and the project that the credentials name where nobody else did. */

import { ProxyError } from "../../sdk/errors.ts";
import type { Outbound, Variables } from "../../sdk/provider.ts";
import type { Target } from "../../sdk/wire.ts";
import { type Session, keyOf, openSession, sourceOf } from "./credentials.ts";
import { checkedProject, projectOf, unknownProject } from "./location.ts";

/** A token server that does not answer holds nobody up for longer. */
const patienceMs = 30_000;

const lookedAt =
  "vertex_credentials, VERTEXAI_CREDENTIALS, GOOGLE_APPLICATION_CREDENTIALS, the login of `gcloud auth application-default login`, the metadata server";

export type Sign = (outbound: Outbound, target: Target, variables: Variables) => Promise<Outbound>;

/** @returns a function that remembers sessions: many requests share one token, and one renewal of it */
export function createSign(): Sign {
  const sessions = new Map<string, Promise<Session>>();
  return async function sign(outbound, target, variables) {
    let key = "";
    try {
      const source = sourceOf(target.params, variables);
      key = keyOf(source);
      const opening = sessions.get(key) ?? openSession(source);
      sessions.set(key, opening);
      return await withinPatience(signWith(opening, outbound, target, variables));
    } catch (error) {
      if (error instanceof ProxyError) throw error;
      // What failed may be mended where it is written; the next request reads it anew.
      sessions.delete(key);
      throw refusal(error, target);
    }
  };
}

async function signWith(opening: Promise<Session>, outbound: Outbound, target: Target, variables: Variables): Promise<Outbound> {
  const session = await opening;
  const headers = await session.headers(outbound.url);
  const signed = [...outbound.headers, ...headers];
  const placeholder = `/projects/${unknownProject}/`;
  if (!outbound.url.includes(placeholder)) return { ...outbound, headers: signed };
  const project = projectOf(target.params, variables) ?? (await session.projectId());
  if (project === undefined) {
    throw new ProxyError(
      `Deployment "${target.deploymentId}" names no Google Cloud project, and neither do its credentials: set vertex_project or VERTEXAI_PROJECT.`,
      { status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } },
    );
  }
  return { ...outbound, url: outbound.url.replace(placeholder, `/projects/${checkedProject(project)}/`), headers: signed };
}

async function withinPatience<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TokenServerFailed(`no token within ${patienceMs / 1000} s`)), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

class TokenServerFailed extends Error {}

function refusal(error: unknown, target: Target): ProxyError {
  const message = error instanceof Error ? error.message.split("\n")[0] : String(error);
  if (isPassing(error)) {
    const text = `Google's token server could not be reached for deployment "${target.deploymentId}": ${message}`;
    return new ProxyError(text, { status: 502, kind: "api_error", cause: error });
  }
  const text = `No Google credentials for deployment "${target.deploymentId}": ${message}. Looked at ${lookedAt}.`;
  return new ProxyError(text, { status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" }, cause: error });
}

/** Whether the same may work a moment later: a server's own fault, or none that answered. */
function isPassing(error: unknown): boolean {
  if (error instanceof TokenServerFailed) return true;
  if (typeof error !== "object" || error === null) return false;
  const response = "response" in error && typeof error.response === "object" ? error.response : undefined;
  if (response != null && "status" in response && typeof response.status === "number")
    return response.status >= 500 || response.status === 429;
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" && /^(?:ECONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|UND_ERR)/.test(code);
}
