import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Client, createTokens } from "../../../plugins/azure/entra.ts";
import { azure } from "../../../plugins/azure/index.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { Outbound, Provider, Variables } from "../../../sdk/provider.ts";
import { address, noVariables, providerOf, variablesOf } from "../../helpers/provider.ts";

let server: Server;
let authority: string;
let directory: string;
let requests: { path: string; form: URLSearchParams }[];
let answer: () => { status: number; body: string };
let provider: Provider;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "ccproxy-azure-"));
  provider = providerOf(azure, "azure");
  requests = [];
  answer = () => ({
    status: 200,
    body: JSON.stringify({ token_type: "Bearer", expires_in: 3599, access_token: `token-${requests.length}` }),
  });
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ path: request.url ?? "", form: new URLSearchParams(Buffer.concat(chunks).toString()) });
      const { status, body } = answer();
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  authority = `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  rmSync(directory, { recursive: true, force: true });
});

const client = (): Record<string, unknown> => ({
  tenant_id: "t-1",
  client_id: "c-1",
  client_secret: "s3cret",
  azure_authority_host: authority,
});

function sign(params: Readonly<Record<string, unknown>>, variables: Variables = noVariables): Promise<Outbound> {
  const { outbound, target } = address(provider, { model: "m", apiBase: "https://res.openai.azure.com", params, variables });
  return provider.sign?.(outbound, target, variables) ?? Promise.reject(new Error("signs nothing"));
}

const tokenOf = ({ headers }: Outbound): string | undefined => headers.find(([name]) => name === "authorization")?.[1];
const failureOf = (signing: Promise<unknown>): Promise<ProxyError> =>
  signing.then(
    () => expect.unreachable(),
    (error: unknown) => (error instanceof ProxyError ? error : expect.fail(String(error))),
  );

describe("a token of Entra", () => {
  it("that was given is sent as it is", async () => {
    expect(tokenOf(await sign({ azure_ad_token: "given" }))).toBe("Bearer given");
    expect(tokenOf(await sign({}, variablesOf({ AZURE_AD_TOKEN: "of-the-variable" })))).toBe("Bearer of-the-variable");
    expect(requests).toEqual([]);
  });

  it("is asked for with the client's secret", async () => {
    expect(tokenOf(await sign(client()))).toBe("Bearer token-1");
    expect(requests.map(({ path: asked }) => asked)).toEqual(["/t-1/oauth2/v2.0/token"]);
    expect(Object.fromEntries(requests[0]?.form ?? [])).toEqual({
      grant_type: "client_credentials",
      client_id: "c-1",
      scope: "https://cognitiveservices.azure.com/.default",
      client_secret: "s3cret",
    });
  });

  it("is asked for with what the variables say, for another scope, and with a token of another system", async () => {
    const file = path.join(directory, "federated");
    writeFileSync(file, "other-token\n");
    const variables = variablesOf({
      AZURE_TENANT_ID: "t-2",
      AZURE_CLIENT_ID: "c-2",
      AZURE_FEDERATED_TOKEN_FILE: file,
      AZURE_AUTHORITY_HOST: `${authority}/`,
      AZURE_SCOPE: "https://ai.azure.com/.default",
    });
    await sign({}, variables);
    expect(requests[0]?.path).toBe("/t-2/oauth2/v2.0/token");
    expect(Object.fromEntries(requests[0]?.form ?? [])).toEqual({
      grant_type: "client_credentials",
      client_id: "c-2",
      scope: "https://ai.azure.com/.default",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: "other-token",
    });
  });

  it("is asked for once by all who wait, and kept while it holds", async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => sign(client())));
    expect(new Set(many.map(tokenOf))).toEqual(new Set(["Bearer token-1"]));
    await sign(client());
    expect(requests).toHaveLength(1);
    await sign({ ...client(), client_id: "c-9" });
    expect(requests).toHaveLength(2);
  });

  it("is renewed once, a minute before it ends", async () => {
    let now = 0;
    let asked = 0;
    const tokenFor = createTokens(
      async () => {
        asked += 1;
        return { value: `t${asked}`, expiresAt: now + 3600_000 };
      },
      () => now,
    );
    const one: Client = { tenant: "t", id: "c", proof: { secret: "s" }, authority: "a", scope: "s" };
    expect(await tokenFor(one)).toBe("t1");
    now = 3600_000 - 60_001;
    expect(await tokenFor(one)).toBe("t1");
    now += 1;
    expect(await Promise.all([tokenFor(one), tokenFor(one), tokenFor(one)])).toEqual(["t2", "t2", "t2"]);
  });

  it("that is refused is an error of its own, and is asked for again by the next request", async () => {
    const description = "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2";
    answer = () => ({ status: 401, body: JSON.stringify({ error: "invalid_client", error_description: description }) });
    const failure = await failureOf(sign(client()));
    expect(failure).toMatchObject({ status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
    expect(failure.message).toMatch(
      /gave deployment "d1" no token: 127.0.0.1:\d+ answered 401: AADSTS7000215: Invalid client secret provided\.$/,
    );
    answer = () => ({ status: 200, body: JSON.stringify({ access_token: "mended", expires_in: 3600 }) });
    expect(tokenOf(await sign(client()))).toBe("Bearer mended");
  });

  it.each([
    [500, "{}"],
    [429, "{}"],
    [503, "<html>"],
  ])("whose server answers %i may be asked for again", async (status, body) => {
    answer = () => ({ status, body });
    expect(await failureOf(sign(client()))).toMatchObject({ status: 502, kind: "api_error", headers: {} });
  });

  it("whose server is not there may be asked for again", async () => {
    expect(await failureOf(sign({ ...client(), azure_authority_host: "http://127.0.0.1:1" }))).toMatchObject({ status: 502 });
  });

  it("that nobody configured is an error that says where it was looked for", async () => {
    const failure = await failureOf(sign({ tenant_id: "t" }));
    expect(failure).toMatchObject({ status: 401, kind: "authentication_error" });
    expect(failure.message).toContain("api_key (AZURE_API_KEY or AZURE_AI_API_KEY), azure_ad_token");
  });
});
