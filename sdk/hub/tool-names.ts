/** Names of tools that a vendor would refuse, put into its alphabet and its length, and back. */

import { createHash } from "node:crypto";

export interface ToolNameRules {
  /** Matches one valid character, e.g. `/[a-zA-Z0-9_-]/`. */
  readonly pattern: RegExp;
  /** Characters. */
  readonly maxLength: number;
  /** Matches a valid first character, where that is fewer of them. */
  readonly firstChar?: RegExp;
}

/** Hex digits that keep apart what would look the same once it fits. */
const hashLength = 8;

/** The names of one request. An alias depends on the name alone, so that a later turn says the same. */
export class ToolNames {
  readonly #rules: ToolNameRules;
  readonly #originals = new Map<string, string>();
  /** Lower case; undefined where two names differ by case alone. */
  readonly #byLowerCase = new Map<string, string | undefined>();

  constructor(rules: ToolNameRules) {
    // Of a pattern with a memory every second test fails.
    const { pattern, firstChar } = rules;
    this.#rules = { ...rules, pattern: stateless(pattern), ...(firstChar === undefined ? {} : { firstChar: stateless(firstChar) }) };
  }

  /** The name itself where it fits; else what fits of it, and a hash of the whole. */
  alias(name: string): string {
    const alias = this.#fits(name) ? name : this.#shorten(name);
    if (!this.#originals.has(alias)) {
      this.#originals.set(alias, name);
      const lower = alias.toLowerCase();
      this.#byLowerCase.set(lower, this.#byLowerCase.has(lower) ? undefined : alias);
    }
    return alias;
  }

  /**
   * The name that was aliased. Models mangle names: a namespace in front (`functions.Bash`, `default_api:Bash`), the
   * prefix twice (`mcp__mcp__x`), another case, blanks around it are tolerated where only one name can be meant.
   * @returns the alias itself when no such name was given
   */
  original(alias: string): string {
    const known = this.#find(alias);
    return known === undefined ? alias : (this.#originals.get(known) ?? alias);
  }

  #find(alias: string): string | undefined {
    if (this.#originals.has(alias)) return alias;
    const trimmed = alias.trim();
    for (const candidate of [trimmed, withoutNamespace(trimmed), withoutRepetition(trimmed)]) {
      if (candidate === undefined || candidate === "") continue;
      if (this.#originals.has(candidate)) return candidate;
      const other = this.#byLowerCase.get(candidate.toLowerCase());
      if (other !== undefined) return other;
    }
    return undefined;
  }

  #fits(name: string): boolean {
    const { maxLength, pattern, firstChar = pattern } = this.#rules;
    const characters = Array.from(name);
    const [first] = characters;
    return first !== undefined && name.length <= maxLength && firstChar.test(first) && characters.every((char) => pattern.test(char));
  }

  #shorten(name: string): string {
    const { maxLength, pattern, firstChar = pattern } = this.#rules;
    const filler = pattern.test("_") ? "_" : "x";
    const body = Array.from(name, (char) => (char.length === 1 && pattern.test(char) ? char : filler)).join("");
    const led = body !== "" && firstChar.test(body.charAt(0)) ? body : `${firstChar.test("_") ? "_" : "t"}${body}`;
    const hash = createHash("sha256").update(name).digest("hex").slice(0, hashLength);
    return `${led.slice(0, maxLength - hashLength - 1)}${filler}${hash}`;
  }
}

function stateless(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ""));
}

/** `functions.Bash`, `default_api:Bash`, `tools/Bash`. */
function withoutNamespace(name: string): string | undefined {
  const at = Math.max(name.lastIndexOf("."), name.lastIndexOf(":"), name.lastIndexOf("/"));
  return at === -1 ? undefined : name.slice(at + 1);
}

/** `mcp__mcp__files` and `mcp__files__mcp__files__read` say their beginning twice; `BashBash` says all of it twice. */
function withoutRepetition(name: string): string | undefined {
  const half = name.slice(0, name.length / 2);
  if (half !== "" && half + half === name) return half;
  for (let at = name.indexOf("__"); at !== -1; at = name.indexOf("__", at + 2)) {
    const prefix = name.slice(0, at + 2);
    if (name.startsWith(prefix, prefix.length)) return name.slice(prefix.length);
  }
  return undefined;
}
