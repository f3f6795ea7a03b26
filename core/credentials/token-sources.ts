/** The token sources of the configuration in force; one that a reload left as it was keeps its token. */

import type { Config, TokenSource } from "../config/types.ts";
import { Tokens } from "./token-source.ts";

export class TokenSources {
  readonly #onToken: (token: string) => void;
  readonly #bySource = new Map<string, Tokens>();
  readonly #byConfig = new WeakMap<Config, ReadonlyMap<string, Tokens>>();

  /** @param onToken told of every token obtained, so that it can be kept out of the log */
  constructor(onToken: (token: string) => void) {
    this.#onToken = onToken;
  }

  /** By provider name. */
  of(config: Config): ReadonlyMap<string, Tokens> {
    let tokens = this.#byConfig.get(config);
    if (tokens === undefined) {
      tokens = new Map([...config.tokenSources].map(([provider, source]) => [provider, this.#tokensOf(source)]));
      this.#byConfig.set(config, tokens);
    }
    return tokens;
  }

  #tokensOf(source: TokenSource): Tokens {
    const key = JSON.stringify(source);
    let tokens = this.#bySource.get(key);
    if (tokens === undefined) {
      tokens = new Tokens(source, this.#onToken);
      this.#bySource.set(key, tokens);
    }
    return tokens;
  }
}
