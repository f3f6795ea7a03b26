/**
 * What leaves for an upstream, checked against the types of the vendor's own SDK: every body is written down as a literal of
 * that type, and the compiler is asked once about all of them. Literals are held to know no field that the type does not have.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import type { WireName } from "../../helpers/wires/wire.ts";

export interface SentBody {
  readonly wire: WireName;
  /** Which test it was. */
  readonly label: string;
  readonly body: unknown;
}

const root = path.resolve(import.meta.dirname, "../../..");

/** What is sent on purpose and the SDK's types do not have, each with its reason. */
const preamble = `
import type { MessageCreateParams } from "@anthropic-ai/sdk/resources/messages";
import type { MessageCreateParams as BetaMessageCreateParams } from "@anthropic-ai/sdk/resources/beta/messages";
import type { Content, GenerationConfig, SafetySetting, Tool, ToolConfig } from "@google/genai";
import type { ConverseStreamRequest } from "@aws-sdk/client-bedrock-runtime";
import type { ChatCompletionAssistantMessageParam, ChatCompletionCreateParams, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type { ResponseCreateParams } from "openai/resources/responses/responses";

/** The SDKs of Google and AWS have enums and bytes where the wire has strings. */
type Wire<T> = unknown extends T ? T
  : T extends Uint8Array ? string
  : T extends string ? \`\${T}\`
  : T extends readonly (infer Item)[] ? Wire<Item>[]
  : T extends object ? { [Key in keyof T]: Wire<T[Key]> }
  : T;
type Changed<T, Changes> = T extends unknown ? Omit<T, keyof Changes> & Changes : never;

/** \`reasoning_content\` is what hosts that show their thoughts want back: https://api-docs.deepseek.com/guides/thinking_mode */
type ThoughtfulMessage = ChatCompletionMessageParam | (ChatCompletionAssistantMessageParam & { reasoning_content?: string });
/** \`thinking\` turns the thoughts of DeepSeek and others on and off: https://api-docs.deepseek.com/guides/thinking_mode */
type openaichat = Changed<ChatCompletionCreateParams, { messages: ThoughtfulMessage[]; thinking?: { type: "enabled" | "disabled" } }>;
type openairesponses = ResponseCreateParams;
type gemini = Wire<{
  contents: Content[];
  systemInstruction?: Content;
  tools?: Tool[];
  toolConfig?: ToolConfig;
  generationConfig?: GenerationConfig;
  safetySettings?: SafetySetting[];
  cachedContent?: string;
}>;
type bedrockconverse = Omit<Wire<ConverseStreamRequest>, "modelId">;
type anthropic = MessageCreateParams | BetaMessageCreateParams;
`;

/**
 * @returns one line for each fault, with the label of its test; none when all bodies are what the vendors' SDKs would send
 * @throws Error when the compiler itself does not run
 */
export async function typeFaults(sent: readonly SentBody[]): Promise<readonly string[]> {
  const cache = path.join(root, ".cache");
  await mkdir(cache, { recursive: true });
  // Within the checkout, so that the SDKs are found.
  const folder = await mkdtemp(path.join(cache, "outbound-"));
  try {
    const { source, labels } = write(sent);
    await writeFile(path.join(folder, "bodies.ts"), source);
    const compilerOptions = {
      target: "es2024",
      lib: ["es2024"],
      module: "nodenext",
      types: ["node"],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    };
    await writeFile(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["bodies.ts"] }));
    const output = await compile(folder);
    return output
      .split("\n")
      .filter((line) => line.includes("error TS"))
      .map((line) => {
        const row = Number(/bodies\.ts\((\d+),/.exec(line)?.[1] ?? 0);
        return `${labels.findLast((label) => label.row <= row)?.label ?? "the preamble"}: ${line.replace(/^.*?error /, "")}`;
      });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function write(sent: readonly SentBody[]): {
  readonly source: string;
  readonly labels: readonly { readonly row: number; readonly label: string }[];
} {
  const lines = preamble.split("\n");
  const labels: { row: number; label: string }[] = [];
  const known = new Set<string>();
  for (const { wire, label, body } of sent) {
    const literal = JSON.stringify(body, shortened, 1);
    const key = `${wire} ${literal}`;
    if (known.has(key)) continue;
    known.add(key);
    labels.push({ row: lines.length + 1, label: `${label} (${wire})` });
    lines.push(...`export const body${known.size}: ${wire.replaceAll("-", "")} = ${literal};`.split("\n"));
  }
  return { source: lines.join("\n"), labels };
}

/** Long texts say nothing about types, and would make bodies differ that are alike. */
function shortened(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.length > 64 ? "a long text" : value;
}

async function compile(folder: string): Promise<string> {
  const compiler = path.join(root, "node_modules/typescript/bin/tsc");
  const child = spawn(process.execPath, [compiler, "--project", folder, "--pretty", "false"], { stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (piece: string) => output.push(piece));
  const [code]: unknown[] = await once(child, "close");
  const text = output.join("");
  if (code !== 0 && !text.includes("error TS")) throw new Error(`the compiler failed: ${text}`);
  return text;
}
