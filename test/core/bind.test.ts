import { readFile, stat } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { StartError } from "../../core/server.ts";
import { startProxy } from "../helpers/proxy.ts";
import { requestRaw, requestText } from "../helpers/raw-http.ts";

const lan = Object.values(networkInterfaces())
  .flat()
  .find((candidate) => candidate?.family === "IPv4" && !candidate.internal)?.address;

const masterKey = "sk-master-0123456789";
const withKey = { model_list: [], general_settings: { master_key: masterKey } };

describe("without a master key", () => {
  test.each(["0.0.0.0", "::", "::ffff:0.0.0.0", "", ...(lan === undefined ? [] : [lan])])("no one listens on %j", async (host) => {
    const started = startProxy({ host });
    await expect(started).rejects.toThrow(StartError);
    await expect(started).rejects.toThrow(/master_key.*127\.0\.0\.1/);
  });

  test("the address may come from the configuration and is refused as well", async () => {
    await expect(startProxy({ ccproxy: { host: "0.0.0.0" } })).rejects.toThrow(/0\.0\.0\.0 is reachable from other machines/);
  });

  test("a local token opens no other address: it is no secret from whoever shares the URL", async () => {
    await expect(startProxy({ host: "0.0.0.0", ccproxy: { local_auth: true } })).rejects.toThrow(StartError);
  });

  test("127.0.0.1 is where it listens unless told otherwise", async () => {
    await using proxy = await startProxy();
    expect(proxy.host).toBe("127.0.0.1");
    expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}`);
    if (lan !== undefined) {
      await expect(fetch(`http://${lan}:${proxy.port}/health/liveliness`)).rejects.toThrow("fetch failed");
    }
  });
});

describe("with a master key", () => {
  test("every address may be bound, and the key is asked for", async () => {
    await using proxy = await startProxy({ host: "0.0.0.0", config: withKey });
    expect((await requestRaw(proxy.port, requestText(proxy.port, "/v1/models"))).status).toBe(401);
    const opened = requestText(proxy.port, "/v1/models", { headers: [`authorization: Bearer ${masterKey}`] });
    expect((await requestRaw(proxy.port, opened)).status).toBe(200);
  });

  test("a reload that takes the key away from an open address is refused", async () => {
    await using proxy = await startProxy({ host: "0.0.0.0", config: withKey });
    await proxy.writeConfig({ model_list: [] });
    await proxy.reload();
    expect((await requestRaw(proxy.port, requestText(proxy.port, "/v1/models"))).status).toBe(401);
    const text = requestText(proxy.port, "/ccproxy/status", { headers: [`x-ccproxy-token: ${proxy.controlToken}`] });
    const status: { config: { snapshot: number; rejected: { faults: { message: string }[] } | null } } = JSON.parse(
      (await requestRaw(proxy.port, text)).body,
    );
    expect(status.config.snapshot).toBe(1);
    expect(status.config.rejected?.faults[0]?.message).toContain("master_key");
    await proxy.writeConfig({ ...withKey, litellm_settings: {} });
    await proxy.reload();
    expect(JSON.parse((await requestRaw(proxy.port, text)).body)).toMatchObject({ config: { snapshot: 2, rejected: null } });
  });

  test("a reload may take it away on loopback", async () => {
    await using proxy = await startProxy({ config: withKey });
    await proxy.writeConfig({ model_list: [] });
    await proxy.reload();
    expect((await requestRaw(proxy.port, requestText(proxy.port, "/v1/models"))).status).toBe(200);
  });
});

test("the local token is made at the start, for its owner's eyes only", async () => {
  await using proxy = await startProxy();
  const file = path.join(proxy.directory, "local-token");
  expect((await readFile(file, "utf8")).trim()).toMatch(/^[\w-]{43}$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
