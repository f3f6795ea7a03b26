/** A provider that speaks OpenAI's protocols, as one row of data. Adding one is adding a row; see docs/plugins.md. */

import type { Credential, HeaderList } from "../../sdk/dialect.ts";
import type { ModelQuestion, Variables } from "../../sdk/provider.ts";
import type { ChatQuirks, ResponsesQuirks } from "../../sdk/quirks.ts";

/** Names of the dialects, as their plugins contribute them. */
export const chat = "openai-chat";
export const responses = "openai-responses";
/** For servers that offer Anthropic's API, too. */
export const messages = "anthropic";

export interface Row {
  /** Before the slash in `litellm_params.model`, as LiteLLM spells them; the first one is the canonical name. */
  readonly names: readonly string[];
  /** The URL that `/chat/completions` is added to; undefined where every customer has another. */
  readonly base: string | undefined;
  /** Variables that hold the base instead, before `<NAME>_API_BASE`, which every row has. */
  readonly baseVariables?: readonly string[];
  /** Variables that hold the key, the first that is set counts. Default: `<NAME>_API_KEY`. */
  readonly keyVariables?: readonly string[];
  /** It answers without a key, too: a server of one's own. */
  readonly keyOptional?: boolean;
  /** The documentation that the row was written from. */
  readonly page: string;
  /** `tested`: what this host does differently is documented, and a scripted server checks it in test/plugins/openai-compatible. */
  readonly evidence: "tested" | "untested";
  /** Dialects it speaks, best first. Default: chat alone. */
  readonly dialects?: readonly string[] | ((question: ModelQuestion) => readonly string[]);
  /** Whether it has `/embeddings`. Default true: a host that has none says so itself. */
  readonly embeddings?: boolean;
  /** How it departs from Chat Completions, of all its models or of one. */
  readonly quirks?: ChatQuirks | ((model: string) => ChatQuirks);
  readonly responsesQuirks?: ResponsesQuirks | ((model: string) => ResponsesQuirks);
  /** Model names without a prefix that are its own. */
  readonly recognises?: RegExp;
  /** Hosts of its own beside that of `base`. */
  readonly hosts?: readonly string[];
  /** Where an account or a region is part of the URL. @throws Error that says what is missing */
  readonly apiBase?: (question: ModelQuestion, variables: Variables) => string;
  /** The id to ask for, where that is not what stands behind the slash. */
  readonly modelId?: (model: string) => string;
  /** Headers that hold the key. Default: `Authorization: Bearer`. */
  readonly authorize?: (credential: Credential) => HeaderList;
  /** What its keys look like: then a caller's own may be sent to its own hosts, over TLS. Default: it is sent to none. */
  readonly callersKey?: RegExp;
  /** Variables that stand in for params that a deployment leaves out. */
  readonly paramVariables?: Readonly<Record<string, readonly string[]>>;
  /** Further headers, out of `litellm_params`. */
  readonly headers?: (params: Readonly<Record<string, unknown>>) => HeaderList;
}
