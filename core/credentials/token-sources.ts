/** The token sources of the configuration in force; one that a reload left as it was keeps its token. */

import path from "node:path";

import type { Config, TokenSource } from "../config/types.ts";
import { Tokens } from "./token-source.ts";

export interface TokenSourcesOptions {
  /** What `~` stands for in the name of a file. */
  readonly home: string;
  /** Told of every token obtained, so that it can be kept out of the log. */
  readonly onToken: (token: string) => void;
}

export class TokenSources {
  readonly #options: TokenSourcesOptions;
  readonly #bySource = new Map<string, Tokens>();
  readonly #byConfig = new WeakMap<Config, ReadonlyMap<string, Tokens>>();

  constructor(options: TokenSourcesOptions) {
    this.#options = options;
  }

  /** By provider name. */
  of(config: Config): ReadonlyMap<string, Tokens> {
    let tokens = this.#byConfig.get(config);
    if (tokens === undefined) {
      tokens = new Map(
        [...config.tokenSources].map(([provider, source]) => [provider, this.#tokensOf(this.#located(source, config.directory))]),
      );
      this.#byConfig.set(config, tokens);
    }
    return tokens;
  }

  /** A file is named from the home folder or from the configuration's, wherever the proxy was started. */
  #located(source: TokenSource, directory: string): TokenSource {
    if (source.type !== "file") return source;
    const { file } = source;
    return { ...source, file: file.startsWith("~/") ? path.join(this.#options.home, file.slice(2)) : path.resolve(directory, file) };
  }

  #tokensOf(source: TokenSource): Tokens {
    const key = JSON.stringify(source);
    let tokens = this.#bySource.get(key);
    if (tokens === undefined) {
      tokens = new Tokens(source, this.#options.onToken);
      this.#bySource.set(key, tokens);
    }
    return tokens;
  }
}
