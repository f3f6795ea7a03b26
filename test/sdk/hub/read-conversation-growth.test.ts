import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../sdk/events.ts";
import type { Conversation, ConversationOptions, Turn } from "../../../sdk/hub/conversation.ts";
import { readConversation } from "../../../sdk/hub/read-conversation.ts";
import { growingConversation, OWN_PRODUCER } from "../../helpers/random-conversation.ts";
import { hubTarget } from "../../helpers/hub-target.ts";

const target = hubTarget({ producer: OWN_PRODUCER });

function read(body: JsonObject, options: ConversationOptions): Conversation {
  return readConversation({ body, session: "s", estimatedInputTokens: 1 }, target, options, () => undefined);
}

/** Without marks, which wander. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value, (key, item) => (key === "cache" ? undefined : item)));
}

/** The parts in a row, each with the role it is said in. */
function said(turns: readonly Turn[]): readonly unknown[] {
  return turns.flatMap((turn): readonly unknown[] => (turn.role === "system" ? [turn] : turn.parts.map((part) => [turn.role, part])));
}

const modes: readonly ConversationOptions[] = [
  { midSystem: false, images: true, documents: true },
  { midSystem: true, images: false, documents: false },
];

describe.each(modes)("a conversation that grows, midSystem $midSystem", (options) => {
  it("begins with what it was, whatever it grows into", () => {
    fc.assert(
      fc.property(growingConversation, ({ bodies, isResent }) => {
        const read1 = bodies.map((body) => plain(read(body, options)));
        for (const [index, later] of read1.entries()) {
          const earlier = read1[index - 1];
          if (earlier === undefined) continue;
          expect(later.system).toEqual(earlier.system);
          expect(later.tools.slice(0, earlier.tools.length)).toEqual(earlier.tools);
          // Whoever says more before he was answered adds to his own turn.
          if (isResent) expect(said(later.turns).slice(0, said(earlier.turns).length)).toEqual(said(earlier.turns));
          else expect(later.turns.slice(0, earlier.turns.length)).toEqual(earlier.turns);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("has roles that alternate, results that answer their calls in order, and no empty part", () => {
    fc.assert(
      fc.property(growingConversation, ({ bodies }) => {
        const { turns } = read(bodies.at(-1) ?? {}, options);
        const spoken = turns.filter((turn) => turn.role !== "system");
        expect(spoken[0]?.role).toBe("user");
        for (const [index, turn] of spoken.entries()) {
          expect(turn.parts.length).toBeGreaterThan(0);
          const before = spoken[index - 1];
          const calls = before?.role === "assistant" ? before.parts.filter((part) => part.type === "tool_call") : [];
          if (turn.role === "assistant") {
            expect(before?.role).toBe("user");
            continue;
          }
          const results = turn.parts.filter((part) => part.type === "tool_result");
          expect(results.map(({ id, name }) => [id, name])).toEqual(calls.map(({ id, name }) => [id, name]));
          expect(turn.parts.slice(0, results.length)).toEqual(results);
          for (const part of [...turn.parts, ...results.flatMap(({ content }) => content)]) {
            if (part.type === "text") expect(part.text).not.toBe("");
            if (part.type === "tool_result") expect(part.content.length).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("bears at most four marks", () => {
    fc.assert(
      fc.property(growingConversation, ({ bodies }) => {
        const text = JSON.stringify(read(bodies.at(-1) ?? {}, options));
        expect(text.split('"cache":').length - 1).toBeLessThanOrEqual(4);
      }),
      { numRuns: 200 },
    );
  });
});
