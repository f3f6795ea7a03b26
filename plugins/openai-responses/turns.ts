/** Gathers blocks into turns that the hub's vendor takes. */

import type { Json } from "../../sdk/body.ts";
import type { JsonObject } from "../../sdk/events.ts";
import { reminder } from "../../sdk/hub/read-blocks.ts";
import { text } from "../../sdk/hub/json.ts";

type Run =
  | { readonly role: "user"; readonly results: Map<string, readonly JsonObject[]>; readonly blocks: JsonObject[] }
  | { readonly role: "assistant"; readonly blocks: JsonObject[] }
  | { readonly role: "system"; readonly blocks: JsonObject[] };

/** What stands where nothing was said, and something has to. */
const nothingSaid = { type: "text", text: "(no content)" };
const neverReturned = "[No result of this call was passed on.]";

export class Turns {
  readonly #system: JsonObject[] = [];
  readonly #runs: Run[] = [];

  user(blocks: readonly JsonObject[]): void {
    this.#userRun().blocks.push(...blocks);
  }

  /** Of several results of one call the last one counts. */
  result(id: string, content: readonly JsonObject[]): void {
    this.#userRun().results.set(id, content);
  }

  assistant(blocks: readonly JsonObject[]): void {
    const last = this.#runs.at(-1);
    if (last?.role === "assistant") last.blocks.push(...blocks);
    else if (blocks.length > 0) this.#runs.push({ role: "assistant", blocks: [...blocks] });
  }

  system(blocks: readonly JsonObject[]): void {
    if (blocks.length === 0) return;
    const last = this.#runs.at(-1);
    if (last === undefined) this.#system.push(...blocks);
    else if (last.role === "system") last.blocks.push(...blocks);
    else this.#runs.push({ role: "system", blocks: [...blocks] });
  }

  end(): { readonly system: readonly JsonObject[]; readonly messages: readonly JsonObject[] } {
    const messages: { role: string; content: JsonObject[] }[] = [];
    /** Of the assistant's last turn. */
    let calls: readonly string[] = [];
    const say = (role: string, content: readonly JsonObject[]): void => {
      const last = messages.at(-1);
      if (last?.role === role) last.content.push(...content);
      else messages.push({ role, content: [...content] });
    };
    for (const [index, run] of this.#runs.entries()) {
      const before = messages.at(-1);
      if (run.role === "assistant") {
        if (before === undefined) say("user", [nothingSaid]);
        say("assistant", run.blocks);
        calls = messages.at(-1)?.content.flatMap((block) => (block["type"] === "tool_use" ? [text(block["id"]) ?? ""] : [])) ?? [];
      } else if (run.role === "user") {
        const content = [...results(calls, run.results), ...run.blocks];
        // Results come before all else of the turn, even what the system said in between.
        if (content.length > 0) say("user", content);
        calls = [];
      } else if (before?.role === "user" && this.#runs[index + 1]?.role !== "user") {
        messages.push({ role: "system", content: run.blocks });
      } else {
        // The hub has the role behind a user's turn only; elsewhere its words stand in the user's.
        const next = this.#runs[index + 1];
        const words = run.blocks.map((block) => ({ type: "text", text: reminder(text(block["text"]) ?? "") }));
        if (calls.length > 0 && next?.role === "user") next.blocks.unshift(...words);
        else say("user", [...results(calls, new Map()), ...words]);
        if (next?.role !== "user") calls = [];
      }
    }
    if (calls.length > 0) say("user", results(calls, new Map()));
    return messages.length > 0 ? { system: this.#system, messages } : this.#alone();
  }

  /** A request may consist of what the system says. */
  #alone(): ReturnType<Turns["end"]> {
    const last = this.#system.at(-1);
    if (last === undefined) return { system: [], messages: [] };
    return { system: this.#system.slice(0, -1), messages: [{ role: "user", content: [last] }] };
  }

  #userRun(): Extract<Run, { readonly role: "user" }> {
    const last = this.#runs.at(-1);
    if (last?.role === "user") return last;
    const run = { role: "user" as const, results: new Map<string, readonly JsonObject[]>(), blocks: [] };
    this.#runs.push(run);
    return run;
  }
}

/** In the order of their calls, and each call has one; a result that no call asked for is kept as text. */
function results(calls: readonly string[], given: ReadonlyMap<string, readonly JsonObject[]>): readonly JsonObject[] {
  const asked = new Set(calls);
  const answers = calls.map((id): JsonObject => {
    const content = given.get(id);
    if (content === undefined) return { type: "tool_result", tool_use_id: id, content: neverReturned, is_error: true };
    return { type: "tool_result", tool_use_id: id, content: plain(content) };
  });
  const orphans = Array.from(given).flatMap(([id, content]) =>
    asked.has(id) ? [] : [{ type: "text", text: "[Result of an earlier tool call:]" }, ...content],
  );
  return [...answers, ...orphans];
}

/** One text is said as a text. */
function plain(content: readonly JsonObject[]): Json {
  const [only, ...others] = content;
  if (only === undefined) return "";
  return only["type"] === "text" && others.length === 0 ? (only["text"] ?? "") : content;
}
