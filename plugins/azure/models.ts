/** Which wires a deployment speaks: its name is the customer's own, so what else is said of it counts first. */

import type { Operation } from "../../sdk/dialect.ts";
import type { ModelQuestion } from "../../sdk/provider.ts";
import { hasResponses, isDated, isOlder } from "./endpoint.ts";

/** Prefixes that say what kind of model is behind a deployment. */
const prefixes = /^(?:responses|o_series|gpt5_series|model_router|model-router)\//;

/** The deployment's own name. */
export function deploymentOf(model: string): string {
  return model.replace(prefixes, "");
}

export function openaiDialects(question: ModelQuestion, operation: Operation): readonly string[] {
  if (operation === "embeddings") return ["openai-chat"];
  if (operation !== "generate") return [];
  const version = versionOf(question);
  const older = isOlder({ base: question.apiBase ?? "", version });
  const known = !older || (isDated(version) && hasResponses(version));
  if (!known) return ["openai-chat"];
  return prefersResponses(question, older) ? ["openai-responses", "openai-chat"] : ["openai-chat", "openai-responses"];
}

/** Claude by the deployment's name or that of the model behind it. */
export function isClaude({ model, info }: Pick<ModelQuestion, "model"> & Partial<Pick<ModelQuestion, "info">>): boolean {
  return /claude/i.test(model) || /claude/i.test(baseModel(info));
}

/** The model behind a deployment, as `model_info` names it; empty where it does not. */
export function baseModel(info: ModelQuestion["info"] | undefined): string {
  const base = info?.["base_model"];
  return typeof base === "string" ? base : "";
}

/** Whether a deployment's name, or what is said of it, is that of a model of OpenAI's that reasons. */
export function reasons({ model, info }: Pick<ModelQuestion, "model" | "info">): boolean {
  return /(?:^|[/_-])(?:gpt-[5-9]|o[1-9](?:$|[-_])|codex)/i.test(`${baseModel(info)}/${deploymentOf(model)}`);
}

export function versionOf({ params }: Pick<ModelQuestion, "params">): string | undefined {
  const version = params["api_version"];
  return typeof version === "string" && version !== "" ? version : undefined;
}

/** OpenAI's models of today reason between calls of tools there only; other vendors' are at home in the other one. */
function prefersResponses(question: ModelQuestion, older: boolean): boolean {
  const { model, info } = question;
  if (model.startsWith("responses/") || info["mode"] === "responses") return true;
  return info["mode"] !== "chat" && !older && reasons(question);
}
