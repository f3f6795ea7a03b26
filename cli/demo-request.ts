/** A request of the shape Claude Code sends, small enough to be read. */

import { randomUUID } from "node:crypto";

export interface DemoRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A streaming turn of a subagent that asks for `model`. */
export function demoRequest(model: string): DemoRequest {
  const session = randomUUID();
  const body = JSON.stringify({
    model,
    messages: [
      {
        role: "user",
        content: [{ type: "text", text: "List the files that mention the word proxy.", cache_control: { type: "ephemeral" } }],
      },
    ],
    system: [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.330.demo; cc_entrypoint=cli;" },
      { type: "text", text: "You are an agent for Claude Code. Do what was asked, nothing more.", cache_control: { type: "ephemeral" } },
    ],
    tools: ["Bash", "Glob", "Grep", "Read"].map((name) => ({
      name,
      description: `The tool ${name}.`,
      input_schema: { type: "object", properties: { input: { type: "string" } }, required: ["input"] },
    })),
    metadata: { user_id: JSON.stringify({ device_id: "demo", account_uuid: "", session_id: session }) },
    max_tokens: 32_000,
    thinking: { type: "adaptive", display: "omitted" },
    output_config: { effort: "medium" },
    stream: true,
  });
  return {
    path: "/v1/messages?beta=true",
    headers: {
      accept: "application/json",
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      // Not a key: the mock deployment needs none, and no other host is asked.
      "x-api-key": "demo",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
      "user-agent": "claude-cli/2.1.330 (external, cli)",
      "x-app": "cli",
      "x-stainless-retry-count": "0",
      "x-stainless-timeout": "600",
      "x-claude-code-session-id": session,
      "x-claude-code-request-class": "subagent",
      "x-claude-code-agent-type": "general-purpose",
      "x-claude-code-agent-id": "demo-agent",
    },
    body,
  };
}
