/**
 * Hosts that speak Anthropic Messages beside Anthropic's own and the clouds: one row each. A row is written from the
 * page it names; where that is not the host's own documentation, it is marked as untested.
 */

import type { MessagesQuirks } from "../../sdk/quirks.ts";

export interface MessagesHost {
  /** Before the slash: `<name>_anthropic/<model>`. */
  readonly name: string;
  /** What `/v1/messages` is added to; undefined where every customer has another. */
  readonly base: string | undefined;
  /** Where else the same vendor serves it: host, and path where the host serves other APIs too. */
  readonly elsewhere?: readonly string[];
  readonly baseVariables?: readonly string[];
  readonly keyVariables: readonly string[];
  /** How the key travels. */
  readonly key: "bearer" | "x-api-key";
  /** A server of one's own answers without a key. */
  readonly keyOptional?: boolean;
  /** Whether it counts tokens. */
  readonly counts?: boolean;
  /** It hands requests on to many vendors, Anthropic among them: betas pass where the model is a Claude. */
  readonly isGateway?: boolean;
  /** What it refuses or does otherwise, beside what holds for all. */
  readonly quirks?: MessagesQuirks;
  readonly page: string;
  readonly evidence: "documented" | "untested";
}

export const messagesHosts: readonly MessagesHost[] = [
  {
    name: "deepseek",
    base: "https://api.deepseek.com/anthropic",
    keyVariables: ["DEEPSEEK_API_KEY"],
    key: "x-api-key",
    // `messages[7].role: unknown variant system`: deepseek-ai/awesome-deepseek-integration#639.
    quirks: { refused: ["container", "mcp_servers"] },
    page: "https://api-docs.deepseek.com/guides/anthropic_api",
    evidence: "documented",
  },
  {
    name: "moonshot",
    base: "https://api.moonshot.ai/anthropic",
    elsewhere: ["api.moonshot.cn/anthropic"],
    keyVariables: ["MOONSHOT_API_KEY"],
    key: "bearer",
    page: "https://docs.rs/rig-core/latest/rig_core/providers/moonshot/constant.ANTHROPIC_API_BASE_URL.html",
    evidence: "untested",
  },
  {
    name: "kimi_code",
    base: "https://api.kimi.com/coding",
    elsewhere: ["api.kimi.ai/coding"],
    keyVariables: ["KIMI_API_KEY"],
    key: "x-api-key",
    page: "https://repoprompt.com/docs/providers/cc-moonshot/",
    evidence: "untested",
  },
  {
    name: "zai",
    base: "https://api.z.ai/api/anthropic",
    elsewhere: ["open.bigmodel.cn/api/anthropic"],
    keyVariables: ["ZAI_API_KEY"],
    key: "bearer",
    page: "https://docs.z.ai/scenario-example",
    evidence: "documented",
  },
  {
    name: "minimax",
    base: "https://api.minimax.io/anthropic",
    elsewhere: ["api.minimaxi.com/anthropic"],
    keyVariables: ["MINIMAX_API_KEY"],
    key: "bearer",
    page: "https://platform.minimax.io/docs/api-reference/text-anthropic-api",
    evidence: "documented",
  },
  {
    name: "dashscope",
    base: "https://dashscope-intl.aliyuncs.com/apps/anthropic",
    elsewhere: [
      "dashscope.aliyuncs.com/apps/anthropic",
      "coding.dashscope.aliyuncs.com/apps/anthropic",
      "coding-intl.dashscope.aliyuncs.com/apps/anthropic",
    ],
    keyVariables: ["DASHSCOPE_API_KEY"],
    key: "bearer",
    page: "https://www.alibabacloud.com/help/en/model-studio/anthropic-api-messages",
    evidence: "documented",
  },
  {
    name: "stepfun",
    base: "https://api.stepfun.ai",
    elsewhere: ["api.stepfun.com"],
    keyVariables: ["STEPFUN_API_KEY", "STEP_API_KEY"],
    key: "x-api-key",
    // The page lists what may be sent and asks for nothing else.
    quirks: { refused: ["metadata", "thinking", "tool_choice", "service_tier", "cache_control", "inference_geo"] },
    page: "https://platform.stepfun.ai/docs/en/api-reference/chat/messages-create",
    evidence: "documented",
  },
  {
    name: "xiaomi_mimo",
    base: "https://api.xiaomimimo.com/anthropic",
    keyVariables: ["XIAOMI_MIMO_API_KEY"],
    key: "bearer",
    page: "https://docs.molt.bot/providers/xiaomi",
    evidence: "untested",
  },
  {
    name: "volcengine",
    base: "https://ark.cn-beijing.volces.com/api/compatible",
    elsewhere: ["ark.cn-beijing.volces.com/api/coding"],
    keyVariables: ["VOLCENGINE_API_KEY", "ARK_API_KEY"],
    key: "bearer",
    page: "https://www.volcengine.com/docs/82379",
    evidence: "untested",
  },
  {
    name: "tencent",
    base: "https://api.lkeap.cloud.tencent.com/coding/anthropic",
    keyVariables: ["TENCENT_API_KEY"],
    key: "bearer",
    page: "https://cloud.tencent.com/document/product/1772",
    evidence: "untested",
  },
  {
    name: "siliconflow",
    base: "https://api.siliconflow.com",
    elsewhere: ["api.siliconflow.cn"],
    keyVariables: ["SILICONFLOW_API_KEY"],
    key: "bearer",
    page: "https://github.com/Agents365-ai/dsclaude",
    evidence: "untested",
  },
  {
    name: "modelscope",
    base: "https://api-inference.modelscope.cn",
    keyVariables: ["MODELSCOPE_API_KEY"],
    key: "x-api-key",
    page: "https://github.com/modelscope/modelscope/issues/1478",
    evidence: "untested",
  },
  {
    name: "fireworks_ai",
    base: "https://api.fireworks.ai/inference",
    elsewhere: ["us.api.fireworks.ai/inference"],
    keyVariables: ["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"],
    key: "bearer",
    page: "https://docs.fireworks.ai/tools-sdks/anthropic-compatibility",
    evidence: "documented",
  },
  {
    name: "novita",
    base: "https://api.novita.ai/anthropic",
    keyVariables: ["NOVITA_API_KEY"],
    key: "bearer",
    page: "https://novita.ai/docs/guides/llm-anthropic-compatibility",
    evidence: "documented",
  },
  {
    name: "openrouter",
    base: "https://openrouter.ai/api",
    keyVariables: ["OPENROUTER_API_KEY"],
    key: "bearer",
    isGateway: true,
    page: "https://openrouter.ai/docs/api/reference/overview",
    evidence: "untested",
  },
  {
    name: "vercel_ai_gateway",
    base: "https://ai-gateway.vercel.sh",
    keyVariables: ["VERCEL_AI_GATEWAY_API_KEY", "AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"],
    key: "bearer",
    isGateway: true,
    page: "https://vercel.com/docs/ai-gateway/sdks-and-apis/anthropic-messages-api",
    evidence: "documented",
  },
  {
    name: "databricks",
    base: undefined,
    baseVariables: ["DATABRICKS_ANTHROPIC_API_BASE"],
    keyVariables: ["DATABRICKS_API_KEY", "DATABRICKS_TOKEN"],
    key: "bearer",
    isGateway: true,
    page: "https://docs.databricks.com/gcp/en/machine-learning/model-serving/query-anthropic-messages",
    evidence: "documented",
  },
  {
    name: "litellm_proxy",
    base: undefined,
    baseVariables: ["LITELLM_PROXY_API_BASE"],
    keyVariables: ["LITELLM_PROXY_API_KEY"],
    key: "bearer",
    keyOptional: true,
    counts: true,
    isGateway: true,
    page: "https://docs.litellm.ai/docs/anthropic_count_tokens",
    evidence: "documented",
  },
  {
    name: "ollama",
    base: "http://localhost:11434",
    elsewhere: ["ollama.com"],
    baseVariables: ["OLLAMA_API_BASE"],
    keyVariables: ["OLLAMA_API_KEY"],
    // Its cloud takes no other form; a server of one's own takes anything.
    key: "bearer",
    keyOptional: true,
    page: "https://docs.ollama.com/api/anthropic-compatibility",
    evidence: "documented",
  },
  {
    name: "lm_studio",
    base: "http://localhost:1234",
    baseVariables: ["LM_STUDIO_API_BASE"],
    keyVariables: ["LM_STUDIO_API_KEY"],
    key: "bearer",
    keyOptional: true,
    page: "https://lmstudio.ai/docs/developer/anthropic-compat",
    evidence: "documented",
  },
  {
    name: "llamacpp",
    base: "http://127.0.0.1:8080",
    baseVariables: ["LLAMACPP_API_BASE"],
    keyVariables: ["LLAMACPP_API_KEY"],
    key: "bearer",
    keyOptional: true,
    page: "https://huggingface.co/blog/ggml-org/anthropic-messages-api-in-llamacpp",
    evidence: "documented",
  },
  {
    name: "hosted_vllm",
    base: undefined,
    baseVariables: ["HOSTED_VLLM_API_BASE"],
    keyVariables: ["HOSTED_VLLM_API_KEY"],
    key: "bearer",
    keyOptional: true,
    counts: true,
    page: "https://github.com/ModelTC/LightLLM/pull/1477",
    evidence: "untested",
  },
];
