/** Turns of a conversation as messages of the Converse wire. */

import { createHash } from "node:crypto";

import type {
  AssistantPart,
  CacheMark,
  ContentPart,
  DocumentPart,
  ImagePart,
  ThinkingPart,
  ToolResultPart,
  Turn,
} from "../../sdk/hub/conversation.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import type { WireBlock, WireCachePoint, WireDocument, WireImage, WireMessage, WireReasoning, WireText, WireToolResult } from "./wire.ts";

export interface ContentOptions {
  readonly names: ToolNames;
  readonly note: Note;
  /** Undefined where the model keeps no prefixes. */
  readonly cachePoint: ((mark: CacheMark) => WireCachePoint) | undefined;
  /** Images in results and the status of a result: documented for Claude and Nova only. */
  readonly richResults: boolean;
}

/** Blank texts are refused. Words stand for one rather than nothing: a turn of the user's may yet grow. */
const blank = "(blank)";
/** Beside a document a message must hold text; it stands before it, for what may come after it is not known yet. */
const documentLead = "Attached document:";

export function writeMessages(turns: readonly Turn[], options: ContentOptions): readonly WireMessage[] {
  const writer = new ContentWriter(options);
  return turns.flatMap((turn): readonly WireMessage[] => {
    // The reader puts what the system says in between into users' turns for this wire.
    if (turn.role === "system") return [];
    if (turn.role === "user") return [{ role: "user", content: writer.user(turn.parts) }];
    const said = turn.parts.flatMap((part) => writer.assistant(part));
    const isEmpty = said.every((block) => "cachePoint" in block || "reasoningContent" in block);
    return [{ role: "assistant", content: isEmpty ? [...said, { text: blank }] : said }];
  });
}

class ContentWriter {
  readonly #options: ContentOptions;
  /** Their names must differ, and are counted from the beginning so that they stay. */
  #documents = 0;

  constructor(options: ContentOptions) {
    this.#options = options;
  }

  user(parts: readonly (ContentPart | ToolResultPart)[]): readonly WireBlock[] {
    const blocks: WireBlock[] = [];
    /** Images that a result cannot hold here follow behind all results, which must stand first. */
    let held: WireBlock[] = [];
    for (const part of parts) {
      if (part.type === "tool_result") {
        const { block, images } = this.#result(part);
        blocks.push(block);
        held.push(...images);
      } else {
        blocks.push(...held);
        held = [];
        const block = this.#content(part);
        if ("document" in block && !blocks.some((known) => "text" in known)) blocks.push({ text: documentLead });
        blocks.push(block);
      }
      blocks.push(...this.#mark(part.cache));
    }
    return [...blocks, ...held];
  }

  assistant(part: AssistantPart): readonly WireBlock[] {
    if (part.type === "thinking") return writeReasoning(part);
    if (part.type === "text") return isBlank(part.text) ? [] : [{ text: part.text }, ...this.#mark(part.cache)];
    const toolUse = { toolUseId: wireToolId(part.id), name: this.#options.names.alias(part.name), input: part.input };
    return [{ toolUse }, ...this.#mark(part.cache)];
  }

  #mark(cache: CacheMark | undefined): readonly WireCachePoint[] {
    return cache === undefined || this.#options.cachePoint === undefined ? [] : [this.#options.cachePoint(cache)];
  }

  #content(part: ContentPart): WireText | WireImage | WireDocument {
    if (part.type === "image") return this.#image(part);
    if (part.type === "document") return this.#document(part);
    return { text: isBlank(part.text) ? blank : part.text };
  }

  #result(part: ToolResultPart): { readonly block: WireToolResult; readonly images: readonly WireBlock[] } {
    const { richResults, note } = this.#options;
    const written = part.content.map((inner) => this.#content(inner));
    const images = richResults ? [] : written.filter((block) => "image" in block);
    if (images.length > 0)
      note("images of tool results follow behind them, since this model's results hold none", { images: images.length });
    const content = richResults ? written : written.map((block) => ("image" in block ? { text: "[The image follows below.]" } : block));
    const toolUseId = wireToolId(part.id);
    if (!part.isError) return { block: { toolResult: { toolUseId, content } }, images };
    if (richResults) return { block: { toolResult: { toolUseId, content, status: "error" } }, images };
    return { block: { toolResult: { toolUseId, content: [{ text: "[The call failed:]" }, ...content] } }, images };
  }

  #image(part: ImagePart): WireImage | WireText {
    const format = imageFormats.get(part.mediaType);
    if (part.data !== undefined && format !== undefined) return { image: { format, source: { bytes: part.data } } };
    const ofUrl = part.url === undefined ? undefined : imageFormats.get(`image/${ending(part.url)}`);
    if (part.url?.startsWith("s3://") === true && ofUrl !== undefined)
      return { image: { format: ofUrl, source: { s3Location: { uri: part.url } } } };
    this.#options.note("an image was replaced by words: this wire takes png, jpeg, gif and webp, and no URLs");
    return {
      text: part.url === undefined ? "[An image was here of a type that cannot be passed on.]" : `[An image was here: ${part.url}]`,
    };
  }

  #document(part: DocumentPart): WireDocument | WireText {
    const format = documentFormats.get(part.mediaType);
    if (part.data !== undefined && format !== undefined) {
      this.#documents += 1;
      return { document: { format, name: documentName(part.title, this.#documents), source: { bytes: part.data } } };
    }
    this.#options.note("a document was replaced by words: this wire takes no URLs, and not all types");
    return {
      text: part.url === undefined ? "[A document was here of a type that cannot be passed on.]" : `[A document was here: ${part.url}]`,
    };
  }
}

function isBlank(words: string): boolean {
  return words.trim() === "";
}

const imageFormats: ReadonlyMap<string, "png" | "jpeg" | "gif" | "webp"> = new Map([
  ["image/png", "png"],
  ["image/jpeg", "jpeg"],
  ["image/jpg", "jpeg"],
  ["image/gif", "gif"],
  ["image/webp", "webp"],
]);

function ending(url: string): string {
  return url.slice(url.lastIndexOf(".") + 1).toLowerCase();
}

const documentFormats: ReadonlyMap<string, string> = new Map([
  ["application/pdf", "pdf"],
  ["text/csv", "csv"],
  ["text/html", "html"],
  ["text/markdown", "md"],
  ["text/plain", "txt"],
  ["application/msword", "doc"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"],
  ["application/vnd.ms-excel", "xls"],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"],
]);

const longestTitle = 100;

/** Letters, digits, single spaces, hyphens, parentheses and square brackets are all that a name may hold. */
function documentName(title: string | undefined, number: number): string {
  const clean = (title ?? "").slice(0, 4 * longestTitle).replaceAll(/[^a-zA-Z0-9()[\]-]+/g, " ");
  const words = clean.trim().slice(0, longestTitle).trim();
  return `${words === "" ? "Document" : words} ${number}`;
}

/** Of what was sealed here; anything else is not shown to a model that would refuse it. */
function writeReasoning({ text: words, payload }: ThinkingPart): readonly WireReasoning[] {
  const sealed = record(payload);
  const redacted = text(sealed?.["redacted"]);
  if (redacted !== undefined) return [{ reasoningContent: { redactedContent: redacted } }];
  const signature = text(sealed?.["signature"]);
  return signature === undefined ? [] : [{ reasoningContent: { reasoningText: { text: words, signature } } }];
}

/** What this wire seals. */
export type ReasoningPayload = { readonly signature: string } | { readonly redacted: string };

/** Up to 64 letters, digits, `_` and `-`: the hub's own alphabet, but shorter. The same id always gives the same one. */
export function wireToolId(id: string): string {
  if (/^[a-zA-Z0-9_-]{1,64}$/.test(id)) return id;
  return `call_${createHash("sha256").update(id).digest("hex").slice(0, 32)}`;
}
