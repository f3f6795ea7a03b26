/** Reads `grants` of an entry: what the file of a rule or hook may do beyond looking and answering. */

import { isIP } from "node:net";
import { describeRefused } from "../capabilities/addresses.ts";
import { grantedOrigin } from "../capabilities/fetch-target.ts";
import { describeValue, quote } from "./describe.ts";
import type { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import { isMapping, valueOf, within, type Place } from "./tree.ts";
import type { Grant } from "./types.ts";

const forms = ["fetch:host", "env:NAME", "callModel:group", "kv", "reply:tools"];
const allForms = `${forms.slice(0, -1).join(", ")} or ${forms.at(-1)}`;

/** Those that are right, each once. */
export function readGrants(place: Place, report: Report): readonly Grant[] {
  const value = valueOf(place);
  if (value == null) return [];
  if (!Array.isArray(value)) {
    report.error(place, `is ${describeValue(value)}; wanted a list of grants, each entry beginning with "- ": ${allForms}.`);
    return [];
  }
  const grants = new Map<string, Grant>();
  for (const index of value.keys()) {
    const grant = readGrant(within(place, index), report);
    if (grant !== undefined) grants.set(JSON.stringify(grant), grant);
  }
  return [...grants.values()];
}

function readGrant(place: Place, report: Report): Grant | undefined {
  const value = valueOf(place);
  if (isMapping(value)) {
    const [key = "name"] = Object.keys(value);
    report.error(place, `is a mapping; a grant is one word. Write it without the blank behind the colon, as in ${quote(`${key}:…`)}.`);
    return undefined;
  }
  if (typeof value !== "string" || value === "") {
    report.error(place, `is ${describeValue(value)}; wanted a grant: ${allForms}.`);
    return undefined;
  }
  const colon = value.indexOf(":");
  const kind = colon < 0 ? value : value.slice(0, colon);
  const of = colon < 0 ? undefined : value.slice(colon + 1).trim();
  const result = parseGrant(kind, of) ?? `is ${quote(value)}; wanted a grant: ${allForms}.${nearest(kind, of)}`;
  if (typeof result !== "string") return result;
  report.error(place, result);
  return undefined;
}

/** What is wrong, as a text; undefined when there is no such kind. */
function parseGrant(kind: string, of: string | undefined): Grant | string | undefined {
  if (kind === "kv") return of === undefined ? { type: "kv" } : "takes nothing behind it: kv is one store for each file. Write kv.";
  if (kind === "reply") return of === "tools" ? { type: "reply", what: "tools" } : undefined;
  if (kind === "fetch") return of ? parseHost(of) : "names no host; wanted e.g. fetch:api.example.com.";
  if (kind === "callModel") return of ? { type: "callModel", group: of } : "names no model group; wanted e.g. callModel:background.";
  if (kind !== "env") return undefined;
  if (of !== undefined && /^[A-Za-z_]\w*$/.test(of)) return { type: "env", name: of };
  return of === "*"
    ? "names all variables; grant each by its name, as in env:NAME."
    : "names no variable; wanted e.g. env:NAME, of letters, digits and underscores.";
}

function nearest(kind: string, of: string | undefined): string {
  const hint = didYouMean(kind, ["fetch", "env", "callModel", "kv", "reply"]);
  if (hint.includes('"reply"')) return ' Did you mean "reply:tools"?';
  return of === undefined || of === "" ? hint : hint.replace(/"\?$/, `:${of}"?`);
}

const ownNetwork = "which rules and hooks cannot reach; a service on this machine is fetch:http://127.0.0.1:PORT.";

function parseHost(written: string): Grant | string {
  if (written.includes("*")) return "holds a wildcard; name each host in full, as in fetch:api.example.com.";
  if (written.startsWith("http://")) {
    const isLocal = grantedOrigin(written) !== undefined;
    return isLocal
      ? { type: "fetch", host: written }
      : "is no service on this machine; http:// is for those alone, with the port: fetch:http://127.0.0.1:8080.";
  }
  if (/[/@?#\\\s]/.test(written)) return `is no host; write the name alone, without scheme and path, as in fetch:api.example.com.`;
  const url = URL.canParse(`https://${written}`) ? new URL(`https://${written}`) : undefined;
  if (url === undefined) return `is no host that can exist; wanted a name and, where it is not 443, a port: fetch:api.example.com:8443.`;
  const address = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0) {
    const isPublic = describeRefused(address) === undefined;
    return isPublic ? { type: "fetch", host: url.host } : `is an address of this machine or its network, ${ownNetwork}`;
  }
  if (/(?:^|\.)(?:localhost|local|internal)$/.test(address)) return `is a name of this machine or its network, ${ownNetwork}`;
  const isFull = /^(?:[a-z\d](?:[a-z\d_-]*[a-z\d])?\.)+[a-z][a-z\d-]*[a-z\d]$/.test(address);
  return isFull ? { type: "fetch", host: url.host } : "is no full name of a host; wanted one as in fetch:api.example.com.";
}
