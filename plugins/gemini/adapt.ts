/** A client's own body on its way to a host of the same wire: the model stands in the address, so that little has to change. */

import type { Json, RequestBody } from "../../sdk/body.ts";
import type { Operation } from "../../sdk/dialect.ts";
import { record } from "../../sdk/hub/json.ts";
import type { Target } from "../../sdk/wire.ts";
import { packedMark, restoreContents } from "./client-state.ts";
import { familyOf } from "./families.ts";

export function adapt(body: RequestBody, target: Target, operation: Operation): RequestBody {
  const named = operation === "count_tokens" ? renameInner(body, target.model) : body;
  if (!Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.length).includes(packedMark)) return named;
  const contents = named.value("contents");
  if (contents === undefined) return named;
  const restored = restoreContents(contents, { producer: target.producer, needsSignature: familyOf(target.model).isThird });
  return named.edit([{ field: "contents", value: restored }]);
}

const innerNames = ["generateContentRequest", "generate_content_request"];

/** A whole request to be counted names the model once more. */
function renameInner(body: RequestBody, model: string): RequestBody {
  const name = innerNames.find((candidate) => body.field(candidate) !== undefined);
  const inner = name === undefined ? undefined : record(body.value(name));
  if (name === undefined || inner === undefined) return body;
  const value: Json = { ...inner, model: /^(?:models|tunedModels)\//.test(model) ? model : `models/${model}` };
  return body.edit([{ field: name, value }]);
}
