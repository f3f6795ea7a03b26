import { rm } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Exchange } from "../../core/exchange.ts";
import type { LoadedUnit, UserProgram } from "../../core/phases/user-program.ts";
import { createRegistry } from "../../core/registry.ts";
import { buildSnapshot, type LoadUserProgram } from "../../core/snapshot.ts";
import { Snapshots } from "../../core/snapshots.ts";
import { builtinPlugins } from "../../plugins/index.ts";
import { ask, openAnswer } from "../helpers/client.ts";
import { loadedConfig } from "../helpers/config.ts";
import { statusOf, untilIdle } from "../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { jsonReply, streamReply } from "../helpers/replies.ts";
import { silent } from "../helpers/silent.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

let upstream: Upstream;
beforeEach(async () => void (upstream = await startUpstream(jsonReply({ ok: true }))));
afterEach(() => upstream.close());

const bodyFor = (model: string): string => JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }] });
const labels = ["a", "b", "plain"];
const config = (): unknown => ({ model_list: labels.map((label) => deployment(label, upstream.url)) });

/** Two files that say the same version, in two phases: whoever sees two versions in one request has mixed them. */
function version(number: number): Readonly<Record<string, string>> {
  const define = 'import { defineHook } from "ccproxy/sdk"; export default defineHook({';
  return {
    "hooks/first.ts": `${define} preCall(request) { request.metadata = { first: ${number} }; } });`,
    "hooks/second.ts": `${define} preUpstream(request) { request.metadata.second = ${number}; } });`,
  };
}

async function save(proxy: Proxy, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await proxy.write(name, text);
}

async function untilStatus(proxy: Proxy, isSo: (status: Awaited<ReturnType<typeof statusOf>>) => boolean): Promise<void> {
  while (!isSo(await statusOf(proxy)));
}

describe("reloads under load", () => {
  it("lose no request and mix no two versions, those of 200 requests in flight included", async () => {
    const goAhead = Promise.withResolvers<void>();
    upstream.script(async (request) => {
      const { model, metadata } = request.json() as { model: string; metadata: unknown };
      return model === "plain" ? streamReply({ stallAfter: { events: 3 }, stallUntil: goAhead.promise }) : jsonReply({ metadata });
    });
    await using proxy = await startProxy({ config: config(), files: version(0) });
    const held = await Promise.all(Array.from({ length: 200 }, () => openAnswer(proxy.url, bodyFor("plain"))));
    const load = { isOn: true, asked: 0 };
    const wrong: string[] = [];
    const seen = new Set<number>();
    async function client(): Promise<void> {
      while (load.isOn) {
        const answer = await ask(proxy.url, bodyFor("a"));
        load.asked++;
        const { metadata } = answer.json() as { metadata: { first: number; second: number } };
        if (answer.status !== 200 || metadata.first !== metadata.second) wrong.push(answer.text);
        seen.add(metadata.first);
      }
    }
    const clients = Array.from({ length: 8 }, () => client());
    for (let number = 1; number <= 100; number++) {
      await save(proxy, version(number));
      await proxy.reload();
      const before = load.asked;
      while (load.asked < before + 10) await new Promise((resolve) => void setImmediate(resolve));
    }
    load.isOn = false;
    await Promise.all(clients);
    expect(wrong).toEqual([]);
    expect([...seen].sort((one, other) => one - other).at(-1)).toBe(100);
    expect(seen.size).toBeGreaterThan(80);
    goAhead.resolve();
    expect(await Promise.all(held.map(({ ended }) => ended))).toEqual(held.map(() => "clean"));
    expect(held.filter(({ status, text }) => status !== 200 || !text.includes("message_stop"))).toEqual([]);
    await untilIdle(proxy);
    expect((await statusOf(proxy)).userCode.sandbox).toMatchObject({ kills: 0, crashes: 0 });
  }, 120_000);
});

describe("versions", () => {
  const registry = createRegistry(builtinPlugins);

  /** Programs that tell when they are released. */
  function countReleases(): { readonly load: LoadUserProgram; readonly released: number[] } {
    const released: number[] = [];
    let made = 0;
    const load: LoadUserProgram = async () => {
      const number = ++made;
      let holders = 0;
      const units: readonly LoadedUnit[] = [];
      const program: UserProgram = {
        units,
        hooks: () => units,
        retain() {
          holders++;
          let isHeld = true;
          return () => {
            if (isHeld && --holders === 0) released.push(number);
            isHeld = false;
          };
        },
        program: {
          manifests: [],
          run: () => Promise.reject(new Error("not asked for")),
          openStream: () => {
            throw new Error("not asked for");
          },
          quarantined: () => undefined,
          release: () => undefined,
        },
      };
      return { program, ignored: [], faults: [], files: [] };
    };
    return { load, released };
  }

  it("are released when the last exchange that began with them has settled, the one in force never", async () => {
    const { load, released } = countReleases();
    const source = {
      load: async () => loadedConfig(),
      build: (loaded: ReturnType<typeof loadedConfig>, id: number, now: Date) =>
        buildSnapshot(loaded, { registry, loadUserProgram: load }, id, now),
    };
    const { snapshot } = await source.build(loadedConfig(), 1, new Date());
    if (snapshot === undefined) throw new Error("there is no snapshot");
    const { hub: ingress } = registry;
    const snapshots = new Snapshots(snapshot, [], source);
    const begin = (): Exchange =>
      new Exchange({
        snapshot: snapshots.current,
        ingress,
        operation: "generate",
        path: "/",
        search: "",
        headers: { get: () => undefined, endToEnd: [] },
        project: undefined,
        now: () => 0,
      });
    const end = (exchange: Exchange): void =>
      exchange.settle({ outcome: "completed", status: 200, summary: undefined, bytes: 0, firstByteMs: 0, totalMs: 0, error: undefined });
    const kept = begin();
    for (let number = 2; number <= 101; number++) {
      const exchange = begin();
      await snapshots.reload(silent);
      if (number > 2) expect(released).not.toContain(number - 1);
      end(exchange);
      end(exchange);
    }
    expect(released).toEqual(Array.from({ length: 99 }, (_, index) => index + 2));
    const late: boolean[] = [];
    // Whoever has something left to run at the end takes hold of the program in time.
    kept.onSettled(() => {
      const release = kept.userProgram?.retain();
      late.push(released.includes(1));
      setImmediate(() => release?.());
    });
    end(kept);
    expect([late, released.includes(1)]).toEqual([[false], false]);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(released.at(-1)).toBe(1);
    expect(released).toHaveLength(100);
  });

  it("of a configuration that is refused are released at once", async () => {
    const { load, released } = countReleases();
    const broken = { ...loadedConfig(), config: undefined };
    await buildSnapshot(broken, { registry, loadUserProgram: load }, 1, new Date());
    expect(released).toEqual([1]);
  });
});

describe("a file that is saved", () => {
  const rule = (label: string): string =>
    `import { defineRule } from "ccproxy/sdk";\nexport default defineRule(() => ${JSON.stringify(label)});\n`;
  const labelOf = async (proxy: Proxy): Promise<unknown> => (await ask(proxy.url, bodyFor("plain"))).headers["x-ccproxy-label"];

  it("is in force without a word: new, changed, imported by another, and removed", async () => {
    await using proxy = await startProxy({ config: config(), watch: true });
    expect(await labelOf(proxy)).toBe("default");
    await proxy.write("rules/my.ts", rule("a"));
    await untilStatus(proxy, ({ userCode }) => userCode.units.length === 1);
    expect(await labelOf(proxy)).toBe("a");
    await proxy.write("lib/names.ts", 'export const name = "b";');
    await proxy.write(
      "rules/my.ts",
      'import { defineRule } from "ccproxy/sdk";\nimport { name } from "../lib/names.ts";\nexport default defineRule(() => name);\n',
    );
    while ((await labelOf(proxy)) !== "b");
    await proxy.write("lib/names.ts", 'export const name = "a";');
    while ((await labelOf(proxy)) !== "a");
    await rm(path.join(proxy.directory, "rules/my.ts"));
    await untilStatus(proxy, ({ userCode }) => userCode.units.length === 0);
    expect(await labelOf(proxy)).toBe("default");
  });

  it("broken keeps the last good one, with the line in status and log, until it is mended", async () => {
    await using proxy = await startProxy({ config: config(), files: { "rules/my.ts": rule("a") }, watch: true });
    await proxy.write(
      "rules/my.ts",
      "import { defineRule } from 'ccproxy/sdk';\nexport default defineRule(() => {\n  return 'b' +;\n});\n",
    );
    await untilStatus(proxy, (status) => status.config.rejected !== null);
    const { config: found, userCode } = await statusOf(proxy);
    expect(found.rejected?.faults).toMatchObject([
      { severity: "error", file: path.join(proxy.directory, "rules/my.ts"), line: 3, frame: expect.stringContaining("return 'b' +;") },
    ]);
    expect([found.snapshot, userCode.units.length, await labelOf(proxy)]).toEqual([1, 1, "a"]);
    // Another edit, of another file, does not bring the broken one into force.
    await proxy.write("rules/other.ts", rule("plain"));
    await untilStatus(proxy, (status) => status.config.rejected !== null && status.config.rejected.at !== found.rejected?.at);
    expect(await labelOf(proxy)).toBe("a");
    await proxy.write("rules/my.ts", rule("b"));
    await untilStatus(proxy, (status) => status.config.rejected === null);
    expect(await labelOf(proxy)).toBe("b");
    await proxy.stop(0);
    const refused = (await proxy.logLines()).find(({ level, faults }) => level === "error" && faults !== undefined);
    expect(JSON.stringify(refused)).toContain("return 'b' +;");
  });

  it("that throws when it is loaded keeps the last good one, too", async () => {
    await using proxy = await startProxy({ config: config(), files: { "rules/my.ts": rule("a") } });
    await proxy.write(
      "rules/my.ts",
      `import { defineRule } from "ccproxy/sdk";\n\nthrow new Error("not today");\nexport default defineRule(() => "b");\n`,
    );
    await proxy.reload();
    expect((await statusOf(proxy)).config.rejected?.faults).toMatchObject([
      { severity: "error", line: 3, message: expect.stringContaining("not today") },
    ]);
    expect(await labelOf(proxy)).toBe("a");
  });
});
