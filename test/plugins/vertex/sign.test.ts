import { generateKeyPairSync, verify } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { vertex } from "../../../plugins/vertex/index.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { Outbound, Provider, Variables } from "../../../sdk/provider.ts";
import { address, noVariables, providerOf, variablesOf } from "../../helpers/provider.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const private_key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

interface TokenRequest {
  readonly path: string;
  readonly form: URLSearchParams;
  readonly body: string;
}

let server: Server;
let url: string;
let directory: string;
let requests: TokenRequest[];
let answer: (request: TokenRequest) => { status: number; json: unknown };
let provider: Provider;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "ccproxy-vertex-"));
  requests = [];
  provider = providerOf(vertex, "vertex_ai");
  answer = () => ({ status: 200, json: { access_token: `token-${requests.length}`, expires_in: 3600, token_type: "Bearer" } });
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const asked = { path: request.url ?? "", form: new URLSearchParams(body), body };
      requests.push(asked);
      const { status, json } = answer(asked);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  url = `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  rmSync(directory, { recursive: true, force: true });
});

const account = (more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  type: "service_account",
  project_id: "project-of-the-key",
  client_email: "robot@project.iam.gserviceaccount.com",
  private_key,
  token_uri: `${url}/token`,
  ...more,
});

function sign(params: Readonly<Record<string, unknown>>, variables: Variables = noVariables): Promise<Outbound> {
  const { outbound, target } = address(provider, { model: "claude-opus-5-5", params, variables });
  return provider.sign?.(outbound, target, variables) ?? Promise.reject(new Error("signs nothing"));
}

const tokenOf = ({ headers }: Outbound): string | undefined => headers.find(([name]) => name === "authorization")?.[1];
const failureOf = (signing: Promise<unknown>): Promise<ProxyError> =>
  signing.then(
    () => expect.unreachable(),
    (error: unknown) => (error instanceof ProxyError ? error : expect.fail(String(error))),
  );

describe("a service account", () => {
  it("gets a token of the server it names, for an assertion it signed", async () => {
    const signed = await sign({ vertex_credentials: account() });
    expect(tokenOf(signed)).toBe("Bearer token-1");
    expect(requests[0]?.path).toBe("/token");
    expect(requests[0]?.form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [head = "", claims = "", signature = ""] = requests[0]?.form.get("assertion")?.split(".") ?? [];
    expect(verify("sha256", Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, "base64url"))).toBe(true);
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      iss: "robot@project.iam.gserviceaccount.com",
      aud: `${url}/token`,
      scope: "https://www.googleapis.com/auth/cloud-platform",
    });
  });

  it("names the project where nobody else does", async () => {
    expect((await sign({ vertex_credentials: account() })).url).toContain("/projects/project-of-the-key/locations/global/");
    const variables = variablesOf({ VERTEXAI_PROJECT: "of-the-variable" });
    expect((await sign({ vertex_credentials: account() }, variables)).url).toContain("/projects/of-the-variable/");
    expect((await sign({ vertex_credentials: account(), vertex_project: "named" })).url).toContain("/projects/named/");
    const failure = await failureOf(sign({ vertex_credentials: account({ project_id: undefined }) }));
    expect(failure).toMatchObject({ status: 401, kind: "authentication_error" });
    expect(failure.message).toContain("set vertex_project or VERTEXAI_PROJECT");
  });

  it("is found as text, as a file, and in either variable", async () => {
    const file = path.join(directory, "key.json");
    writeFileSync(file, JSON.stringify(account()));
    const asText = JSON.stringify(account());
    for (const [params, variables] of [
      [{ vertex_credentials: asText }, noVariables],
      [{ vertex_ai_credentials: file }, noVariables],
      [{}, variablesOf({ VERTEXAI_CREDENTIALS: asText })],
      [{}, variablesOf({ GOOGLE_APPLICATION_CREDENTIALS: file })],
    ] as const) {
      expect(tokenOf(await sign(params, variables))).toMatch(/^Bearer token-/);
    }
  });

  it("asks once for all who wait, and not again while the token holds", async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => sign({ vertex_credentials: account() })));
    expect(new Set(many.map(tokenOf))).toEqual(new Set(["Bearer token-1"]));
    expect(tokenOf(await sign({ vertex_credentials: account() }))).toBe("Bearer token-1");
    expect(requests).toHaveLength(1);
    await sign({ vertex_credentials: account({ client_email: "other@project.iam.gserviceaccount.com" }) });
    expect(requests).toHaveLength(2);
  });

  it("asks anew when the token is about to end", async () => {
    answer = () => ({ status: 200, json: { access_token: `token-${requests.length}`, expires_in: 1 } });
    await sign({ vertex_credentials: account() });
    expect(tokenOf(await sign({ vertex_credentials: account() }))).toBe("Bearer token-2");
  });

  it("that is refused is an error of its own, and is tried again by the next request", async () => {
    answer = () => ({ status: 400, json: { error: "invalid_grant", error_description: "Invalid JWT Signature." } });
    const failure = await failureOf(sign({ vertex_credentials: account() }));
    expect(failure).toMatchObject({ status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
    expect(failure.message).toMatch(
      /^No Google credentials for deployment "d1": .*Invalid JWT Signature.*Looked at vertex_credentials, VERTEXAI_CREDENTIALS/,
    );
    expect(failure.message).not.toContain("PRIVATE KEY");
    answer = () => ({ status: 200, json: { access_token: "mended", expires_in: 3600 } });
    expect(tokenOf(await sign({ vertex_credentials: account() }))).toBe("Bearer mended");
  });

  it("that was mended in its file is read anew", async () => {
    const file = path.join(directory, "key.json");
    writeFileSync(file, JSON.stringify(account()));
    answer = () => ({ status: 400, json: { error: "invalid_grant" } });
    await failureOf(sign({ vertex_credentials: file }));
    writeFileSync(file, JSON.stringify(account({ project_id: "of-the-mended-key" })));
    answer = () => ({ status: 200, json: { access_token: "mended", expires_in: 3600 } });
    expect((await sign({ vertex_credentials: file })).url).toContain("/projects/of-the-mended-key/");
  });

  it("whose server cannot be reached may be tried again", async () => {
    const failure = await failureOf(sign({ vertex_credentials: account({ token_uri: "http://127.0.0.1:1/token" }) }));
    expect(failure).toMatchObject({ status: 502, kind: "api_error", headers: {} });
  });

  it("that is damaged says so without showing it", async () => {
    const file = path.join(directory, "key.json");
    writeFileSync(file, "secret{");
    expect((await failureOf(sign({ vertex_credentials: file }))).message).toContain(`the file "${file}" holds no JSON`);
    expect((await failureOf(sign({ vertex_credentials: "{secret" }))).message).not.toContain("secret");
    expect((await failureOf(sign({ vertex_credentials: path.join(directory, "none.json") }))).message).toContain("ENOENT");
  });
});

describe("workload identity", () => {
  it("trades the token of another system for one of Google's, and that for a service account's", async () => {
    const file = path.join(directory, "subject");
    writeFileSync(file, "subject-token");
    answer = ({ path: asked }) =>
      asked === "/sts"
        ? { status: 200, json: { access_token: "federated", issued_token_type: "x", token_type: "Bearer", expires_in: 3600 } }
        : { status: 200, json: { accessToken: "impersonated", expireTime: "2099-01-01T00:00:00Z" } };
    const signed = await sign({
      vertex_project: "p",
      vertex_credentials: {
        type: "external_account",
        audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: `${url}/sts`,
        service_account_impersonation_url: `${url}/impersonate`,
        credential_source: { file },
      },
    });
    expect(tokenOf(signed)).toBe("Bearer impersonated");
    expect(requests.map(({ path: asked }) => asked)).toEqual(["/sts", "/impersonate"]);
    expect(requests[0]?.form.get("subject_token")).toBe("subject-token");
  });
});

describe("a machine without credentials", () => {
  const saved = { ...process.env };
  afterEach(() => {
    process.env = { ...saved };
  });

  it("is told where they were looked for", async () => {
    process.env = { PATH: saved["PATH"], HOME: directory, CLOUDSDK_CONFIG: directory, METADATA_SERVER_DETECTION: "none" };
    const failure = await failureOf(sign({ vertex_project: "p" }));
    expect(failure).toMatchObject({ status: 401, kind: "authentication_error" });
    expect(failure.message).toContain(
      "GOOGLE_APPLICATION_CREDENTIALS, the login of `gcloud auth application-default login`, the metadata server",
    );
  });
});
