/** What to use in a sandbox in place of what Node offers. */

import { isBuiltin } from "node:module";

/** Whether an import means a module of Node itself; `name/` with a slash means a package. */
export function isNodeModule(specifier: string): boolean {
  return specifier.startsWith("node:") || (!specifier.endsWith("/") && isBuiltin(specifier));
}

const network = "`context.fetch` with the grant `fetch:host`";
const files = "`context.kv` with the grant `kv` to keep data, or `import` for a JSON or text file beside this one";
const nothing = "nothing like it can be reached from a sandbox";

const instead: ReadonlyMap<string, string> = new Map([
  ...["fs", "fs/promises"].map((name) => [name, files] as const),
  ...["http", "https", "http2", "net", "tls", "dgram", "dns", "dns/promises"].map((name) => [name, network] as const),
  ...["process", "os"].map((name) => [name, "`context.env` with the grant `env:NAME` for a variable"] as const),
  ["crypto", "`context.pseudonym(text)` for a stable short name of a text"],
  ["console", "the global `console`, or `context.log`"],
  ["util", "the language itself; `context.log` prints objects"],
  ["path", "text functions; there are no files to name"],
  ["path/posix", "text functions; there are no files to name"],
  ["url", "the global `URL`"],
  ["buffer", "`TextEncoder`, `Uint8Array` and `atob`"],
  ["string_decoder", "`TextDecoder`"],
  ["timers", "`async` functions that await `context.fetch` and the like; a hook cannot sleep"],
  ["timers/promises", "`async` functions that await `context.fetch` and the like; a hook cannot sleep"],
  ["events", "an npm package of the same name, installed beside the configuration"],
  ["assert", "`throw new Error(…)`"],
  ["sqlite", files],
  ["test", "`ccproxy/sdk/testing`"],
]);

/** The message for an import of one. */
export function nodeModuleMessage(specifier: string): string {
  const name = specifier.replace(/^node:/, "");
  const use = instead.get(name);
  const advice = use === undefined ? `${nothing}.` : `Use ${use}.`;
  return `"${specifier}" is a module of Node, which rules and hooks cannot reach: they run in a sandbox. ${capital(advice)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
