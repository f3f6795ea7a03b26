/**
 * What the name of a Bedrock model says: how it is to be asked, where it runs, which family it is of and what that takes.
 * Written from docs.aws.amazon.com/bedrock/latest/userguide: inference-profiles-support, models-api-compatibility,
 * claude-messages-adaptive-thinking; platform.claude.com/docs: build-with-claude/claude-on-amazon-bedrock-legacy.
 */

/** `messages` is the Messages-native endpoint, `invoke` InvokeModel, `converse` Converse. */
export type Route = "messages" | "invoke" | "converse";

export interface ModelName {
  /** Undefined where the name asks for none. */
  readonly route: Route | undefined;
  /** Of a prefix `us-east-1/…`, or of an ARN. */
  readonly region: string | undefined;
  /** A model id, the id of an inference profile, or an ARN. */
  readonly id: string;
}

const routes: ReadonlyMap<string, Route> = new Map([
  ["converse", "converse"],
  ["converse_like", "converse"],
  ["bedrock_converse", "converse"],
  ["invoke", "invoke"],
  ["messages", "messages"],
]);

/** E.g. `us-east-1`, `us-gov-west-1`, `ap-southeast-2`. */
const region = /^[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}$/;

export function isRegion(value: string): boolean {
  return region.test(value);
}

/** Of a name with or without the prefix of the provider, e.g. `bedrock/invoke/us-east-1/anthropic.claude-…`. */
export function readModelName(name: string): ModelName {
  let route: Route | undefined;
  let place: string | undefined;
  let id = name;
  for (let slash = id.indexOf("/"); slash > 0 && !id.startsWith("arn:"); slash = id.indexOf("/")) {
    const prefix = id.slice(0, slash);
    if (routes.has(prefix)) route ??= routes.get(prefix);
    else if (isRegion(prefix)) place ??= prefix;
    // Says the family of an ARN, which is read from the whole name.
    else if (prefix !== "bedrock" && prefix !== "nova" && prefix !== "nova-2") break;
    id = id.slice(slash + 1);
  }
  const [, ofArn] = /^arn:[\w-]+:bedrock:([\w-]*):/.exec(id) ?? [];
  if (place === undefined && ofArn !== undefined && isRegion(ofArn)) place = ofArn;
  return { route, region: place, id };
}

/** Vendors stand before the dot of an id, behind the part of the world that an inference profile spans. */
const bareId =
  /^(?:(?:us|us-gov|eu|jp|au|apac|ca|global)\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|writer|zai)\.[a-z]/;

/** Whether a name without a prefix is one of Bedrock's ids, e.g. `us.amazon.nova-pro-v1:0`. */
export function isBedrockId(name: string): boolean {
  return bareId.test(name);
}

export type Family = "claude" | "nova" | "nova-2" | "gpt-oss" | "openai" | "kimi" | "mistral" | "other";

/** The first that fits counts. */
const families: readonly (readonly [RegExp, Family])[] = [
  [/anthropic|claude/, "claude"],
  [/\bnova-2\b/, "nova-2"],
  [/\bnova\b/, "nova"],
  [/gpt-oss/, "gpt-oss"],
  [/openai\.gpt-/, "openai"],
  [/moonshot|kimi/, "kimi"],
  [/mistral|pixtral|magistral|devstral/, "mistral"],
];

/** @param names of the model, best first: an ARN may say nothing, what it stands for may be written beside it */
export function familyOf(...names: readonly (string | undefined)[]): Family {
  for (const name of names) {
    const found = families.find(([pattern]) => name !== undefined && pattern.test(name.toLowerCase()));
    if (found !== undefined) return found[1];
  }
  return "other";
}

/** Generation of a Claude model as a number, e.g. 4.6. What names none is the newest. */
export function claudeGeneration(id: string): number {
  const old = /claude-(?:v|instant-v)?(\d)(?:[-.](\d))?(?:[-.:]|$)/.exec(id);
  const [, major, minor] = old ?? /claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2})(?!\d))?/.exec(id) ?? [];
  return major === undefined ? newest : Number(`${major}.${minor ?? 0}`);
}

const newest = 99;

/**
 * Models up to Opus 4.6 and Sonnet 4.6, ids with a version of their own (`-v1:0`) and ARNs are asked by InvokeModel.
 *
 * @param knownAs the name that says which model an ARN stands for
 */
export function defaultClaudeRoute(id: string, knownAs: string): Route {
  const isVersioned = /-v\d+(?::\d+)?$/.test(id);
  return isVersioned || id.startsWith("arn:") || claudeGeneration(knownAs) < 4.7 ? "invoke" : "messages";
}

export interface ClaudeTraits {
  /** `thinking: adaptive` and an effort; else thinking has a budget. */
  readonly adaptive: boolean;
  /** Whether it thinks at all. */
  readonly thinks: boolean;
  /** Refuses to be told not to think. */
  readonly alwaysThinks: boolean;
  /** Takes temperature, top_p and top_k. */
  readonly sampling: boolean;
  /** May be made to call a tool. */
  readonly forcedTools: boolean;
  /** Cached prefixes may be kept for an hour. */
  readonly longCache: boolean;
}

/** @param id or the name that stands for it */
export function claudeTraits(id: string): ClaudeTraits {
  const generation = claudeGeneration(id);
  const isApart = /fable|mythos/.test(id);
  return {
    adaptive: generation >= 4.6,
    thinks: generation >= 3.7,
    alwaysThinks: isApart || (generation >= 5.5 && id.includes("opus")),
    sampling: generation < 4.7,
    forcedTools: generation < (isApart ? 5.1 : 5.5) && !/mythos/.test(id),
    longCache: generation >= 4.5,
  };
}
