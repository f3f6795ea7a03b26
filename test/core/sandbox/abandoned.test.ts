import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it, vi } from "vitest";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it("hosts do not outlive a proxy that was killed, whatever they are at work on", async () => {
  const program = fileURLToPath(new URL("../../helpers/abandoned-host.ts", import.meta.url));
  const proxy = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line]: Buffer[] = await once(proxy.stdout, "data");
  const pids = String(line).trim().split(" ").map(Number);
  expect(pids.filter(isAlive)).toHaveLength(2);
  const isOver = once(proxy, "exit");
  proxy.kill("SIGKILL");
  await isOver;
  await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 10_000 });
});
