import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";

import { expect, it } from "vitest";

import { lockPath, underLock } from "./lock.ts";

it("lets one work at a time", async () => {
  const log: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name} ends`);
  };
  await Promise.all(["a", "b", "c"].map(async (name) => underLock("one at a time", work(name))));
  expect(log).toHaveLength(6);
  for (let index = 0; index < 6; index += 2) expect(log[index + 1]).toBe(log[index]?.replace("begins", "ends"));
});

it("goes to the next when the holder is killed before it has even accepted those who wait", async () => {
  const name = `killed holder ${process.pid}`;
  const program = `require("node:net").createServer().listen(process.argv[1], () => { process.stdout.write("held"); for (;;); });`;
  const holder = spawn(process.execPath, ["-e", program, lockPath(name)], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  const waiting = underLock(name, async () => "mine");
  // Who waits is in the queue of connections now, like this one, or soon.
  await once(
    connect(lockPath(name)).on("error", () => undefined),
    "connect",
  );
  holder.kill("SIGKILL");
  expect(await waiting).toBe("mine");
});
