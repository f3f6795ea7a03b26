/** Tells a search that the host made: as the hub's vendor tells its own, a call and its result. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { seal } from "../../sdk/hub/envelope.ts";
import { type JsonRecord, record, text } from "../../sdk/hub/json.ts";
import type { ItemTeller, Telling } from "./telling.ts";
import { isList } from "./wire.ts";

/** What was searched for, and found, is known when it has ended. */
export function createSearchTeller({ writer, producer, note, searched }: Telling): ItemTeller {
  return {
    push() {},
    close(item) {
      const action = record(item?.["action"]);
      if (item === undefined || (action !== undefined && action["type"] !== "search")) {
        note("a page that was opened in the course of a search was left out");
        return;
      }
      searched();
      const id = searchId(text(item["id"]));
      writer.serverTool({ id, name: "web_search", input: { query: queryOf(action) } });
      writer.block({ type: "web_search_tool_result", tool_use_id: id, content: resultOf(item, action, producer) });
    },
  };
}

function searchId(id: string | undefined): string {
  return `srvtoolu_${(id ?? crypto.randomUUID()).replaceAll(/[^a-zA-Z0-9_]/g, "")}`;
}

function queryOf(action: JsonRecord | undefined): string {
  const queries = isList(action?.["queries"]) ? action["queries"].filter((query) => typeof query === "string") : [];
  return text(action?.["query"]) || queries.join("; ");
}

function resultOf(item: JsonRecord, action: JsonRecord | undefined, producer: string): Json {
  if (item["status"] === "failed") return { type: "web_search_tool_result_error", error_code: "unavailable" };
  const sources = isList(action?.["sources"]) ? action["sources"] : [];
  const urls = new Map<string, string>();
  for (const source of sources) {
    const url = text(record(source)?.["url"]);
    if (url !== undefined && !urls.has(url)) urls.set(url, text(record(source)?.["title"]) || titleOf(url));
  }
  return Array.from(urls, ([url, title]): JsonObject => ({
    type: "web_search_result",
    title,
    url,
    page_age: null,
    // The text of the page is not given; this says that it is not the hub's vendor's to read.
    encrypted_content: seal({ producer, payload: null }),
  }));
}

/** A source has an address only. */
function titleOf(url: string): string {
  return url
    .replace(/^https?:\/\/(?:www\.)?/, "")
    .replace(/[?#].*$/, "")
    .replace(/\/$/, "");
}
