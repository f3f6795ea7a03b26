/** The events of a translated reply, mended where their deployment asks for it. */

import type { RequestBody } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { record, text } from "../../sdk/hub/json.ts";
import type { Note } from "../../sdk/wire.ts";
import type { Deployment } from "../routing/deployment.ts";
import { type EventSource, TranslatedEvent } from "../stream/event-source.ts";
import type { EventFilter } from "./filters/event-filter.ts";
import { createTextToolCalls } from "./filters/text-tool-calls.ts";
import { createToolRepair } from "./filters/tool-repair.ts";

export function isFiltered({ params }: Deployment): boolean {
  return params["tool_repair"] === true || params["tool_calls_in_text"] === true;
}

/** `tool_repair` and `tool_calls_in_text` of the deployment. @param request of the hub, whose tools may be called */
export function filtersFor({ params }: Deployment, request: () => RequestBody, note: Note): readonly EventFilter[] {
  const isRepaired = params["tool_repair"] === true;
  const isInText = params["tool_calls_in_text"] === true;
  if (!isRepaired && !isInText) return [];
  const schemas = schemasOf(request());
  return [
    ...(isInText ? [createTextToolCalls({ names: new Set(schemas.keys()), note })] : []),
    ...(isRepaired ? [createToolRepair({ schemas, note })] : []),
  ];
}

function schemasOf(request: RequestBody): ReadonlyMap<string, JsonObject> {
  const tools = request.value("tools");
  return new Map(
    (Array.isArray(tools) ? tools : []).flatMap((tool) => {
      const name = text(record(tool)?.["name"]);
      return name === undefined ? [] : [[name, record(record(tool)?.["input_schema"]) ?? {}] as const];
    }),
  );
}

/** @param filters asked one after the other; with none, the same source */
export function filterEvents(source: EventSource, filters: readonly EventFilter[]): EventSource {
  return filters.reduce(filterBy, source);
}

function filterBy(source: EventSource, filter: EventFilter): EventSource {
  let isOver = false;
  return {
    close: () => source.close(),
    async next() {
      while (!isOver) {
        const batch = await source.next();
        isOver = batch === undefined;
        const events =
          batch === undefined ? filter.end() : batch.flatMap(({ value }) => (value === undefined ? [] : [...filter.push(value)]));
        if (events.length > 0) return events.map((event) => new TranslatedEvent(event));
      }
      return undefined;
    },
  };
}
