/**
 * What a search of the upstream's own found, as the hub tells it: the query, the pages, and what of the text they bear
 * out. Fields: https://ai.google.dev/gemini-api/docs/google-search (grounding metadata).
 */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import { field, objects } from "./wire.ts";

export interface Grounding {
  /** None where the model did not search. */
  readonly queries: readonly string[];
  /** Blocks of type `web_search_result`. */
  readonly results: readonly JsonObject[];
  /** Of type `web_search_result_location`. */
  readonly citations: readonly JsonObject[];
}

export interface GroundingOptions {
  /** All text of the reply so far: segments are counted in its bytes. */
  readonly words: string;
  /** What stands where the hub's vendor would encrypt the content of a page. */
  readonly opaque: string;
}

export function readGrounding(metadata: JsonObject, { words, opaque }: GroundingOptions): Grounding {
  // Indices mean places in the whole list, so that what is no web page keeps its place.
  const pages = objects(field(metadata, "groundingChunks")).map(pageOf);
  const queries = field(metadata, "webSearchQueries");
  return {
    queries: Array.isArray(queries) ? queries.filter((query: Json): query is string => typeof query === "string") : [],
    results: pages.flatMap((page) =>
      page === undefined
        ? []
        : [{ type: "web_search_result", url: page.url, title: page.title, encrypted_content: opaque, page_age: null }],
    ),
    citations: objects(field(metadata, "groundingSupports")).flatMap((support) => citationsOf(support, { pages, words, opaque })),
  };
}

interface Page {
  readonly url: string;
  readonly title: string;
}

function pageOf(chunk: JsonObject): Page | undefined {
  const web = record(chunk["web"]);
  const url = text(web?.["uri"]);
  return url === undefined ? undefined : { url, title: text(web?.["title"]) ?? url };
}

interface CitationOptions extends GroundingOptions {
  readonly pages: readonly (Page | undefined)[];
}

function citationsOf(support: JsonObject, { pages, words, opaque }: CitationOptions): readonly JsonObject[] {
  const segment = record(support["segment"]) ?? {};
  const cited = text(segment["text"]) ?? sliceBytes(words, field(segment, "startIndex"), field(segment, "endIndex"));
  const indices = field(support, "groundingChunkIndices");
  if (cited === "" || !Array.isArray(indices)) return [];
  return indices.flatMap((index: Json) => {
    const page = typeof index === "number" ? pages[index] : undefined;
    if (page === undefined) return [];
    return [{ type: "web_search_result_location", url: page.url, title: page.title, cited_text: cited, encrypted_index: opaque }];
  });
}

/** Offsets count bytes of UTF-8, the end exclusive; a start of 0 is left out on the wire. */
function sliceBytes(words: string, start: Json | undefined, end: Json | undefined): string {
  if (typeof end !== "number") return "";
  return Buffer.from(words)
    .subarray(typeof start === "number" ? start : 0, end)
    .toString("utf8");
}
