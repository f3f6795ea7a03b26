/** What the phases are about when they are attacked: a request, a reply, an end, events. */

import { factIndex } from "../../core/sandbox/late-facts.ts";
import type { PartSource, PhaseCall } from "../../core/sandbox/sandbox.ts";
import { bodyOf, phaseCall } from "../helpers/sandboxes.ts";

const request = bodyOf({
  model: "claude-x",
  max_tokens: 10,
  system: "be brief",
  messages: [
    { role: "user", content: "hello" },
    { role: "assistant", content: [{ type: "text", text: "hi" }] },
    { role: "user", content: "go on" },
  ],
  tools: [{ name: "Bash", input_schema: { type: "object" } }],
});
const requestWithFacts: PartSource = {
  ...request,
  part: (name) => (name[1] === factIndex ? Buffer.from(name[0] === "hasImage" ? "false" : "[]") : request.part(name)),
};
const reply = JSON.stringify({ id: "msg_1", type: "message", role: "assistant", content: [{ type: "text", text: "hello" }] });
const completion = JSON.stringify({ outcome: "completed", status: 200, usage: {}, costUsd: null, totalMs: 5, attempts: 1 });

/** JSON texts. */
export const events: readonly string[] = ["one", "two"].map((text) =>
  JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
);

/** Where the request is seen, the late facts are left to be fetched, as they are in a proxy: so rules share the others. */
export function subjectOf(phase: PhaseCall["phase"]): Pick<PhaseCall, "context" | "body" | "subject"> {
  const context = { ...phaseCall([]).context, headers: [["user-agent", "test/1"]] as const };
  if (phase === "postCall") return { context, subject: reply };
  if (phase === "onComplete") return { context, subject: completion };
  const { toolNames: _names, toolTypes: _types, usedToolNames: _used, hasImage: _image, ...facts } = context.facts;
  return { context: { ...context, facts }, body: requestWithFacts };
}
