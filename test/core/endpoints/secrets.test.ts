import { readFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { ask } from "../../helpers/client.ts";
import { type Proxy, deployment, startProxy } from "../../helpers/proxy.ts";
import { cutReply, errorReply, rawReply, streamReply } from "../../helpers/replies.ts";
import { requestRaw, requestText, sendRaw } from "../../helpers/raw-http.ts";
import { type Upstream, startUpstream } from "../../helpers/upstream.ts";

/** None of these has a look by which it could be recognised. */
const planted = {
  deploymentKey: "zebra+key/$plain!=,0123456789",
  otherKey: "other-plain-key-0123456789",
  masterKey: "master-plain-key-0123456789",
  gatewayHeader: "gateway-plain-header-0123456789",
  variable: "variable-plain-value-0123456789",
  tokenOfSource: "sourced-plain-token-0123456789",
};
const callers = "quagga-plain-login-0123456789";
const lookOfLogin = "sk-ant-oat01-callers-login-0123456789";
const owner = { authorization: `Bearer ${callers}`, "x-api-key": lookOfLogin, "x-litellm-api-key": planted.masterKey };

function start(upstream: Upstream): Promise<Proxy> {
  return startProxy({
    config: {
      model_list: [
        deployment("claude", upstream.url, {
          api_key: "os.environ/TEST_KEY",
          extra_headers: { "x-gateway-token": planted.gatewayHeader },
          connect_timeout: 1,
          num_retries: 0,
        }),
        deployment("unreachable", "http://127.0.0.1:1", { api_key: planted.otherKey }),
        { model_name: "keyless", litellm_params: { model: "anthropic/x", api_base: upstream.url } },
        { model_name: "trusted", litellm_params: { model: "anthropic/x", api_base: upstream.url, forward_client_auth: true } },
        { model_name: "untranslated", litellm_params: { model: "gemini/x", api_key: planted.otherKey } },
      ],
      general_settings: { master_key: planted.masterKey },
      environment_variables: { TEST_API_TOKEN: planted.variable },
    },
    ccproxy: { local_auth: true, debug: true, oat_sources: { anthropic: `echo ${planted.tokenOfSource}; exit 1` } },
    environment: { TEST_KEY: planted.deploymentKey },
  });
}

const request = (model: string, stream = false): string => JSON.stringify({ model, stream, max_tokens: 1, messages: [] });

/** In any of the encodings in which text travels. */
function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString("base64").replace(/.=*$/, "");
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64, Buffer.from(secret).toString("hex")];
}

function expectNone(text: string, secrets: readonly string[]): void {
  const found = secrets.flatMap((secret) => formsOf(secret).filter((form) => text.includes(form)));
  // The surroundings of the first one tell where it came from.
  expect(found.slice(0, 1).map((form) => text.slice(Math.max(0, text.indexOf(form) - 300), text.indexOf(form) + 100))).toEqual([]);
}

/** The worst an upstream can say: everything it was sent. */
const echo = (status: number, type: string): ReturnType<typeof rawReply> =>
  rawReply((response, { rawHeaders }) => void response.writeHead(status, { "content-type": type }).end(JSON.stringify({ rawHeaders })));

describe("everything the proxy says and writes", () => {
  test("holds none of the secrets it knows", async () => {
    await using upstream = await startUpstream();
    await using proxy = await start(upstream);
    const localToken = (await readFile(path.join(proxy.directory, "local-token"), "utf8")).trim();
    const secrets = [...Object.values(planted), localToken, proxy.controlToken];
    const said: string[] = [];
    const note = async (answer: ReturnType<typeof ask>): Promise<void> => {
      const { rawHeaders, text } = await answer;
      said.push(rawHeaders.join("\n"), text);
    };

    // Refused callers, some with a secret in the wrong place.
    await note(ask(proxy.url, request("claude")));
    await note(ask(proxy.url, request("claude"), { headers: { authorization: `Bearer ${planted.deploymentKey}` } }));
    await note(ask(proxy.url, request("claude"), { path: `/v1/messages?key=${encodeURIComponent(planted.masterKey)}` }));
    for (const place of [
      `/${planted.masterKey}`,
      `/v1/${planted.masterKey}/x`,
      `/_run/${localToken}/-/nowhere`,
      `/_run/${localToken}/-//x`,
    ]) {
      await note(ask(proxy.url, undefined, { method: "GET", path: place, headers: owner }));
    }
    said.push(await sendRaw(proxy.port, requestText(proxy.port, "/", { headers: [`host: ${planted.masterKey}`] })));
    said.push(await sendRaw(proxy.port, `GET /${planted.masterKey} HTTP/1.1\r\n${planted.masterKey}\r\n\r\n`));
    said.push(await sendRaw(proxy.port, requestText(proxy.port, "/", { headers: [`transfer-encoding: ${planted.masterKey}`] })));
    await note(ask(proxy.url, request("claude"), { headers: { ...owner, "content-type": planted.masterKey } }));

    // Errors of our own.
    for (const model of [planted.masterKey, planted.deploymentKey, "keyless", "unreachable", "untranslated", "claude-unconfigured", ""]) {
      await note(ask(proxy.url, request(model), { headers: { "x-litellm-api-key": planted.masterKey } }));
    }
    await note(ask(proxy.url, `{"model":"${planted.masterKey}`, { headers: owner }));
    upstream.script(cutReply("reset"));
    await note(ask(proxy.url, request("claude"), { headers: owner }));
    upstream.script(streamReply({ cutAfter: { events: 2 } }));
    await note(ask(proxy.url, request("claude", true), { headers: owner }));
    upstream.script(streamReply({ events: [Buffer.from("event: error\ndata: broken")], cut: "reset" }));
    await note(ask(proxy.url, request("claude", true), { headers: owner }));

    // What the upstream repeats where we speak ourselves.
    upstream.script(echo(200, "text/html"));
    for (const model of ["claude", "trusted"]) await note(ask(proxy.url, request(model), { headers: owner }));
    upstream.script(echo(302, "text/html"));
    await note(ask(proxy.url, request("claude"), { headers: owner }));
    upstream.script(
      rawReply((response, { headers }) => {
        response.writeHead(307, { location: `https://${headers["x-gateway-token"]}.example/?key=${headers["x-api-key"]}` }).end();
      }),
    );
    await note(ask(proxy.url, request("claude"), { headers: owner }));
    upstream.script(
      rawReply((response, { headers }) => void response.writeHead(200, { "content-type": `text/${headers["x-api-key"]}` }).end("x")),
    );
    await note(ask(proxy.url, request("claude"), { headers: owner }));

    // The proxy's own endpoints, for their rightful user.
    const ids = said.flatMap((text) => /x-ccproxy-request-id\n(\S+)/.exec(text)?.[1] ?? []);
    expect(ids.length).toBeGreaterThan(10);
    for (const target of ["/ccproxy/status", "/health", "/v1/models", "/", ...ids.map((id) => `/ccproxy/traces/${id}`)]) {
      await note(ask(proxy.url, undefined, { method: "GET", path: target, headers: { "x-ccproxy-token": proxy.controlToken } }));
    }
    await proxy.writeConfig(`model_list: [{model_name: ${planted.otherKey}\n api_key: ${planted.otherKey}`);
    await proxy.reload();
    await note(ask(proxy.url, undefined, { method: "GET", path: "/ccproxy/status", headers: { "x-ccproxy-token": proxy.controlToken } }));
    expect(JSON.parse(said.at(-1) ?? "")).toMatchObject({ config: { rejected: { faults: expect.anything() } } });
    await proxy.stop();

    const log = await proxy.logText();
    expect(log.split("\n").length).toBeGreaterThan(20);
    expectNone(log, [...secrets, callers, lookOfLogin]);
    expectNone(said.join("\n"), [...secrets, callers, lookOfLogin]);
  });

  test("an upstream's own error reaches the caller without the deployment's key, else unmodified, and not the log", async () => {
    await using upstream = await startUpstream();
    await using proxy = await start(upstream);
    const message = `invalid x-api-key: ${planted.deploymentKey} of ${callers}`;
    for (const status of [400, 401, 403, 429, 500, 529]) {
      upstream.script(errorReply(status, { message, headers: { "retry-after": "7" } }));
      const answer = await ask(proxy.url, request("claude"), { headers: owner });
      expect(answer).toMatchObject({ status, headers: { "retry-after": "7" } });
      expect(answer.json()).toMatchObject({ error: { message: `invalid x-api-key: [redacted] of ${callers}` } });
    }
    // The bytes of a stream are not looked at.
    upstream.script(streamReply({ error: { type: "overloaded_error", message } }));
    expect((await ask(proxy.url, request("claude", true), { headers: owner })).text).toContain(JSON.stringify(message).slice(1, -1));
    await proxy.stop();
    const log = await proxy.logText();
    expect(log.match(/"msg":"request"/g)).toHaveLength(7);
    expectNone(log, [...Object.values(planted), callers, lookOfLogin]);
  });
});

describe("the page that stands where JSON was wanted", () => {
  async function told(page: string): Promise<{ answer: string; log: string }> {
    await using upstream = await startUpstream(
      rawReply((response) => void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page)),
    );
    await using proxy = await start(upstream);
    const { status, text } = await ask(proxy.url, request("claude"), { headers: owner });
    expect(status).toBe(502);
    await proxy.stop();
    return { answer: text, log: await proxy.logText() };
  }

  test("is shown by its first words", async () => {
    expect((await told("<html><title>Sign in to\n the hotel's network</title></html>")).answer).toContain(
      "<title>Sign in to the hotel's network</title>",
    );
  });

  test("is not shown at length", async () => {
    expect((await told(`<html>${"word ".repeat(1000)}`)).answer.length).toBeLessThan(700);
  });

  test.each([0, 150, 170, 180, 190, 195, 199])("tells no part of a key that begins at its byte %i", async (at) => {
    const page = `${"<p>so it says</p> ".repeat(20).slice(0, at)}${planted.deploymentKey} and ${callers}, and more`;
    const { answer, log } = await told(page);
    for (const secret of [planted.deploymentKey, callers]) {
      for (const text of [answer, log]) expect(text).not.toContain(secret.slice(0, 6));
    }
  });

  test("tells no part of a key that the network cut in two", async () => {
    await using upstream = await startUpstream(
      rawReply((response) => {
        response.writeHead(200, { "content-type": "text/html" });
        response.write(`<p>key ${planted.deploymentKey.slice(0, 20)}`);
        response.socket?.once("drain", () => undefined);
        setImmediate(() => response.end(planted.deploymentKey.slice(20)));
      }),
    );
    await using proxy = await start(upstream);
    expect((await ask(proxy.url, request("claude"), { headers: owner })).text).not.toContain(planted.deploymentKey.slice(0, 6));
  });
});

test("a wrong key is not written down either", async () => {
  await using upstream = await startUpstream();
  await using proxy = await start(upstream);
  const wrong = "Bearer sk-a-key-mistyped-0123456789";
  const text = requestText(proxy.port, "/v1/messages", {
    method: "POST",
    headers: ["content-type: application/json", `authorization: ${wrong}`],
    body: "{}",
  });
  expect((await requestRaw(proxy.port, text)).body).not.toContain("mistyped");
  await proxy.stop();
  expect(await proxy.logText()).not.toContain("mistyped");
});
