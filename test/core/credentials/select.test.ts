import { describe, expect, test } from "vitest";

import { type Presented, type Selected, selectCredential } from "../../../core/credentials/select.ts";
import { TokenSourceError, Tokens } from "../../../core/credentials/token-source.ts";
import type { DeploymentConfig } from "../../../core/config/types.ts";
import { type Deployment, createDeployment } from "../../../core/routing/deployment.ts";
import { createAnthropicPlugin } from "../../../plugins/anthropic/index.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import type { Provider } from "../../../sdk/provider.ts";
import { deploymentConfig } from "../../helpers/config.ts";

const provider = providerOf();
const login = ["authorization", "Bearer sk-ant-oat01-callers"] as const;
const callersKey = ["x-api-key", "sk-ant-api03-callers"] as const;
const placeholder = ["x-api-key", "placeholder"] as const;

function providerOf(): Provider {
  const found = createAnthropicPlugin().setup().providers?.[0];
  if (found === undefined) throw new Error("no provider");
  return found;
}

function deployment(overrides: Partial<DeploymentConfig> = {}): Deployment {
  return createDeployment(deploymentConfig({ group: "claude", model: "anthropic/claude-x", ...overrides }), {
    providers: [provider],
    variables: () => undefined,
  });
}

const source = (command: string): Tokens => new Tokens({ type: "command", command, userAgent: "agent/1" }, () => undefined);
const none: ReadonlyMap<string, Tokens> = new Map();

/** By a client of the vendor's own dialect, unless it says otherwise. */
const asked = (credentials: Presented["credentials"], tokenSources: Presented["tokenSources"], dialect = "anthropic"): Presented => ({
  credentials,
  dialect,
  tokenSources,
});

async function refusal(selected: Promise<Selected>): Promise<ProxyError> {
  const error: unknown = await selected.catch((reason: unknown) => reason);
  if (error instanceof ProxyError) return error;
  throw new Error(`not refused: ${JSON.stringify(error)}`);
}

describe("a deployment with a key of its own", () => {
  test("gets that key and nothing of the caller's, at the vendor's host too", async () => {
    for (const apiBase of [undefined, "https://gateway.example", "http://127.0.0.1:1"]) {
      for (const forwardClientAuth of [false, true]) {
        const own = deployment({ apiKey: "deployment-key", apiBase, forwardClientAuth });
        expect(await selectCredential(own, asked([login, callersKey], new Map([["anthropic", source("echo never; exit 1")]])))).toEqual({
          source: "key",
          credential: { form: "api-key", value: "deployment-key" },
        });
      }
    }
  });
});

describe("a deployment whose credential stands in extra_headers", () => {
  test.each(["authorization", "x-api-key"])("needs no other and gets none of the caller's: %s", async (name) => {
    for (const forwardClientAuth of [false, true]) {
      for (const apiBase of [undefined, "https://gateway.example"]) {
        const own = deployment({ extraHeaders: { [name]: "gateway-key" }, forwardClientAuth, apiBase });
        const tokens = new Map([["anthropic", source("echo never; exit 1")]]);
        expect(await selectCredential(own, asked([login, callersKey], tokens))).toEqual({ source: "extra headers" });
      }
    }
  });

  test("a key beside them is used as any key", async () => {
    const own = deployment({ extraHeaders: { authorization: "gateway-key" }, apiKey: "deployment-key" });
    expect((await selectCredential(own, asked([login], none))).source).toBe("key");
  });

  test("other extra headers are no credential", async () => {
    expect((await selectCredential(deployment({ extraHeaders: { "x-team": "one" } }), asked([login], none))).source).toBe("caller");
  });
});

describe("the caller's own credential", () => {
  test("goes to the vendor's host verbatim, all of it", async () => {
    expect(await selectCredential(deployment(), asked([login, placeholder], none))).toEqual({
      source: "caller",
      headers: [login, placeholder],
    });
  });

  test.each([
    "https://api.anthropic.com.evil.example",
    "https://evil-api.anthropic.com",
    "https://api.anthropic.com@evil.example",
    "https://evil.example#api.anthropic.com",
    "https://evil.example/api.anthropic.com",
    "https://evil.example?https://api.anthropic.com",
    "https://anthropic.com",
    "https://console.anthropic.com",
    "https://api.anthropic.com.",
    "https://api.anthropic.com:444",
    "https://api.anthropic.com:80",
    "http://api.anthropic.com",
    "http://api.anthropic.com:443",
    "https://api.anthropic.co",
    "https://api.anthropic.comm",
    "https://apianthropic.com",
    "https://api-anthropic.com",
    "https://api.аnthropic.com",
    "https://api.xn--nthropic-9fg.com",
    "https://api%2eanthropic.com.evil.example",
    "https://[::1]",
    "https://127.0.0.1",
  ])("does not go to %s, unless the deployment says so", async (apiBase) => {
    if (!URL.canParse(apiBase)) throw new Error("a case that proves nothing");
    const error = await refusal(selectCredential(deployment({ apiBase }), asked([login, callersKey], none)));
    expect(error).toMatchObject({ status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
    expect(error.message).toContain("forward_client_auth");
    expect(error.message).not.toContain("sk-ant");
    expect(await selectCredential(deployment({ apiBase, forwardClientAuth: true }), asked([login], none))).toEqual({
      source: "caller",
      headers: [login],
    });
  });

  test.each([
    "https://api.anthropic.com",
    "https://API.Anthropic.COM",
    "https://api.anthropic.com:443",
    "https://api.anthropic.com/v1",
    // A backslash is a slash to whoever parses URLs; the connection is made to the same parse.
    "https://api.anthropic.com\\@evil.example",
  ])("goes to %s, which is the vendor's host", async (apiBase) => {
    expect((await selectCredential(deployment({ apiBase }), asked([login], none))).source).toBe("caller");
  });

  test("is missed with a word on where one could come from", async () => {
    const error = await refusal(selectCredential(deployment(), asked([], none)));
    expect(error).toMatchObject({ status: 401, kind: "authentication_error" });
    expect(error.message).toMatch(/api_key.*oat_sources/);
  });
});

describe("a token source", () => {
  test("serves callers without a credential, with its user agent", async () => {
    const selected = await selectCredential(deployment(), asked([], new Map([["anthropic", source("echo sk-ant-oat01-sourced")]])));
    expect(selected).toMatchObject({
      source: "token source",
      credential: { form: "bearer", value: "sk-ant-oat01-sourced", userAgent: "agent/1" },
    });
  });

  test.each([
    ["a placeholder as x-api-key", [placeholder]],
    ["a placeholder as bearer", [["authorization", "Bearer dummy"] as const]],
    ["a key of another vendor", [["authorization", "Bearer sk-proj-0123456789"] as const]],
    ["Basic authentication", [["authorization", "Basic sk-ant-x"] as const]],
  ])("takes the place of %s", async (_what, credentials) => {
    const selected = await selectCredential(
      deployment(),
      asked(credentials, new Map([["anthropic", source("echo sk-ant-oat01-sourced")]])),
    );
    expect(selected.source).toBe("token source");
  });

  test("gives way to the caller's own credential without being asked, and a placeholder beside that is dropped", async () => {
    const failing = new Map([["anthropic", source("exit 1")]]);
    expect(await selectCredential(deployment(), asked([login, placeholder], failing))).toEqual({ source: "caller", headers: [login] });
    expect(await selectCredential(deployment(), asked([["authorization", "Bearer dummy"], callersKey], failing))).toEqual({
      source: "caller",
      headers: [callersKey],
    });
  });

  test("never serves another host, whatever the deployment allows", async () => {
    const tokens = new Map([["anthropic", source("echo sk-ant-oat01-sourced")]]);
    const apiBase = "https://gateway.example";
    expect((await refusal(selectCredential(deployment({ apiBase }), asked([], tokens)))).status).toBe(401);
    expect((await refusal(selectCredential(deployment({ apiBase, forwardClientAuth: true }), asked([], tokens)))).status).toBe(401);
    expect((await selectCredential(deployment({ apiBase, forwardClientAuth: true }), asked([placeholder], tokens))).source).toBe("caller");
  });

  test("of another provider does not serve", async () => {
    expect((await refusal(selectCredential(deployment(), asked([], new Map([["gemini", source("echo x")]]))))).status).toBe(401);
  });

  test("that fails is a 401 which says why", async () => {
    const error = await refusal(selectCredential(deployment(), asked([], new Map([["anthropic", source("echo hidden; exit 7")]]))));
    expect(error).toMatchObject({ status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
    expect(error.message).toMatch(/token command ended with 7/);
    expect(error.message).not.toContain("hidden");
    expect(error.cause).toBeInstanceOf(TokenSourceError);
  });
});

describe("a credential of one vendor", () => {
  const other: Provider = {
    names: ["other"],
    defaultApiBase: "https://other.example",
    keyVariables: ["OTHER_API_KEY"],
    dialects: () => ["other-dialect"],
    address: (request) => ({ url: "https://other.example", headers: [], body: request.body.bytes }),
    authorize: (headers) => headers,
    ownsUrl: (url) => url.host === "other.example",
    isCredential: (value) => value.startsWith("other-"),
  };
  const elsewhere = createDeployment(deploymentConfig({ group: "g", model: "other/m" }), {
    providers: [other],
    variables: () => undefined,
  });
  const theirs = ["authorization", "Bearer other-key"] as const;

  test("does not go to another, whoever asks", async () => {
    for (const dialect of ["anthropic", "other-dialect"]) {
      const error = await refusal(selectCredential(elsewhere, asked([login, callersKey], none, dialect)));
      expect(error.message).toContain("set OTHER_API_KEY");
      expect(error.status).toBe(401);
    }
    await refusal(selectCredential(deployment(), asked([theirs], none, "other-dialect")));
  });

  test("goes to its own, where a client of another dialect brings it too", async () => {
    expect(await selectCredential(elsewhere, asked([login, theirs], none))).toEqual({ source: "caller", headers: [theirs] });
    expect(await selectCredential(deployment(), asked([login], none, "other-dialect"))).toEqual({ source: "caller", headers: [login] });
  });

  test("is not asked for by a provider that signs, or a server that wants none", async () => {
    const made = (provider: Provider): Deployment =>
      createDeployment(deploymentConfig({ group: "g", model: "other/m" }), { providers: [provider], variables: () => undefined });
    const signing = made({ ...other, sign: async (outbound) => outbound });
    expect(await selectCredential(signing, asked([theirs], none))).toEqual({ source: "provider" });
    expect(await selectCredential(made({ ...other, keyOptional: true }), asked([login], none))).toEqual({ source: "none" });
  });

  test("of the environment counts where the deployment has none, and only there", async () => {
    const context = { providers: [other], variables: (name: string) => (name === "OTHER_API_KEY" ? "other-from-environment" : undefined) };
    const made = createDeployment(deploymentConfig({ group: "g", model: "other/m" }), context);
    expect(await selectCredential(made, asked([theirs], none))).toMatchObject({ credential: { value: "other-from-environment" } });
    const own = createDeployment(deploymentConfig({ group: "g", model: "other/m", apiKey: "written" }), context);
    expect(await selectCredential(own, asked([theirs], none))).toMatchObject({ credential: { value: "written" } });
  });
});
