/** What LiteLLM and ccproxy are asked alike: one configuration, what each deployment's upstream answers, and the requests. */

export interface ScriptedDeployment {
  /** Its `model_info.id`, and its name in what is compared. One upstream of its own stands behind it. */
  readonly id: string;
  /** Behind the provider's name. Default `gpt-scripted`, or a Claude's for `anthropic`. */
  readonly model?: string;
  /** Default `openai`, by Chat Completions. */
  readonly provider?: "openai" | "anthropic";
  /** Further `litellm_params`. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Further `model_info`. */
  readonly info?: Readonly<Record<string, unknown>>;
}

/** What an upstream answers once. A number is the status of an answer (200) or of an error in the vendor's form. */
export type Answer =
  | number
  | {
      readonly status: number;
      readonly message?: string;
      /** `type` and `code` of OpenAI's error. */
      readonly type?: string;
      readonly code?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The request is taken, and nothing comes back. */
  | "stall"
  /** The connection is reset instead of an answer. */
  | "reset"
  /** A 200 with the head of a stream, and in the place of its first event an error. */
  | "stream-error"
  /** A 200 with the head of a stream, and nothing more. */
  | "stream-stall";

export interface Step {
  readonly model: string;
  /** Default `openai-chat`: `POST /v1/chat/completions`. */
  readonly wire?: "openai-chat" | "anthropic";
  /** Further fields of the body. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Time that passes before it. */
  readonly afterMs?: number;
}

export interface Case {
  /** Differs from all others; as it stands in the table of differences. */
  readonly name: string;
  /** The deployments of each group; a text is the id of one without options. */
  readonly groups: Readonly<Record<string, readonly (string | ScriptedDeployment)[]>>;
  /**
   * What each deployment answers, the last one repeating; without a script 200. Deployments named together (`a b`) share one
   * sequence, so they are alike: which of them is asked first does not show.
   */
  readonly scripts?: Readonly<Record<string, readonly Answer[]>>;
  readonly steps: readonly Step[];
  /** Which of those alike is asked again is left to chance; only how often they are is compared. */
  readonly isAnyOfAlike?: true;
  /** Whether the model that the upstream is asked for is compared too. */
  readonly showsModel?: true;
}

/** Cases that share a configuration. Names of groups and ids differ throughout. */
export interface Suite {
  readonly name: string;
  /** All of `config.yaml` but the models. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
}

export function deploymentsOf({ groups }: Case): readonly ScriptedDeployment[] {
  return Object.values(groups)
    .flat()
    .map((entry) => (typeof entry === "string" ? { id: entry } : entry));
}

/** `config.yaml` of a suite. @param apiBaseOf the address of a deployment's upstream, without a path */
export function configOf(suite: Suite, apiBaseOf: (id: string) => string): Readonly<Record<string, unknown>> {
  const model_list = suite.cases.flatMap(({ groups }) =>
    Object.entries(groups).flatMap(([model_name, entries]) =>
      entries.map((entry) => {
        const { id, provider = "openai", model, params, info }: ScriptedDeployment = typeof entry === "string" ? { id: entry } : entry;
        const isChat = provider === "openai";
        return {
          model_name,
          litellm_params: {
            model: `${provider}/${model ?? (isChat ? "gpt-scripted" : "claude-sonnet-4-5")}`,
            api_base: `${apiBaseOf(id)}${isChat ? "/v1" : ""}`,
            api_key: `sk-${id}`,
            ...params,
          },
          model_info: { id, ...info },
        };
      }),
    ),
  );
  return { model_list, ...suite.settings };
}
