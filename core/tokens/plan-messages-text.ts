/** Plans the count of the text of messages alone, as the Python original counted. */

import type { RequestBody, Span } from "../../sdk/body.ts";
import type { CountPlan, Unit } from "./count-plan.ts";
import { isList, isText, shortText } from "./spans.ts";

const OPEN_BRACE = 0x7b;
const NULL = 0x6e;

/**
 * The original puts a space between the pieces and encodes the whole with one vocabulary, whatever the model.
 * A space belongs to the word behind it, so a piece counts the same in any conversation, and only new pieces
 * have to be counted.
 */
export function planMessagesText(body: RequestBody): CountPlan {
  const list = body.field("messages");
  const pieces = list === undefined ? [] : body.elements(list).flatMap((message) => piecesOf(body, message));
  const units = pieces.map((span, index): Unit => ({ kind: index === 0 ? "text" : "piece", span }));
  return { encoding: "plain", fixedTokens: 0, units };
}

function piecesOf(body: RequestBody, message: Span): readonly Span[] {
  const first = body.bytes[message.start];
  // A message that is no object counts as its own text.
  if (first !== OPEN_BRACE) return first === NULL ? [] : [message];
  const content = body.members(message).get("content");
  if (content === undefined) return [];
  if (isText(body, content)) return [content];
  if (!isList(body, content)) return [];
  return body.elements(content).flatMap((block) => {
    const members = body.members(block);
    const text = members.get("text");
    return shortText(body, members.get("type")) === "text" && text !== undefined && isText(body, text) ? [text] : [];
  });
}
