/** Which of a host's APIs a deployment is asked by. */

import type { Operation } from "../../sdk/dialect.ts";
import type { ModelQuestion } from "../../sdk/provider.ts";
import { writtenOperation } from "./endpoint.ts";
import { chat, messages, responses, type Row } from "./row.ts";

/** Words before the model that are meant for us, as LiteLLM has them. */
const prefixes: ReadonlyMap<string, string> = new Map([
  ["responses/", responses],
  ["chat/", chat],
  ["chat_completions/", chat],
]);

/** @returns the model without such a word, and the dialect that it asked for */
export function readModel(written: string): { readonly model: string; readonly dialect: string | undefined } {
  for (const [prefix, dialect] of prefixes) {
    if (written.startsWith(prefix) && written.length > prefix.length) return { model: written.slice(prefix.length), dialect };
  }
  return { model: written, dialect: undefined };
}

/** Best first; empty where there is no such operation. */
export function dialectsOf(row: Row, question: ModelQuestion, operation: Operation): readonly string[] {
  if (operation === "count_tokens") return [];
  // Its bodies pass as they are.
  if (operation === "embeddings") return row.embeddings === false ? [] : [chat];
  const forced = forcedDialect(question);
  if (forced !== undefined) return [forced];
  const { dialects = [chat] } = row;
  return typeof dialects === "function" ? dialects({ ...question, model: readModel(question.model).model }) : dialects;
}

/** What the configuration leaves no choice about: the URL, a word before the model, a parameter, or what it knows of the model. */
function forcedDialect({ model, apiBase, params, info }: ModelQuestion): string | undefined {
  switch (apiBase === undefined ? undefined : writtenOperation(apiBase)) {
    case "responses":
      return responses;
    case "chat/completions":
      return chat;
    case "messages":
      return messages;
    case "embeddings":
    case undefined:
  }
  const { dialect } = readModel(model);
  if (dialect !== undefined) return dialect;
  if (params["use_chat_completions_api"] === true) return chat;
  // `mode: chat`, which LiteLLM writes beside most models, chooses nothing.
  if (info["mode"] === "responses") return responses;
  const endpoints = info["supported_endpoints"];
  return Array.isArray(endpoints) && endpoints.includes("/v1/messages") ? messages : undefined;
}
