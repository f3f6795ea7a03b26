/**
 * Recognises refusals of a prompt by a filter of the host, which another host may not have. Seen at
 * https://learn.microsoft.com/azure/foundry/openai/concepts/content-filter, openai/codex#7250, anthropics/claude-code#58367,
 * https://help.aliyun.com/zh/model-studio/developer-reference/error-code, and in what LiteLLM takes for one.
 */

const words: readonly RegExp[] = [
  // OpenAI's and Azure's codes, where a message quotes them.
  /content_policy_violation|responsible_?ai_?policy_?violation|content_filter(?:ed|_policy|_error)?\b/i,
  // Azure
  /filtered due to the prompt triggering[^]{0,40}content management policy|^the response was filtered\b/i,
  // OpenAI, of images and of text
  /(?:rejected|failed) as a result of our safety system/i,
  /(?:violat\w+|flagged)[^]{0,80}(?:usage|content|safety) polic(?:y|ies)/i,
  // Azure, of what a model made
  /the model produced invalid content/i,
  // Anthropic
  /output blocked by content filtering policy/i,
  // Alibaba
  /data_?inspection_?failed|inappropriate content/i,
  // Google, as a status
  /\bprohibited_content\b|blocked by (?:the )?safety (?:filters?|settings)/i,
];

export function isContentPolicy(message: string): boolean {
  const text = message.slice(0, 4000);
  return words.some((pattern) => pattern.test(text));
}
