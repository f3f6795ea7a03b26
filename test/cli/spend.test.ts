import { mkdir, writeFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";

import { describe, expect, test } from "vitest";

import spendCommand from "../../cli/commands/spend.ts";
import { processStartMark } from "../../cli/liveness.ts";
import { stateFilePath, type ServerState } from "../../cli/state-file.ts";
import { dayMs, noon, spend, startSpendServer, type SpendServer } from "../core/endpoints/spend-server.ts";
import { createHome, type Home } from "./command-line.ts";

const controlToken = "control-token-of-this-test";

/** A home folder whose state file names a server of this process. */
async function homeOfServer(): Promise<{ readonly home: Home; readonly server: SpendServer }> {
  const server = await startSpendServer("sqlite", {
    guard: async (ctx, next) => {
      if (ctx.get("x-ccproxy-token") === controlToken) await next();
      else ctx.status = 401;
    },
    also: (router) => {
      router.get("/ccproxy/status", (ctx) => {
        ctx.body = { name: "ccproxy", instance: "inst_1" };
      });
    },
  });
  const home = await createHome();
  await mkdir(home.directory, { mode: 0o700 });
  const { hostname, port } = new URL(server.url);
  const state: ServerState = {
    claim: "claim",
    pid: process.pid,
    startMark: await processStartMark(),
    startedAt: "2026-11-23T00:00:00.000Z",
    version: "1.0.0",
    mode: "foreground",
    requested: {},
    server: { host: hostname, port: Number(port), url: server.url, instance: "inst_1", controlToken },
  };
  await writeFile(stateFilePath(home.directory), JSON.stringify(state), { mode: 0o600 });
  return { home, server };
}

async function fill({ ledger }: SpendServer): Promise<void> {
  await spend(ledger, {
    id: "a",
    start: { session: "long-session-name-0123456789-0123456789-0123456789" },
    end: { cost: 2e9, costAsAsked: 5e9 },
  });
  await spend(ledger, { id: "b", start: { session: "=HYPERLINK(1)" }, end: { cost: 1e9, costAsAsked: 5e8 } });
  await spend(ledger, { id: "c", start: { session: "s,3" }, end: { cost: null, costAsAsked: null } });
  await spend(ledger, { id: "d", start: { startedAt: noon - 8 * dayMs }, end: { isCacheHit: true, cost: 0, costAsAsked: 1e9 } });
}

describe("ccproxy spend", () => {
  test("per session: what each cost, what routing saved, and unknown costs in words", async () => {
    const { home, server } = await homeOfServer();
    await fill(server);
    const { code, stdout, stderr } = await home.ccproxy(["spend", "--by", "session", "--since", "all"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`Spend by session since the beginning

session                                                cost                            requests   saved  tokens
long-session-name-0123456789-0123456789-0123456789    $2.00  ########################         1   $3.00     138
=HYPERLINK(1)                                         $1.00  ############                     1  -$0.50     138
(none)                                                   $0                                   1   $1.00     138
s,3                                                 unknown                                   1       -     138
total                                                 $3.00                                   4   $3.50     552  + 1 unknown

The cost of 1 request is not known and is in none of these sums.
Routing saved $3.50 against the models that were asked for.
The cache answered 1 request.
`);
  });

  test("by model and of the last week, unless it is told otherwise", async () => {
    const { home, server } = await homeOfServer();
    await fill(server);
    const { stdout } = await home.ccproxy(["spend", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      by: "model",
      from: "2026-11-16T12:00:00.000Z",
      rows: [{ name: "claude-haiku-5-5", requests: 3, cost_usd: 3, unknown_cost_requests: 1 }],
      total: { requests: 3 },
    });
    expect((await home.ccproxy(["spend", "--since", "1m"])).stdout).toBe("Spend by model since 2026-11-23 11:59 UTC: no requests\n");
  });

  test("CSV that no spreadsheet runs, with empty cells for what is not known", async () => {
    const { home, server } = await homeOfServer();
    await fill(server);
    const { stdout } = await home.ccproxy(["spend", "--by", "session", "--csv"]);
    expect(stdout)
      .toBe(`session,requests,cost_usd,unknown_cost_requests,saved_usd,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,reasoning_tokens,cache_hits
long-session-name-0123456789-0123456789-0123456789,1,2,0,3,10,5,100,23,2,0
'=HYPERLINK(1),1,1,0,-0.5,10,5,100,23,2,0
"s,3",1,,1,,10,5,100,23,2,0
`);
  });

  test.each([60, 80, 140])("at a terminal of %i columns no line is longer, and bars have eighths", async (columns) => {
    const { home, server } = await homeOfServer();
    await fill(server);
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns });
    const env = { LANG: "en_US.UTF-8" };
    const context = { env, cwd: home.home, stdin: new PassThrough(), stdout, stderr: new PassThrough(), entry: "" };
    const code = await spendCommand(context, { configDir: home.directory, by: "session", since: "7d" });
    stdout.end();
    const shown = stripVTControlCharacters(await text(stdout));
    expect(code).toBe(0);
    for (const line of shown.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    expect(shown).toContain("█");
    expect(shown).not.toContain("#");
    expect(shown).toContain(columns < 100 ? "…" : "long-session-name-0123456789-0123456789-0123456789");
    expect(shown).toMatch(/^total +\$3\.00/m);
  });

  test("without a server it says so", async () => {
    const home = await createHome();
    const { code, stdout, stderr } = await home.ccproxy(["spend"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain('no server runs that could know what was spent; "ccproxy start" starts one');
  });

  test.each([
    [["--by", "weather"], "weather"],
    [["--csv", "--json"], "cannot be used with"],
  ])("wrong use: %j", async (args, wanted) => {
    const home = await createHome();
    const { code, stderr } = await home.ccproxy(["spend", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(wanted);
  });

  test("what the server cannot read is told by name", async () => {
    const { home } = await homeOfServer();
    const { code, stdout, stderr } = await home.ccproxy(["spend", "--since", "lately"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('since: found "lately", wanted a duration such as 24h, 7d or 1mo');
  });
});
