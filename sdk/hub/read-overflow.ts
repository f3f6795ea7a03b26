/** Recognises the many sentences in which upstreams say that a prompt is too long. */

export interface Overflow {
  readonly tokens?: number;
  readonly maximum?: number;
}

/** Undefined where the message says something else. A figure that is not named stays out. */
export function readOverflow(message: string): Overflow | undefined {
  const text = message.slice(0, 4000);
  for (const pattern of wordings) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const tokens = count(found.groups?.["tokens"]);
    const maximum = count(found.groups?.["maximum"]);
    return { ...(tokens === undefined ? {} : { tokens }), ...(maximum === undefined ? {} : { maximum }) };
  }
  return undefined;
}

function count(digits: string | undefined): number | undefined {
  const value = Number(digits?.replaceAll(/[,_]/g, ""));
  return digits !== undefined && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** The more it says the further up. */
const wordings: readonly RegExp[] = [
  // Anthropic
  /prompt is too long: (?<tokens>[\d,]+) tokens > (?<maximum>[\d,]+) maximum/i,
  /input length and `?max_tokens`? exceed context limit: (?<tokens>[\d,]+) \+ [\d,]+ > (?<maximum>[\d,]+)/i,
  // OpenAI, and who took its words over: vLLM, DeepSeek, Together, OpenRouter, LM Studio
  /maximum context length is (?<maximum>[\d,]+) tokens[^]{0,80}?(?:requested|resulted in|has|contains?)(?: about| at least)? (?<tokens>[\d,]+)/i,
  /maximum context length is (?<maximum>[\d,]+)/i,
  // Gemini
  /input token count \(?(?<tokens>[\d,]+)?\)? ?exceeds the maximum number of tokens allowed \(?(?<maximum>[\d,]+)?/i,
  // Bedrock
  /Input is too long/i,
  /prompt is too long/i,
  // OpenAI Responses and others
  /exceeds the context window/i,
  /context_length_exceeded/i,
];
