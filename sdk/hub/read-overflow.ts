/**
 * Recognises the many sentences in which upstreams say that a prompt is too long. None of them is one that only the limit
 * of the reply or of a minute exceeded: a shorter conversation would not help there.
 */

export interface Overflow {
  readonly tokens?: number;
  readonly maximum?: number;
}

/** Undefined where the message says something else. A figure that is not named stays out. */
export function readOverflow(message: string): Overflow | undefined {
  const text = message.slice(0, 4000);
  const exact = figures.map((pattern) => pattern.exec(text)?.groups).find((groups) => groups !== undefined);
  if (exact !== undefined) {
    const tokens = sum(count(exact["tokens"]), count(exact["more"]));
    const maximum = count(exact["maximum"]);
    // Where the prompt is the smaller part, the reply asked for is too long.
    const prompt = count(/\((?<prompt>[\d,]+) (?:in|of)/.exec(text)?.groups?.["prompt"]);
    const isSmall = maximum !== undefined && ((tokens ?? Infinity) <= maximum || (prompt ?? Infinity) * 2 < maximum);
    return isSmall ? undefined : { ...named("tokens", tokens), ...named("maximum", maximum) };
  }
  const isMeant = words.some((pattern) => pattern.test(text)) && !others.test(text);
  return isMeant ? {} : undefined;
}

function named(name: "tokens" | "maximum", value: number | undefined): Overflow {
  return value === undefined ? {} : { [name]: value };
}

function sum(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined ? undefined : one + (other ?? 0);
}

function count(digits: string | undefined): number | undefined {
  const value = Number(digits?.replaceAll(/[,_]/g, ""));
  return digits !== undefined && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Sentences with figures. */
const figures: readonly RegExp[] = [
  // Anthropic, now and before.
  /prompt is too long: (?<tokens>[\d,]+) tokens > (?<maximum>[\d,]+) maximum/i,
  /input length and `?max_tokens`? exceed context limit: (?<tokens>[\d,]+) \+ (?<more>[\d,]+) > (?<maximum>[\d,]+)/i,
  // OpenAI's Chat Completions, and who took its words over: vLLM, SGLang, DeepSeek, Fireworks, OpenRouter.
  /maximum context length (?:is|of) (?<maximum>[\d,]+) tokens[^]{0,60}?(?:requested|resulted in|has|have|contains?)(?: about| at least)? (?<tokens>[\d,]+) (?:input |prompt )?tokens/i,
  /input tokens exceed the configured limit of (?<maximum>[\d,]+) tokens[^]{0,60}?resulted in (?<tokens>[\d,]+) tokens/i,
  // Gemini
  /input token count \((?<tokens>[\d,]+)\) exceeds the maximum number of tokens allowed \(?(?<maximum>[\d,]+)/i,
  /input token count exceeds the maximum number of tokens allowed \(?(?<maximum>[\d,]+)/i,
  // Bedrock, of models that are not Claude.
  /max input tokens: (?<maximum>[\d,]+), request input token count: (?<tokens>[\d,]+)/i,
  // xAI
  /maximum prompt length is (?<maximum>[\d,]+) but the request contains (?<tokens>[\d,]+)/i,
  // Mistral
  /prompt contains (?<tokens>[\d,]+) tokens?[^]{0,60}?too large for model with (?<maximum>[\d,]+) maximum context length/i,
  // Cerebras
  /current length is (?<tokens>[\d,]+) while limit is (?<maximum>[\d,]+)/i,
  // Together
  /input \((?<tokens>[\d,]+) tokens\) is longer than the model'?s context length \((?<maximum>[\d,]+) tokens\)/i,
  // Kimi
  /exceeded model token limit: (?<maximum>[\d,]+) \(requested: (?<tokens>[\d,]+)\)/i,
  /exceeded model token limit: (?<maximum>[\d,]+)/i,
  // GitHub Copilot
  /prompt token count of (?<tokens>[\d,]+) exceeds the limit of (?<maximum>[\d,]+)/i,
  // Poolside behind OpenRouter
  /input length (?:of )?(?<tokens>[\d,]+)[^]{0,20}? exceeds the maximum allowed input length of (?<maximum>[\d,]+)/i,
  // llama.cpp
  /request \((?<tokens>[\d,]+) tokens\) exceeds the available context size \((?<maximum>[\d,]+) tokens\)/i,
  // llama-cpp-python
  /requested tokens \((?<tokens>[\d,]+)\) exceed context window of (?<maximum>[\d,]+)/i,
  // LM Studio
  /keep the first (?<tokens>[\d,]+) tokens[^]{0,100}?context length of only (?<maximum>[\d,]+) tokens/i,
  // Cohere
  /total number of tokens in the prompt cannot exceed (?<maximum>[\d,]+) - received (?<tokens>[\d,]+)/i,
  // Text Generation Inference
  /`?inputs`? tokens \+ `?max_new_tokens`? must be <= (?<maximum>[\d,]+)\. Given: (?<tokens>[\d,]+)/i,
  // DashScope
  /range of input length should be \[\d+, ?(?<maximum>[\d,]+)\]/i,
];

/** Sentences without. */
const words: readonly RegExp[] = [
  /prompt is too long/i,
  // OpenAI's Responses
  /exceeds? the (?:model'?s )?(?:context window|context length|maximum context length)/i,
  /context[_ ](?:length|window)[_ ]exceeded/i,
  /maximum context length (?:is|of) [\d,]+ tokens[^]{0,80}?reduce the length/i,
  // Bedrock, Claude
  /input is too long(?: for requested model|\.|$)/i,
  // Groq
  /reduce the length of the messages/i,
  // llama.cpp
  /exceeds the available context size/i,
  // LM Studio
  /greater than the context length/i,
  // MiniMax
  /context window exceeds limit/i,
  // Kimi
  /exceeded model token limit/i,
  // Ollama
  /prompt too long; exceeded (?:max )?context length/i,
  // vLLM, of images too
  /(?:decoder )?prompt[^]{0,40}? is longer than the maximum model length/i,
];

/** What sounds like it and is a limit of another kind. */
const others = /rate limit|too many requests|per minute|throttl|tokens? per (?:day|hour)/i;
