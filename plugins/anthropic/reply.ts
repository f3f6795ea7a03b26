/** Replies of this protocol that no model makes: a token count, the list of models. */

import type { ListedModel, LocalReply, ModelList, ReplyWatch } from "../../sdk/dialect.ts";
import { jsonReply } from "../../sdk/hub/local-message.ts";
import { EventReplyWatch, JsonReplyWatch } from "./reply-watch.ts";
import type { WireModel, WireModelList } from "./wire.ts";

export function watchReply(contentType: string): ReplyWatch {
  return contentType.startsWith("text/event-stream") ? new EventReplyWatch() : new JsonReplyWatch();
}

export function encodeTokenCount(inputTokens: number): LocalReply {
  return jsonReply(200, { input_tokens: inputTokens });
}

/** Claude Code offers only models whose id begins with a name of the vendor; the rest it ignores. */
function publicId(group: string): string {
  return /^(claude|anthropic)/.test(group) ? group : `claude-${group}`;
}

export const modelList: ModelList = {
  accepts: (headers) => headers.get("anthropic-version") !== undefined,
  publicId,
  encode(models) {
    const data = models.map(toWireModel);
    const list: WireModelList = { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
    return jsonReply(200, list);
  },
};

/** The configuration knows no release dates; the field is required, and clients do not show it. */
const unknownDate = "1970-01-01T00:00:00Z";

function toWireModel(model: ListedModel): WireModel {
  return { type: "model", id: model.id, display_name: model.displayName, created_at: unknownDate };
}
