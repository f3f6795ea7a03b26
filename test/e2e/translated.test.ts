/**
 * The real Claude Code on hosts that do not speak its protocol, through a running `ccproxy start`.
 * Names of groups and tests are rows and columns of the second matrix in docs/compatibility.md.
 */

import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { claudeCodeTable, rowName } from "../compatibility/matrix.ts";
import { ruleFaults } from "../compatibility/outbound/rules.ts";
import { typeFaults, type SentBody } from "../compatibility/outbound/types.ts";
import { bedrockWire } from "../helpers/wires/bedrock.ts";
import { geminiWire } from "../helpers/wires/gemini.ts";
import { openaiChatWire } from "../helpers/wires/openai-chat.ts";
import { openaiResponsesWire } from "../helpers/wires/openai-responses.ts";
import { calls, says, type ReplyScript, type Script } from "../helpers/wires/script.ts";
import { startWire, type Asked, type AskedPart, type Wire, type WireHost } from "../helpers/wires/wire.ts";
import { installClaudeCode } from "./claude-code-package.ts";
import { apiKey, createSession, type Run, type Session } from "./claude-code.ts";

// A download of some 100 MB, once.
beforeAll(async () => void (await installClaudeCode()), 600_000);

interface Place {
  readonly wire: Wire;
  readonly params: object;
  /** What is behind the host's own address. */
  readonly path?: string;
  /** Whether the host searches the web. */
  readonly searches: boolean;
}

const places: readonly Place[] = [
  { wire: openaiChatWire, params: { model: "openai/gpt-4.1", api_key: "sk-deployment-key" }, path: "/v1", searches: false },
  { wire: openaiResponsesWire, params: { model: "openai/responses/gpt-6-sol", api_key: "sk-deployment-key" }, path: "/v1", searches: true },
  { wire: geminiWire, params: { model: "gemini/gemini-4-argon", api_key: "AIza-deployment-key" }, searches: true },
  {
    wire: bedrockWire,
    params: {
      model: "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      aws_access_key_id: "AKIAIOSFODNN7EXAMPLE",
      aws_secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      aws_region_name: "us-east-1",
    },
    searches: false,
  },
];

const turns = 20;
const image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const source = { url: "https://weather.example/oslo", title: "Weather in Oslo" };
const subagentPrompt = "Look around, and say what you found.";
const searchQuery = "weather in Oslo today";

const bash = (command: string): { readonly name: string; readonly input: Readonly<Record<string, unknown>> } => ({
  name: "Bash",
  input: { command, description: "a step" },
});

/** What the model does in the long session, request by request of the main conversation. */
function work(folder: string): readonly ReplyScript[] {
  return [
    ...Array.from({ length: turns }, (_, turn) => calls(bash(`echo "turn ${turn} ünï ☂ \\\\" | tee -a log.txt`))),
    calls(bash("echo one > one.txt; echo first"), bash("echo two > two.txt; echo second"), bash("ls /nowhere/at/all")),
    calls({
      name: "Agent",
      input: { description: "look", prompt: subagentPrompt, subagent_type: "general-purpose", run_in_background: false },
    }),
    calls({ name: "Read", input: { file_path: path.join(folder, "dot.png") } }),
    calls({ name: "ToolSearch", input: { query: "select:WebSearch", max_results: 1 } }),
    calls({ name: "WebSearch", input: { query: searchQuery } }),
    says("All done."),
  ];
}

function answer(asked: Asked, main: readonly ReplyScript[], step: () => number): Script {
  const text = userText(asked);
  // The search is a request of its own, with no tool but the vendor's.
  if (text.includes(`web search for the query: ${searchQuery}`)) {
    return {
      parts: [
        { type: "search", query: searchQuery, sources: [source] },
        { type: "text", text: "It rains in Oslo." },
      ],
    };
  }
  if (text.includes(subagentPrompt) && !text.includes("do the work")) return says("The subagent found nothing but rain.");
  return main[step()] ?? says("There is nothing left to do.");
}

function userText(asked: Asked): string {
  return asked.turns
    .flatMap((turn) => (turn.role === "user" ? turn.parts : []))
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("\n");
}

function resultsOf(asked: Asked | undefined): readonly Extract<AskedPart, { type: "result" }>[] {
  return asked?.turns.flatMap((turn) => turn.parts).filter((part) => part.type === "result") ?? [];
}

const sent: SentBody[] = [];

for (const place of places) {
  const { wire } = place;
  const row = claudeCodeTable.rows.find(({ upstream }) => upstream === wire.name);
  if (row === undefined) throw new Error(`no row for ${wire.name}`);
  describe(rowName(row), () => {
    let host: WireHost;
    let session: Session;
    let hello: Run;
    let long: Run;
    /** Requests of the main conversation of the long session. */
    let main: readonly Asked[] = [];

    const keep = (label: string): void => {
      for (const asked of host.asked) sent.push({ wire: wire.name, label, body: asked.body });
    };

    beforeAll(async () => {
      host = await startWire(wire, says("hello"));
      const params = { ...place.params, api_base: `${host.url}${place.path ?? ""}` };
      session = await createSession({ config: { model_list: [{ model_name: "default", litellm_params: params }] }, ccproxy: { port: 0 } });
      await writeFile(path.join(session.work, "dot.png"), Buffer.from(image, "base64"));
      const started = await session.ccproxy(["start", "--detach"]);
      if (started.exitCode !== 0) throw new Error(started.stderr);
      hello = await session.claude(["say hi"]);
      keep("hello");
      const script = work(session.work);
      const ofMain: Asked[] = [];
      host.script((asked) => answer(asked, script, () => ofMain.push(asked) - 1));
      long = await session.claude(["do the work", "--allowedTools", "Bash,Agent,Read,ToolSearch,WebSearch"]);
      keep("the long session");
      main = ofMain;
    }, 120_000);

    afterAll(async () => {
      await session.ccproxy(["stop"]);
      await session[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    });

    it("hello", () => {
      expect(hello).toMatchObject({ exitCode: 0, stdout: "hello\n", strays: [] });
    });

    it("20 turns of Bash", async () => {
      expect(long).toMatchObject({ exitCode: 0, stdout: "All done.\n", strays: [] });
      const log = (await readFile(path.join(session.work, "log.txt"), "utf8")).trim().split("\n");
      expect(log).toHaveLength(turns);
      expect(log[7]).toBe("turn 7 ünï ☂ \\");
      expect(resultsOf(main[turns]).map((result) => result.text)).toEqual(log);
      // Each turn repeats the ones before it to the letter, or the vendor's cache is lost.
      for (let turn = 1; turn < turns; turn++) {
        const [before, after] = [main[turn - 1]?.turns ?? [], main[turn]?.turns ?? []];
        expect(after.slice(0, before.length)).toEqual(before);
        // Reminders join in the middle, and stay there.
        expect(main[turn]?.system.startsWith(main[turn - 1]?.system ?? "-")).toBe(true);
        expect(main[turn]?.tools.slice(0, main[0]?.tools.length)).toEqual(main[0]?.tools);
      }
      expect(main[0]?.system).not.toContain("x-anthropic-billing-header");
    });

    it("parallel tools", async () => {
      expect(await readFile(path.join(session.work, "two.txt"), "utf8")).toBe("two\n");
      const results = resultsOf(main[turns + 1]).slice(turns);
      expect(results.map((result) => result.text)).toEqual(["first", "second", expect.stringContaining("No such file")]);
    });

    it("subagent", () => {
      expect(resultsOf(main[turns + 2]).at(-1)?.text).toContain("The subagent found nothing but rain.");
    });

    it("image", () => {
      const images = main[turns + 3]?.turns.flatMap((turn) => turn.parts).filter((part) => part.type === "image");
      expect(images).toHaveLength(1);
      expect(images?.[0]).toMatchObject({ mediaType: "image/png" });
    });

    it("web search", () => {
      const result = resultsOf(main[turns + 5]).at(-1)?.text;
      // What cannot search says so, instead of finding nothing.
      if (place.searches) expect(result).toContain(source.url);
      else expect(result).toMatch(/has no web search/);
    });

    it("what was sent follows the rules of the vendor", () => {
      for (const asked of main) expect(ruleFaults(wire.name, asked)).toEqual([]);
    });

    it("overflow", async () => {
      let overflows = 0;
      host.script((asked, index) => {
        if (index === 0) return calls(bash("echo a step"));
        if (overflows === 0) {
          overflows += 1;
          return { failure: "overflow" };
        }
        return /summary/i.test(userText(asked)) && !/continued from a previous conversation/i.test(userText(asked))
          ? says("<summary>One step was made.</summary>")
          : says("Done after all.");
      });
      const run = await session.claude(["make a step", "--allowedTools", "Bash"]);
      keep("overflow");
      expect(run).toMatchObject({ exitCode: 0, stdout: "Done after all.\n", strays: [] });
      expect(host.asked.length).toBeGreaterThanOrEqual(4);
    });

    it("broken stream", async () => {
      host.script([says("this answer is cut in its middle", { breakAfter: { pieces: 2, how: "error" } }), says("the whole of it")]);
      const retried = await session.claude(["say hi"]);
      expect(retried).toMatchObject({ exitCode: 0, stdout: "the whole of it\n", strays: [] });
      host.script(says("this answer is cut in its middle", { breakAfter: { pieces: 2, how: "cut" } }));
      const environment = { ANTHROPIC_API_KEY: apiKey, CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: "1", CLAUDE_CODE_MAX_RETRIES: "0" };
      const failed = await session.claude(["say hi"], { environment });
      expect(failed).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/^API Error: /), strays: [] });
    });
  });
}

it("what was sent is what the vendors' SDKs would send", async () => {
  expect(await typeFaults(sent)).toEqual([]);
});
