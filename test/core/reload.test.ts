import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { ask, openAnswer } from "../helpers/client.ts";
import { statusOf } from "../helpers/exchanges.ts";
import { deployment, startProxy, type Proxy } from "../helpers/proxy.ts";
import { jsonReply, streamReply } from "../helpers/replies.ts";
import { startUpstream, type Upstream } from "../helpers/upstream.ts";

const bodyFor = (model: string): string => JSON.stringify({ model, max_tokens: 5, messages: [{ role: "user", content: "hi" }] });

let upstream: Upstream;
beforeEach(async () => void (upstream = await startUpstream()));
afterEach(() => upstream.close());

/** Each version of the configuration says its number twice: in the model's name and in a header. */
function version(number: number): unknown {
  return {
    model_list: [
      deployment("m", upstream.url, { model: `anthropic/version-${number}`, extra_headers: { "x-version": String(number) } }),
      deployment("held", upstream.url),
    ],
  };
}

/** Asks the status until it is so. */
async function untilStatus(proxy: Proxy, isSo: (status: Awaited<ReturnType<typeof statusOf>>) => boolean): Promise<void> {
  while (!isSo(await statusOf(proxy)));
}

describe("a hundred reloads", () => {
  it("under load lose no request, cut no stream, and mix no two versions", async () => {
    await using proxy = await startProxy({ config: version(0) });
    const goAhead = Promise.withResolvers<void>();
    const held = streamReply({ stallAfter: { events: 3 }, stallUntil: goAhead.promise });
    upstream.script((request) => {
      const { model } = request.json() as { model: string };
      return model === "held" ? held : jsonReply({ model, header: request.headers["x-version"] });
    });
    const streams = await Promise.all(Array.from({ length: 50 }, () => openAnswer(proxy.url, bodyFor("held"))));
    await Promise.all(streams.map((stream) => stream.until("content_block_start")));

    const load = { isOn: true, asked: 0 };
    const seen = new Set<string>();
    const wrong: string[] = [];
    const startedAt = performance.now();
    async function client(): Promise<void> {
      while (load.isOn) {
        const answer = await ask(proxy.url, bodyFor("m"));
        load.asked++;
        const { model, header } = answer.json() as { model: string; header: string };
        if (answer.status !== 200 || model !== `version-${header}` || answer.headers["x-ccproxy-model"] !== model) wrong.push(answer.text);
        seen.add(header);
      }
    }
    const clients = Array.from({ length: 8 }, () => client());
    for (let number = 1; number <= 100; number++) {
      await proxy.writeConfig(version(number));
      await proxy.reload();
      // At least a few requests meet each version.
      const before = load.asked;
      while (load.asked < before + 3) await new Promise((resolve) => void setImmediate(resolve));
    }
    load.isOn = false;
    await Promise.all(clients);
    const perSecond = (load.asked / (performance.now() - startedAt)) * 1000;

    expect(wrong).toEqual([]);
    expect(seen.size).toBeGreaterThan(90);
    expect(perSecond).toBeGreaterThan(0);
    goAhead.resolve();
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(streams.map(() => "clean"));
    expect(streams.filter(({ text }) => !text.includes("message_stop") || text.includes("event: error"))).toEqual([]);
    expect((await statusOf(proxy)).config).toMatchObject({ snapshot: 101, rejected: null });
  }, 60_000);
});

describe("a broken edit", () => {
  it("keeps the last good configuration, shows in the status and the log, and is forgotten with the next good one", async () => {
    await using proxy = await startProxy({ config: version(1) });
    upstream.script(jsonReply({ ok: true }));
    await proxy.writeConfig("model_list: [\n  - {");
    await proxy.reload();
    const { config } = await statusOf(proxy);
    expect([config.snapshot, config.rejected?.faults[0]]).toMatchObject([
      1,
      { severity: "error", file: path.join(proxy.directory, "config.yaml") },
    ]);
    expect((await ask(proxy.url, bodyFor("m"))).headers["x-ccproxy-model"]).toBe("version-1");
    await proxy.writeConfig(version(2));
    await proxy.reload();
    expect((await ask(proxy.url, bodyFor("m"))).headers["x-ccproxy-model"]).toBe("version-2");
    expect((await statusOf(proxy)).config.rejected).toBeNull();
    await proxy.stop(0);
    const lines = await proxy.logLines();
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([{ inForce: 1, faults: [{ severity: "error" }] }]);
  });
});

describe("the configuration on disk, watched", () => {
  const modelOf = async (proxy: Proxy): Promise<unknown> => (await ask(proxy.url, bodyFor("m"))).headers["x-ccproxy-model"];

  it("takes effect when saved in place, when renamed over, and when deleted and made again", async () => {
    await using proxy = await startProxy({ config: version(1), watch: true });
    upstream.script(jsonReply({ ok: true }));
    const file = path.join(proxy.directory, "config.yaml");

    await writeFile(file, stringify(version(2)));
    await untilStatus(proxy, ({ routes }) => routes[0]?.deployments[0]?.model === "version-2");
    expect(await modelOf(proxy)).toBe("version-2");

    await writeFile(`${file}.new`, stringify(version(3)));
    await rename(`${file}.new`, file);
    await untilStatus(proxy, ({ routes }) => routes[0]?.deployments[0]?.model === "version-3");
    expect(await modelOf(proxy)).toBe("version-3");

    await rm(file);
    await untilStatus(proxy, ({ config, routes }) => config.rejected !== null || routes.length === 0);
    await writeFile(file, stringify(version(4)));
    await untilStatus(proxy, ({ routes }) => routes[0]?.deployments[0]?.model === "version-4");
    expect([await modelOf(proxy), (await statusOf(proxy)).config.rejected]).toEqual(["version-4", null]);
  });

  it("is watched in the files, too, that a later edit includes", async () => {
    await using proxy = await startProxy({ config: version(1), watch: true });
    const elsewhere = path.join(proxy.directory, "elsewhere");
    await mkdir(elsewhere);
    const included = path.join(elsewhere, "more.yaml");
    const more = (name: string): Promise<void> => writeFile(included, stringify({ model_list: [deployment(name, upstream.url)] }));
    await more("first");
    await proxy.writeConfig({ include: ["elsewhere/more.yaml"] });
    await untilStatus(proxy, ({ routes }) => routes.some(({ name }) => name === "first"));
    await more("second");
    await untilStatus(proxy, ({ routes }) => routes.some(({ name }) => name === "second"));
  });

  it("is watched in the files, too, that a broken edit names", async () => {
    await using proxy = await startProxy({ config: version(1), watch: true });
    const elsewhere = path.join(proxy.directory, "elsewhere");
    await mkdir(elsewhere);
    await proxy.writeConfig({ include: ["elsewhere/more.yaml"] });
    await untilStatus(proxy, ({ config }) => config.rejected !== null);
    await writeFile(path.join(elsewhere, "more.yaml"), stringify({ model_list: [deployment("late", upstream.url)] }));
    await untilStatus(proxy, ({ routes }) => routes.some(({ name }) => name === "late"));
  });

  it("sets how much is logged", async () => {
    await using proxy = await startProxy({ config: version(1), ccproxy: { log: { level: "error" } } });
    upstream.script(jsonReply({ ok: true }));
    await ask(proxy.url, bodyFor("m"));
    await proxy.writeCcproxy({ log: { level: "info" } });
    await proxy.reload();
    await ask(proxy.url, bodyFor("m"));
    await proxy.stop(0);
    expect((await proxy.logLines()).filter(({ msg }) => msg === "request")).toHaveLength(1);
  });
});
