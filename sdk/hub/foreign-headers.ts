/** The caller's headers on their way to a host that is not the protocol's own vendor. */

import type { Credential, HeaderList } from "../dialect.ts";
import type { MessagesQuirks } from "../quirks.ts";
import { allows } from "./foreign-messages.ts";

export interface ForeignHeaderOptions {
  readonly quirks: MessagesQuirks;
  /** Betas that this host knows under another name. */
  readonly renamedBetas?: ReadonlyMap<string, string>;
  /** Sent where the caller named no version of its own; absent: no version is sent at all. */
  readonly version?: string;
}

/** What the protocol needs: which session and which of its agents asks is told to the vendor only. */
export function foreignMessagesHeaders(headers: HeaderList, { quirks, renamedBetas, version }: ForeignHeaderOptions): HeaderList {
  const named = headers.filter(([name]) => name === "anthropic-beta").flatMap(([, value]) => value.split(",").map((beta) => beta.trim()));
  const betas = named.map((beta) => renamedBetas?.get(beta) ?? beta).filter((beta) => beta !== "" && allows(quirks, beta));
  const kept = headers.filter(([name]) => basicHeaders.has(name) || name === "x-app" || name.startsWith("x-stainless-"));
  const own = headers.find(([name]) => name === "anthropic-version");
  return [
    ...withContentType(kept),
    ...(version === undefined ? [] : [own ?? (["anthropic-version", version] as const)]),
    ...(betas.length === 0 ? [] : [["anthropic-beta", [...new Set(betas)].join(",")] as const]),
  ];
}

/** For hosts of other wires: nothing of the caller's protocol. */
export function plainHeaders(headers: HeaderList): HeaderList {
  return withContentType(headers.filter(([name]) => basicHeaders.has(name)));
}

const basicHeaders = new Set(["accept", "content-type", "user-agent"]);

function withContentType(headers: HeaderList): HeaderList {
  return headers.some(([name]) => name === "content-type") ? headers : [...headers, ["content-type", "application/json"]];
}

/** Adds what proves who asks, in place of any header of the same name, and the client that the credential was made for. */
export function authorized(headers: HeaderList, credential: Credential, own: HeaderList): HeaderList {
  const agent: HeaderList = credential.userAgent === undefined ? [] : [["user-agent", credential.userAgent]];
  const added = [...agent, ...own];
  return [...headers.filter(([name]) => !added.some(([other]) => other === name)), ...added];
}
