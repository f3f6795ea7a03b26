/** A proxy with a cache, and the upstream behind it, for each test of a file. */

import { afterEach, beforeEach } from "vitest";

import type { CacheStore } from "../../../sdk/cache.ts";
import { type Answer, ask } from "../../helpers/client.ts";
import { statusOf } from "../../helpers/exchanges.ts";
import { type Proxy, deployment, startProxy } from "../../helpers/proxy.ts";
import { textReply } from "../../helpers/replies.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";
import { type OwnServices, type TestCache, createTestCache } from "./spliced-chain.ts";

export const request: Readonly<Record<string, unknown>> = { model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };

export interface CachedProxyOptions {
  /** `cache_params`. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly services?: OwnServices;
  readonly store?: (wallClock: () => number) => CacheStore;
}

export class CachedProxy {
  readonly #own: { services: OwnServices };
  /** Answers "answer 0", "answer 1", … */
  declare upstream: Upstream;
  declare proxy: Proxy;
  declare cache: TestCache;

  /** @param own what the chain of the file's mock reads */
  constructor(own: { services: OwnServices }) {
    this.#own = own;
    beforeEach(async () => {
      this.upstream = await startUpstream((_, index) => textReply(`answer ${index}`));
    });
    afterEach(async () => {
      await this.proxy[Symbol.asyncDispose]();
      await this.upstream.close();
    });
  }

  async start({ params = {}, services = {}, store }: CachedProxyOptions = {}): Promise<void> {
    const { upstream } = this;
    this.cache = createTestCache(store);
    this.#own.services = { ...this.cache.services, ...services };
    this.proxy = await startProxy({
      config: {
        model_list: [deployment("m", upstream.url), deployment("n", upstream.url)],
        litellm_settings: { cache: true, cache_params: { type: "local", ...params } },
      },
    });
  }

  send(more: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return ask(this.proxy.url, JSON.stringify({ ...request, ...more }), { headers });
  }

  /** Resolves when so many requests are under way. */
  async untilOpen(count: number): Promise<void> {
    while ((await statusOf(this.proxy)).openExchanges < count);
  }
}
