/** Makes a provider out of a row of the table. */

import { authorized, foreignMessagesHeaders } from "../../sdk/hub/foreign-headers.ts";
import { forForeignHost } from "../../sdk/hub/foreign-messages.ts";
import { supportsMidSystem } from "../../sdk/hub/mid-system.ts";
import type { Addressed, Outbound, Provider } from "../../sdk/provider.ts";
import type { MessagesQuirks } from "../../sdk/quirks.ts";
import type { Target } from "../../sdk/wire.ts";
import type { MessagesHost } from "./hosts.ts";

/** The one that every one of these hosts takes; a caller's newer one passes all the same. */
const version = "2023-06-01";

export function createProvider(row: MessagesHost): Provider {
  const { name, base, baseVariables, keyOptional } = row;
  const canonical = `${name}_anthropic`;
  return {
    names: [canonical],
    hosts: hostsOf(row),
    defaultApiBase: base,
    ...(baseVariables === undefined ? {} : { baseVariables }),
    keyVariables: row.keyVariables,
    ...(keyOptional === undefined ? {} : { keyOptional }),
    ...(base === undefined
      ? {
          apiBase() {
            const set = baseVariables === undefined ? "" : ` or ${baseVariables.join(" or ")}`;
            throw new Error(`"${canonical}" has no address of its own: set api_base${set}`);
          },
        }
      : {}),
    dialects: (_, operation) => (operation === "generate" || (operation === "count_tokens" && row.counts === true) ? ["anthropic"] : []),
    quirks: ({ model }) => ({ messages: quirksOf(row, model) }),
    address: (request, target) => address(request, target, row),
    authorize: (headers, credential) => {
      const isKey = row.key === "x-api-key" && credential.form === "api-key";
      return authorized(headers, credential, [isKey ? ["x-api-key", credential.value] : ["authorization", `Bearer ${credential.value}`]]);
    },
    // A caller's login belongs to the vendor of its client, which is none of these.
    ownsUrl: () => false,
  };
}

/** What holds for all: nobody but Anthropic knows its betas, and few know its newest roles. */
export function quirksOf({ isGateway, quirks }: MessagesHost, model: string): MessagesQuirks {
  const isClaude = isGateway === true && /claude/i.test(model);
  return { ...(isClaude ? {} : { betas: "none" as const }), midSystem: isClaude && supportsMidSystem(dashed(model)), ...quirks };
}

/** Gateways write `claude-opus-4.8` for what the vendor calls `claude-opus-4-8`. */
function dashed(model: string): string {
  return model.replaceAll(".", "-");
}

function address(request: Addressed, target: Target, row: MessagesHost): Outbound {
  const quirks = target.quirks.messages ?? quirksOf(row, target.model);
  const path = request.operation === "count_tokens" ? "/v1/messages/count_tokens" : "/v1/messages";
  const base = new URL(target.apiBase);
  return {
    url: `${base.origin}${prefixOf(base)}${path}`,
    headers: foreignMessagesHeaders(request.headers, { quirks, version }),
    body: forForeignHost(request.body, quirks, () => {}).edit([{ field: "model", value: target.model }]).bytes,
  };
}

/** People write the base with and without the API's own path; all of it means the same. */
function prefixOf(base: URL): string {
  return base.pathname.replace(/\/+$/, "").replace(/\/v1(?:\/messages(?:\/count_tokens)?)?$/, "");
}

/** Those by which a base URL is told; a server of one's own is told by nothing. */
function hostsOf({ base, elsewhere = [] }: MessagesHost): readonly string[] {
  const url = base === undefined ? undefined : new URL(base);
  const isOwn = url === undefined || url.hostname === "localhost" || url.hostname === "127.0.0.1";
  return [...(isOwn ? [] : [`${url.host}${url.pathname === "/" ? "" : url.pathname}`]), ...elsewhere];
}
