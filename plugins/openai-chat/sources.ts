/** What a host's own search found, as the hub tells it: citations in the text, and the call of a search with its result. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { MessageWriter } from "../../sdk/hub/message-writer.ts";
import { hubToolId } from "../../sdk/hub/tool-ids.ts";

/** The hub's vendor cites at most so much of a page. */
const longestQuote = 150;

export class Sources {
  readonly #writer: MessageWriter;
  /** Stands where the hub's vendor has encrypted text of its own, so that nobody takes this for it. */
  readonly #sealed: string;
  /** By address, in the order in which they were found. */
  readonly #found = new Map<string, JsonObject>();

  constructor(writer: MessageWriter, producer: string) {
    this.#writer = writer;
    this.#sealed = seal({ producer, payload: null });
  }

  /** `annotations` of a delta or message. */
  cite(annotations: readonly Json[]): void {
    for (const annotation of annotations) {
      const citation = record(record(annotation)?.["url_citation"]);
      const url = text(citation?.["url"]);
      if (citation === undefined || url === undefined) continue;
      const title = text(citation["title"]) ?? url;
      this.#keep(url, title, undefined);
      const cited_text = (text(citation["content"]) ?? "").slice(0, longestQuote);
      this.#writer.citation({ type: "web_search_result_location", url, title, encrypted_index: this.#sealed, cited_text });
    }
  }

  /** `search_results` or `citations` of an event or reply: objects or mere addresses. */
  list(results: readonly Json[]): void {
    for (const result of results) {
      const found = record(result);
      const url = text(result) ?? text(found?.["url"]);
      if (url !== undefined) this.#keep(url, text(found?.["title"]) ?? url, text(found?.["date"]) ?? text(found?.["last_updated"]));
    }
  }

  /** The call and its result, once, for a client that asked for a search. @param query what was searched for, as far as is known */
  tell(query: string): void {
    if (this.#found.size === 0) return;
    const id = `srv${hubToolId(undefined)}`;
    this.#writer.serverTool({ id, name: "web_search", input: { query } });
    this.#writer.block({ type: "web_search_tool_result", tool_use_id: id, content: [...this.#found.values()] });
  }

  #keep(url: string, title: string, date: string | undefined): void {
    const before = this.#found.get(url);
    if (before !== undefined && (before["title"] !== url || title === url)) return;
    this.#found.set(url, { type: "web_search_result", url, title, encrypted_content: this.#sealed, page_age: date ?? null });
  }
}
