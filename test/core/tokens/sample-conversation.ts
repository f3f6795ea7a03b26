/** A request of Claude Code's shape made of the samples: real kinds of text in system, tools, thinking, calls and results. */

import { readFileSync } from "node:fs";

export function sample(name: string): string {
  return readFileSync(new URL(`./samples/${name}.txt`, import.meta.url), "utf8");
}

export function sampleConversation(model: string): Record<string, unknown> {
  const call = (id: string, name: string, input: unknown): unknown => ({ type: "tool_use", id, name, input });
  const result = (id: string, content: unknown): unknown => ({ type: "tool_result", tool_use_id: id, content });
  return {
    model,
    max_tokens: 64_000,
    stream: true,
    thinking: { type: "adaptive" },
    system: [
      { type: "text", text: sample("markdown"), cache_control: { type: "ephemeral" } },
      { type: "text", text: sample("prose-en") },
    ],
    tools: [
      {
        name: "Read",
        description:
          "Reads a file from the local filesystem. By default it reads up to 2000 lines from the beginning; pass offset and limit for more.",
        input_schema: {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          type: "object",
          properties: {
            file_path: { type: "string", description: "The absolute path of the file to read" },
            offset: { type: "integer", minimum: 0, description: "The line to start from" },
            limit: { type: "integer", exclusiveMinimum: 0, description: "How many lines to read" },
          },
          required: ["file_path"],
          additionalProperties: false,
        },
      },
      {
        name: "Bash",
        description: "Runs a command in a shell that keeps its working directory between calls. Quote paths that contain spaces.",
        input_schema: {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          type: "object",
          properties: { command: { type: "string" }, timeout: { type: "number" }, run_in_background: { type: "boolean" } },
          required: ["command"],
        },
      },
    ],
    messages: [
      { role: "user", content: "Why does the survey cut long words? Please look at the file and explain it in two sentences." },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: sample("prose-en"), signature: "c2ln" },
          { type: "text", text: "I will read the file first." },
          call("toolu_1", "Read", { file_path: "/srv/app/core/tokens/text-survey.ts", limit: 400 }),
        ],
      },
      { role: "user", content: [result("toolu_1", sample("source-ts"))] },
      {
        role: "assistant",
        content: [call("toolu_2", "Bash", { command: "git diff --stat HEAD~3 && ls -l core/tokens plugins/rules", timeout: 120_000 })],
      },
      {
        role: "user",
        content: [
          result("toolu_2", [
            { type: "text", text: sample("shell") },
            { type: "text", text: sample("diff") },
          ]),
        ],
      },
      { role: "assistant", content: [{ type: "text", text: sample("prose-de") }] },
      {
        role: "user",
        content: [
          { type: "text", text: sample("log") },
          { type: "text", text: "What about this log?", cache_control: { type: "ephemeral" } },
        ],
      },
    ],
  };
}
