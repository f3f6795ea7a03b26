/** A proxy with hooks of the user's own and one upstream behind it, for tests of what hooks do to replies. */

import { type Answer, ask, type ClientOptions, openAnswer, type OpenAnswer } from "./client.ts";
import { deployment, type Proxy, type ProxyOptions, startProxy } from "./proxy.ts";
import { type Script, startUpstream, type Upstream } from "./upstream.ts";

export interface HookedOptions extends Omit<ProxyOptions, "config" | "files" | "ccproxy"> {
  /** Members of the definition by file name, e.g. `{ "a.ts": "onEvent(event) {}" }`, or a whole file. */
  readonly hooks: Readonly<Record<string, string>>;
  /** Options of an entry by file name, e.g. `{ "a.ts": { grants: ["kv"] } }`; such a file is configured, in this order, not autoloaded. */
  readonly entries?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly reply?: Script;
  readonly modelInfo?: Readonly<Record<string, unknown>>;
  /** Default 0: nothing is held, and each request is one attempt. */
  readonly retries?: number;
}

export interface Hooked extends AsyncDisposable {
  readonly proxy: Proxy;
  readonly upstream: Upstream;
  /** Asks for the model `m`. */
  ask(stream: boolean, options?: ClientOptions): Promise<Answer>;
  open(stream: boolean, options?: ClientOptions): Promise<OpenAnswer>;
}

export async function startHooked({ hooks, entries = {}, reply, modelInfo, retries = 0, ...options }: HookedOptions): Promise<Hooked> {
  const upstream = await startUpstream(reply);
  // Scripts are of attempts, one after the other.
  const entry = deployment("m", upstream.url, { num_retries: retries });
  const proxy = await startProxy({
    ...options,
    config: { model_list: [modelInfo === undefined ? entry : { ...(entry as object), model_info: modelInfo }] },
    ccproxy: { hooks: Object.entries(entries).map(([name, more]) => ({ hook: `./hooks/${name}`, ...more })) },
    files: Object.fromEntries(Object.entries(hooks).map(([name, text]) => [`hooks/${name}`, hookFile(text)])),
  }).catch(async (error: unknown) => {
    await upstream.close();
    throw error;
  });
  const body = (stream: boolean): string =>
    JSON.stringify({ model: "m", max_tokens: 5, stream, messages: [{ role: "user", content: "the question" }] });
  return {
    proxy,
    upstream,
    ask: (stream, more) => ask(proxy.url, body(stream), more),
    open: (stream, more) => openAnswer(proxy.url, body(stream), more),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await upstream.close();
    },
  };
}

function hookFile(text: string): string {
  if (text.includes("export default")) return text;
  return `import { defineHook, deny, respond } from "ccproxy/sdk";\nexport default defineHook({\n${text}\n});\n`;
}
