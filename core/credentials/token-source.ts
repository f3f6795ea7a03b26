/** Tokens for callers that bring no credential: from a command or a file, read when first needed, kept until refused. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";

import type { TokenSource } from "../config/types.ts";

/** A command that takes longer is stopped. */
const commandTimeoutMs = 5_000;
const maxTokenBytes = 64 * 1024;

/** Why a token could not be had; never holds output of the command, which may be a secret. */
export class TokenSourceError extends Error {
  override readonly name = "TokenSourceError";
}

/** One reading of a source. Two readings are told apart even when both gave the same text. */
export interface Token {
  readonly value: string;
}

/** One source, read at most once at a time however many requests wait for it. */
export class Tokens {
  readonly #source: TokenSource;
  readonly #onToken: (token: string) => void;
  #current: Promise<Token> | undefined;

  /** @param onToken told of every token obtained, so that it can be kept out of the log */
  constructor(source: TokenSource, onToken: (token: string) => void) {
    this.#source = source;
    this.#onToken = onToken;
  }

  get userAgent(): string | undefined {
    return this.#source.userAgent;
  }

  /** @throws TokenSourceError; the next call tries again. */
  get(): Promise<Token> {
    if (this.#current === undefined) {
      const reading = readToken(this.#source).then((value) => {
        this.#onToken(value);
        return { value };
      });
      this.#current = reading;
      reading.catch(() => {
        if (this.#current === reading) this.#current = undefined;
      });
    }
    return this.#current;
  }

  /** Forgets a token that the upstream refused; one that was read meanwhile stays, so that many refusals cost one reading. */
  async invalidate(refused: Token): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    const token = await current.catch(() => undefined);
    if (token === refused && this.#current === current) this.#current = undefined;
  }
}

async function readToken(source: TokenSource): Promise<string> {
  const token = source.type === "command" ? await runCommand(source.command) : await readTokenFile(source.file, source.path);
  if (token === "") throw new TokenSourceError(`${describe(source)} gave an empty token`);
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new TokenSourceError(
      `${describe(source)} gave something that is no token: it holds spaces, line breaks or other characters that cannot stand in a header`,
    );
  return token;
}

function runCommand(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      "/bin/sh",
      ["-c", command],
      { timeout: commandTimeoutMs, maxBuffer: maxTokenBytes, killSignal: "SIGKILL" },
      (error, stdout) => {
        if (error === null) {
          resolve(stdout.trim());
          return;
        }
        const why =
          error.killed === true
            ? `was stopped after ${commandTimeoutMs / 1000} s`
            : `ended with ${error.code ?? error.signal ?? "an error"}`;
        reject(new TokenSourceError(`the token command ${why}; run it in a shell to see its output`));
      },
    );
  });
}

async function readTokenFile(file: string, path: string): Promise<string> {
  let content: string;
  try {
    content = (await readFile(file, "utf8")).slice(0, maxTokenBytes);
  } catch (error) {
    throw new TokenSourceError(
      `the token file ${file} cannot be read (${error instanceof Error && "code" in error ? String(error.code) : "error"})`,
    );
  }
  if (path === "") return content.trim();
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new TokenSourceError(
      `the token file ${file} is not JSON, but "path" says where in it to look; leave "path" out to use the whole file`,
    );
  }
  for (const key of path.split(".")) {
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? Object.entries(value).find(([name]) => name === key)?.[1]
        : undefined;
  }
  if (typeof value !== "string") throw new TokenSourceError(`the token file ${file} holds no text at "${path}"`);
  return value.trim();
}

function describe(source: TokenSource): string {
  return source.type === "command" ? "the token command" : `the token file ${source.file}`;
}
