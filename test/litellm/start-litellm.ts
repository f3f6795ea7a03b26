/** LiteLLM's proxy as a gateway to be asked: a process of its own, with a folder of its own. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { stringify } from "yaml";

import { freePort, startServerProcess } from "../../bench/process.ts";
import { litellmCommand, litellmReadyPath } from "../../scripts/litellm.ts";
import { waitReally } from "./outcome.ts";
import type { StartGateway } from "./run-suite.ts";

/** @param program as `installLitellm` returns it */
export function litellmStarter(program: string): StartGateway {
  return async (config) => {
    const outer = mkdtempSync(path.join(tmpdir(), "ccproxy-litellm-"));
    const home = path.join(outer, "home");
    mkdirSync(home);
    const file = path.join(home, "config.yaml");
    writeFileSync(file, stringify(config));
    const port = await freePort();
    const ready = { port, path: litellmReadyPath, timeoutMs: 120_000 };
    const remove = (): void => rmSync(outer, { recursive: true, force: true });
    try {
      const running = await startServerProcess(
        litellmCommand(program, { config: file, port, home }),
        ready,
        path.join(outer, "output.log"),
      );
      return {
        url: `http://127.0.0.1:${port}`,
        wait: waitReally,
        async [Symbol.asyncDispose]() {
          await running.stop();
          remove();
        },
      };
    } catch (error) {
      remove();
      throw error;
    }
  };
}
