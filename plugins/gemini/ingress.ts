/** The client's side: paths, envelopes, and what a client of this dialect sees of replies that others made. */

import type { Ingress, ListedModel, LocalReply, ModelList } from "../../sdk/dialect.ts";
import { keepAliveTest } from "../../sdk/hub/keep-alive.ts";
import { decode, readHead } from "./decode-request.ts";
import { encodeError, errorEnvelope } from "./errors.ts";
import { readMeaning } from "./meaning.ts";
import { routes } from "./paths.ts";
import { watchReply } from "./reply-watch.ts";
import { encodeStream, encodeWhole } from "./stream-encoder.ts";

export const ingress: Ingress = {
  routes,
  encodeError,
  encodeStreamError: (error) => Buffer.from(`data: ${JSON.stringify(errorEnvelope(error))}\r\n\r\n`),
  // Blank lines are nothing between events, and nothing between the items of a list.
  ping: Buffer.from("\r\n\r\n"),
  watch: watchReply,
  meaning: readMeaning,
  isKeepAlive: keepAliveTest(),
  encodeTokenCount: (inputTokens) => jsonReply({ totalTokens: inputTokens }),
  modelList: createModelList(),
  translation: { head: readHead, decode, stream: encodeStream, whole: encodeWhole },
};

/** https://ai.google.dev/api/models */
function createModelList(): ModelList {
  return {
    // All of the vendor's clients say so; keys are not among the headers that are seen here.
    accepts: (headers) => headers.get("x-goog-api-client") !== undefined,
    publicId: (group) => group,
    encode: (models) => jsonReply({ models: models.map(toWireModel) }),
  };
}

function toWireModel({ id, displayName }: ListedModel): object {
  const supportedGenerationMethods = ["generateContent", "streamGenerateContent", "countTokens"];
  return { name: `models/${id}`, baseModelId: id, version: "", displayName, supportedGenerationMethods };
}

function jsonReply(body: object): LocalReply {
  const bytes = Buffer.from(JSON.stringify(body));
  return {
    status: 200,
    headers: [
      ["content-type", "application/json; charset=UTF-8"],
      ["content-length", String(bytes.length)],
    ],
    chunks: [bytes],
  };
}
