/** Takes content blocks apart into units to count and tokens that are known already. */

import type { RequestBody, Span } from "../../sdk/body.ts";
import type { Unit, UnitKind } from "./count-plan.ts";
import { readImageSize } from "./image-size.ts";
import { imageTokens, UNKNOWN_IMAGE } from "./image-tokens.ts";
import type { ModelProfile } from "./model-profile.ts";
import { PDF_PAGE_TOKENS } from "./pdf-pages.ts";
import { sealedTokens } from "./sealed-tokens.ts";
import { isList, isText, shortText, textBytes } from "./spans.ts";

interface ContentOptions {
  /** Leave thinking out, as models do that drop it after its turn. */
  readonly dropThinking: boolean;
}

export interface BlockCollector {
  /** A string, a list of blocks, or nothing. */
  addContent(content: Span | undefined, options?: ContentOptions): void;
  add(kind: UnitKind, span: Span | undefined): void;
  addFixed(tokens: number): void;
  /** Tools that a `tool_reference` brought before the model. */
  readonly referencedTools: ReadonlySet<string>;
  result(): { readonly units: readonly Unit[]; readonly fixedTokens: number };
}

const KEEP_ALL: ContentOptions = { dropThinking: false };
/** Says how to handle a block, not what is in it. A cache mark wanders from turn to turn: it must not touch the rest. */
const NOT_CONTENT = new Set(["type", "cache_control", "id", "tool_use_id", "citations", "is_error"]);

type Members = ReadonlyMap<string, Span>;

export function createBlockCollector(body: RequestBody, profile: ModelProfile): BlockCollector {
  const units: Unit[] = [];
  const referencedTools = new Set<string>();
  let fixedTokens = 0;

  const addFixed = (tokens: number): void => {
    fixedTokens += tokens;
  };
  const add = (kind: UnitKind, span: Span | undefined): void => {
    if (span !== undefined && span.end - span.start > 2) units.push({ kind, span });
  };
  const addSealed = (span: Span | undefined): void => addFixed(span === undefined ? 0 : sealedTokens(textBytes(span)));

  const addContent = (content: Span | undefined, options: ContentOptions = KEEP_ALL): void => {
    if (content === undefined) return;
    if (isText(body, content)) add("text", content);
    else if (isList(body, content)) for (const block of body.elements(content)) addBlock(block, options);
    else addBlock(content, options);
  };

  const addBlock = (block: Span, options: ContentOptions): void => {
    if (isText(body, block)) {
      add("text", block);
      return;
    }
    const members = body.members(block);
    const type = shortText(body, members.get("type")) ?? "";
    if (type === "text") add("text", members.get("text"));
    else if (type === "thinking" || type === "redacted_thinking") {
      if (!options.dropThinking) addThinking(members);
    } else if (type === "image") addFixed(imageCost(members.get("source")));
    else if (type === "document") addDocument(members);
    else if (type.endsWith("tool_use")) {
      addFixed(profile.toolFrame.call);
      add("text", members.get("name"));
      add("json", members.get("input"));
    } else if (type.endsWith("tool_result")) {
      addFixed(profile.toolFrame.result);
      addContent(members.get("content"), options);
    } else addOther(type, members);
  };

  const addThinking = (members: Members): void => {
    const text = members.get("thinking");
    // With the text left out, the thinking itself travels sealed inside the signature.
    if (text !== undefined && textBytes(text) > 0) add("text", text);
    else addSealed(members.get("data") ?? members.get("signature"));
  };

  const imageCost = (source: Span | undefined): number => {
    const data = source && body.members(source).get("data");
    const size = data && readImageSize(body.slice({ start: data.start + 1, end: data.end - 1 }));
    return imageTokens(size ?? UNKNOWN_IMAGE, profile.images);
  };

  const addDocument = (members: Members): void => {
    add("text", members.get("title"));
    add("text", members.get("context"));
    const source = members.get("source");
    const parts: Members = source === undefined ? new Map() : body.members(source);
    const type = shortText(body, parts.get("type"));
    if (type === "base64") add("pdf", parts.get("data"));
    else if (type === "text") add("text", parts.get("data"));
    else if (type === "content") addContent(parts.get("content"));
    else addFixed(PDF_PAGE_TOKENS[profile.encoding]);
  };

  const addOther = (type: string, members: Members): void => {
    const referenced = type === "tool_reference" ? shortText(body, members.get("tool_name")) : undefined;
    if (referenced !== undefined) referencedTools.add(referenced);
    for (const [name, value] of members) {
      if (NOT_CONTENT.has(name)) continue;
      if (name.startsWith("encrypted_")) addSealed(value);
      else if (isText(body, value)) add("text", value);
      else if (name === "content") addContent(value);
      else add("json", value);
    }
  };

  return { addContent, add, addFixed, referencedTools, result: () => ({ units, fixedTokens }) };
}
