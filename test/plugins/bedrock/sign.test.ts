import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { request as httpRequest } from "node:http";

import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import * as fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";

import { createBedrockPlugin } from "../../../plugins/bedrock/index.ts";
import type { Outbound } from "../../../sdk/provider.ts";
import { address, noVariables, providerOf, targetOf } from "../../helpers/provider.ts";
import { eventFrame } from "./frame.ts";
import { type SignedRequest, canonicalRequest, expectedSignature, readClaim } from "./signature.ts";

const now = Date.UTC(2026, 10, 22, 12, 34, 56);
const keys = { aws_access_key_id: "AKIDEXAMPLE", aws_secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const provider = providerOf(
  createBedrockPlugin({ now: () => now, loadCredentials: () => Promise.reject(new Error("not asked for")) }),
  "bedrock",
);

const arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3";
const models = [
  "anthropic.claude-sonnet-4-5-20250929-v1:0",
  "us.amazon.nova-pro-v1:0",
  arn,
  "anthropic.claude-opus-5",
  "odd (id)*'!~_.-v1:0",
];

describe("the signature", () => {
  test.each([
    ["GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
    ["POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  ])("the check itself agrees with AWS's published vector for a plain %s", (method, signature) => {
    const headers = { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" };
    const claim = {
      keyId: "AKIDEXAMPLE",
      date: "20150830",
      region: "us-east-1",
      service: "service",
      signedHeaders: ["host", "x-amz-date"],
    };
    const request = { method, path: "/", headers, body: new Uint8Array() };
    expect(expectedSignature(request, { ...claim, signature: "" }, keys.aws_secret_access_key)).toBe(signature);
  });

  test.each(models)("of a request for %s is right, the path encoded once more", async (model) => {
    const signed = await sign(model, { aws_region_name: "eu-west-1" });
    expectSigned(signed, { host: new URL(signed.url).host });
    expect(headersOf(signed)).toMatchObject({ "x-amz-date": "20261122T123456Z" });
    expect(readClaim(headersOf(signed)["authorization"] ?? "")).toMatchObject({
      region: "eu-west-1",
      service: "bedrock",
      date: "20261122",
    });
  });

  test("of any model id is right", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 40 }), async (id) => {
        const signed = await sign(`converse/x${id}`, { aws_region_name: "us-east-1" });
        expectSigned(signed, { host: new URL(signed.url).host });
      }),
    );
  });

  test("the token of a session is sent and signed", async () => {
    const signed = await sign("amazon.nova-pro-v1:0", { aws_region_name: "us-east-1", aws_session_token: "TOKEN" });
    expect(headersOf(signed)["x-amz-security-token"]).toBe("TOKEN");
    expect(readClaim(headersOf(signed)["authorization"] ?? "").signedHeaders).toContain("x-amz-security-token");
    expectSigned(signed, { host: new URL(signed.url).host });
  });

  test("headers that others may alter on the way are not covered by it", async () => {
    const signed = await sign("amazon.nova-pro-v1:0", { aws_region_name: "us-east-1" });
    expect(readClaim(headersOf(signed)["authorization"] ?? "").signedHeaders).toEqual([
      "content-type",
      "host",
      "x-amz-content-sha256",
      "x-amz-date",
    ]);
  });

  test("a request that is signed anew has one signature", async () => {
    const target = targetOf(provider, { model: "amazon.nova-pro-v1:0", params: { ...keys, aws_region_name: "us-east-1" } });
    const once = await sign("amazon.nova-pro-v1:0", { aws_region_name: "us-east-1" });
    const twice = await provider.sign?.(once, target, noVariables);
    expect(twice?.headers.filter(([name]) => name === "authorization")).toHaveLength(1);
  });

  test("the region of the address counts before the one that was configured", async () => {
    const signed = await sign("amazon.nova-pro-v1:0", {
      aws_region_name: "us-east-1",
      aws_bedrock_runtime_endpoint: "https://vpce-1.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com",
    });
    expect(readClaim(headersOf(signed)["authorization"] ?? "").region).toBe("ap-southeast-2");
  });
});

describe("beside AWS's own client", () => {
  test.each(models)("a request for %s has the same path and the same canonical request", async (model) => {
    const captured: SignedRequest[] = [];
    const client = new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: "https://bedrock-runtime.us-east-1.amazonaws.com",
      credentials: { accessKeyId: keys.aws_access_key_id, secretAccessKey: keys.aws_secret_access_key },
      requestHandler: {
        handle(request: { method: string; path: string; headers: Record<string, string>; body: string | Uint8Array }) {
          captured.push({ ...request, body: typeof request.body === "string" ? Buffer.from(request.body) : new Uint8Array(request.body) });
          return Promise.reject(new Error("captured"));
        },
      },
      maxAttempts: 1,
    });
    const messages = [{ role: "user" as const, content: [{ text: "Hi" }] }];
    await client.send(new ConverseCommand({ modelId: model, messages })).catch(() => undefined);
    const [theirs] = captured;
    if (theirs === undefined) throw new Error("nothing was captured");
    const ours = await sign(`converse/${model}`, { aws_region_name: "us-east-1" }, { messages });

    expect(new URL(ours.url).pathname).toBe(theirs.path);
    expect(Buffer.from(ours.body).toString()).toBe(Buffer.from(theirs.body).toString());
    const headers = { ...headersOf(ours), host: "bedrock-runtime.us-east-1.amazonaws.com" };
    const common = ["content-type", "host", "x-amz-content-sha256"];
    expect(canonicalRequest({ method: "POST", path: theirs.path, headers, body: ours.body }, common)).toBe(
      canonicalRequest(theirs, common),
    );
    // The same check takes theirs for right.
    const claim = readClaim(theirs.headers["authorization"] ?? "");
    expect(expectedSignature(theirs, claim, keys.aws_secret_access_key)).toBe(claim.signature);
  });
});

describe("over a real connection", () => {
  test.each([
    ["amazon.nova-pro-v1:0", "bedrock-converse", "/model/amazon.nova-pro-v1%3A0/converse-stream"],
    [
      arn,
      "anthropic",
      "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3/invoke-with-response-stream",
    ],
    ["anthropic.claude-opus-5", "anthropic", "/anthropic/v1/messages"],
  ])("a server that checks signatures takes a request for %s", async (model, dialect, path) => {
    const seen: SignedRequest[] = [];
    const server = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
        const got = { method: incoming.method ?? "", path: incoming.url ?? "", headers, body: Buffer.concat(chunks) };
        seen.push(got);
        const claim = readClaim(headers["authorization"] ?? "");
        const isRight = expectedSignature(got, claim, keys.aws_secret_access_key) === claim.signature;
        outgoing.writeHead(isRight ? 200 : 403, { "content-type": "application/vnd.amazon.eventstream" });
        outgoing.end(eventFrame("messageStart", { role: "assistant" }));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;

    const apiBase = `http://127.0.0.1:${port}`;
    const asked = {
      model,
      dialect,
      apiBase,
      stream: true,
      params: { ...keys, aws_region_name: "eu-west-1", base_model: "anthropic.claude" },
    };
    const { outbound, target } = address(provider, {
      ...asked,
      params: dialect === "anthropic" ? asked.params : { ...keys, aws_region_name: "eu-west-1" },
    });
    const signed = await provider.sign?.(outbound, target, noVariables);
    if (signed === undefined) throw new Error("it cannot sign");
    const { status, bytes, type } = await post({
      ...signed,
      headers: [...signed.headers, ["user-agent", "other/1"], ["accept-encoding", "identity"]],
    });

    expect(seen[0]?.path).toBe(path);
    expect(status).toBe(200);
    expect(Buffer.from(provider.unframe?.(type)?.push(bytes) ?? []).toString()).toBe('event: messageStart\ndata: {"role":"assistant"}\n\n');
  });
});

async function sign(model: string, params: Readonly<Record<string, unknown>>, body: unknown = { messages: [] }): Promise<Outbound> {
  const { outbound, target } = address(provider, { model, params: { ...keys, ...params }, body });
  const signed = await provider.sign?.(outbound, target, noVariables);
  if (signed === undefined) throw new Error("it cannot sign");
  return signed;
}

function headersOf({ headers }: Outbound): Readonly<Record<string, string>> {
  return Object.fromEntries(headers);
}

function expectSigned(signed: Outbound, { host }: { readonly host: string }): void {
  const { pathname, search } = new URL(signed.url);
  const headers = { ...headersOf(signed), host };
  const claim = readClaim(headers["authorization" as keyof typeof headers] ?? "");
  const request = { method: "POST", path: pathname + search, headers, body: signed.body };
  expect(claim.signature).toBe(expectedSignature(request, claim, keys.aws_secret_access_key));
}

async function post({ url, headers, body }: Outbound): Promise<{ status: number; type: string; bytes: Uint8Array }> {
  const sent = httpRequest(url, { method: "POST", headers: Object.fromEntries(headers) });
  sent.end(body);
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, type: String(response.headers["content-type"]), bytes: Buffer.concat(chunks) };
}
