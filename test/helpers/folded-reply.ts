/** What the events of a reply come to, in the form in which fixtures say it. */

import { expect } from "vitest";

import type { JsonObject } from "../../sdk/events.ts";
import { AnthropicAssembler } from "../../sdk/hub/assemble.ts";

/**
 * The message, or its error; counts of caches and a stop sequence only where there are any.
 *
 * @param readable what a fixture says of a block, e.g. sealed text as what it holds
 */
export function foldedReply(events: readonly JsonObject[], readable: (block: never) => unknown): unknown {
  const last = events.at(-1);
  if (last?.["type"] === "error") return { error: last["error"] };
  const assembler = new AnthropicAssembler();
  for (const event of events) assembler.push(event);
  expect(assembler.complete).toBe(true);
  const message = JSON.parse(assembler.message() ?? "null");
  const { cache_creation_input_tokens: written, cache_read_input_tokens: read, ...counts } = message.usage;
  return {
    content: message.content.map(readable),
    stop_reason: message.stop_reason,
    usage: {
      ...counts,
      ...(written > 0 ? { cache_creation_input_tokens: written } : {}),
      ...(read > 0 ? { cache_read_input_tokens: read } : {}),
    },
    ...(message.stop_sequence === null ? {} : { stop_sequence: message.stop_sequence }),
  };
}
