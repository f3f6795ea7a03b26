import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { readHostProgram } from "../../../core/sandbox-program.ts";
import type { Sandbox } from "../../../core/sandbox/sandbox.ts";
import { bodyOf, openSandbox, phaseCall, streamCall, unitsOf } from "../../helpers/sandboxes.ts";

/** Some 20 ms of work, which no clock of the wall can shorten. */
const work = "for (let i = 0; i < 400000; i++) globalThis.x = i;";

/** Takes the processor away from the host that works, as a busy machine does, for longer than a slice. */
async function starve(sandbox: Sandbox, afterMs: number): Promise<void> {
  const pid = sandbox.status().active?.pid ?? 0;
  await delay(afterMs);
  process.kill(pid, "SIGSTOP");
  await delay(120);
  process.kill(pid, "SIGCONT");
}

it("a rule that was not let run is run again, not blamed", async () => {
  const sandbox = openSandbox({ hostProgram: readHostProgram });
  const code = `var __exports = { default: () => { ${work} return true; } };`;
  const program = await sandbox.load(unitsOf([code, `${code}// another`], {}, "rule"));
  const body = bodyOf({ messages: [] });
  for (const units of [[0], [0, 1]]) {
    for (let round = 0; round < 6; round++) {
      const running = program.run(phaseCall(units, { phase: "rule", body }));
      await starve(sandbox, 3 + 3 * round);
      expect(await running).toMatchObject([{ unit: 0, verdict: true }]);
    }
  }
  expect(sandbox.status()).toMatchObject({ kills: 0, crashes: 0 });
});

it("a hook of events that was not let run is run again, and misses none", async () => {
  const sandbox = openSandbox({ hostProgram: readHostProgram });
  const code = `var __exports = { default: { onEvent(event) { ${work} event.seen = true; } } };`;
  const program = await sandbox.load(unitsOf([code]));
  const stream = program.openStream(streamCall([0]));
  for (let round = 0; round < 6; round++) {
    const pushed = stream.push(['{"type":"ping"}']);
    await starve(sandbox, 3 + 3 * round);
    expect((await pushed).events).toEqual([['{"type":"ping","seen":true}']]);
  }
  stream.close();
  expect(sandbox.status()).toMatchObject({ kills: 0, crashes: 0 });
});

it("one that runs without an end is still found, starved or not", async () => {
  const sandbox = openSandbox({ hostProgram: readHostProgram });
  const program = await sandbox.load(unitsOf(["var __exports = { default: () => { for (;;); } };"], {}, "rule"));
  const running = program.run(phaseCall([0], { phase: "rule", body: bodyOf({ messages: [] }) }));
  await starve(sandbox, 10);
  expect(await running).toMatchObject([{ unit: 0, error: { kind: "timeout" } }]);
});
