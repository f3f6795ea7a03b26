/** Servers of one's own. */

import { nearest } from "./efforts.ts";
import { chat, responses, type Row } from "./row.ts";

export const local: readonly Row[] = [
  {
    names: ["hosted_vllm", "vllm"],
    base: undefined,
    keyOptional: true,
    page: "https://docs.vllm.ai/en/v0.26.0/features/reasoning_outputs",
    evidence: "tested",
    dialects: [chat, responses],
    quirks: { reasoningField: "reasoning", effortNames: nearest("none", "low", "medium", "high"), thinkTags: true },
  },
  {
    names: ["ollama", "ollama_chat"],
    base: "http://localhost:11434/v1",
    hosts: ["ollama.com"],
    keyOptional: true,
    page: "https://docs.ollama.com/api/openai-compatibility",
    evidence: "tested",
    dialects: [chat, responses],
    quirks: {
      reasoningField: "reasoning",
      effortNames: nearest("none", "low", "medium", "high"),
      thinkTags: true,
      parallelToolCalls: false,
    },
  },
  {
    names: ["lm_studio"],
    base: "http://localhost:1234/v1",
    keyOptional: true,
    page: "https://lmstudio.ai/docs/api/rest-api",
    evidence: "tested",
    dialects: [chat, responses],
    quirks: { thinkTags: true },
  },
  {
    names: ["openai_like", "custom_openai", "custom"],
    base: undefined,
    keyOptional: true,
    page: "https://docs.litellm.ai/docs/providers/openai_compatible",
    evidence: "untested",
    quirks: { thinkTags: true },
  },
  {
    names: ["llamafile"],
    base: "http://127.0.0.1:8080/v1",
    keyOptional: true,
    page: "https://docs.litellm.ai/docs/providers/llamafile",
    evidence: "untested",
    quirks: { thinkTags: true },
  },
  {
    names: ["lemonade"],
    base: "http://localhost:8000/api/v1",
    keyOptional: true,
    page: "https://docs.litellm.ai/docs/providers/lemonade",
    evidence: "untested",
    quirks: { thinkTags: true },
  },
  {
    names: ["docker_model_runner"],
    base: "http://localhost:22088/engines/llama.cpp/v1",
    keyOptional: true,
    page: "https://docs.litellm.ai/docs/providers/docker_model_runner",
    evidence: "untested",
    quirks: { thinkTags: true },
  },
  {
    names: ["xinference"],
    base: "http://127.0.0.1:9997/v1",
    keyOptional: true,
    page: "https://docs.litellm.ai/docs/providers/xinference",
    evidence: "untested",
    quirks: { thinkTags: true },
  },
  {
    names: ["oobabooga"],
    base: "http://127.0.0.1:5000/v1",
    keyOptional: true,
    page: "https://docs.litellm.ai/docs/providers/openai_compatible",
    evidence: "untested",
    quirks: { thinkTags: true },
  },
];
