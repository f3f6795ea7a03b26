/** Searches and citations of the hub as `groundingMetadata`, https://ai.google.dev/gemini-api/docs/google-search. */

import type { JsonObject } from "../../sdk/events.ts";
import { text } from "../../sdk/hub/json.ts";
import { objects } from "./wire.ts";

export class GroundingMaker {
  readonly #queries: string[] = [];
  /** Titles by URL, in the order in which they were found. */
  readonly #pages = new Map<string, string>();
  readonly #supports: JsonObject[] = [];
  /** Bytes of UTF-8 of the text so far, in which segments are counted. */
  #bytes = 0;
  #start = 0;
  #pieces: string[] = [];
  #cited = new Set<string>();

  query(input: JsonObject): void {
    const query = text(input["query"]);
    if (query !== undefined && query !== "") this.#queries.push(query);
  }

  results(block: JsonObject): void {
    for (const result of objects(block["content"])) this.#page(result);
  }

  startText(): void {
    this.#start = this.#bytes;
    this.#pieces = [];
    this.#cited = new Set();
  }

  text(words: string): void {
    this.#bytes += Buffer.byteLength(words);
    this.#pieces.push(words);
  }

  citation(citation: JsonObject): void {
    const url = this.#page(citation);
    if (url !== undefined) this.#cited.add(url);
  }

  /** The whole of a block of text rests on what it cites. */
  endText(): void {
    if (this.#cited.size === 0) return;
    const urls = [...this.#pages.keys()];
    this.#supports.push({
      segment: { startIndex: this.#start, endIndex: this.#bytes, text: this.#pieces.join("") },
      groundingChunkIndices: [...this.#cited].map((url) => urls.indexOf(url)),
    });
    this.#cited = new Set();
  }

  metadata(): JsonObject | undefined {
    if (this.#queries.length === 0 && this.#pages.size === 0) return undefined;
    return {
      webSearchQueries: this.#queries,
      groundingChunks: Array.from(this.#pages, ([uri, title]) => ({ web: { uri, title } })),
      ...(this.#supports.length === 0 ? {} : { groundingSupports: this.#supports }),
    };
  }

  #page(found: JsonObject): string | undefined {
    const url = text(found["url"]);
    if (url !== undefined && !this.#pages.has(url)) this.#pages.set(url, text(found["title"]) ?? url);
    return url;
  }
}
