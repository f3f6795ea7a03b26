import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { bedrock } from "../../../plugins/bedrock/index.ts";
import { address, noVariables, providerOf, questionOf, targetOf, variablesOf } from "../../helpers/provider.ts";

const provider = providerOf(bedrock, "bedrock");
const region = { aws_region_name: "us-east-1" };
const arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2";

describe("the region and the host", () => {
  test.each([
    ["the deployment", { model: "amazon.nova-pro-v1:0", params: region }, "us-east-1"],
    ["an ARN", { model: arn }, "eu-central-1"],
    ["a prefix", { model: "ap-northeast-1/amazon.nova-pro-v1:0" }, "ap-northeast-1"],
    ["a prefix behind a route", { model: "converse/us-gov-west-1/amazon.nova-pro-v1:0" }, "us-gov-west-1"],
    ["model_id", { model: "anthropic.claude-opus-4-6-v1", params: { model_id: arn } }, "eu-central-1"],
    ["AWS_REGION_NAME", { model: "x", variables: variablesOf({ AWS_REGION_NAME: "eu-west-1", AWS_REGION: "eu-west-2" }) }, "eu-west-1"],
    ["AWS_REGION", { model: "x", variables: variablesOf({ AWS_REGION: "eu-west-2", AWS_DEFAULT_REGION: "eu-west-3" }) }, "eu-west-2"],
    ["AWS_DEFAULT_REGION", { model: "x", variables: variablesOf({ AWS_DEFAULT_REGION: "eu-west-3" }) }, "eu-west-3"],
  ])("%s says it", (_place, asked, expected) => {
    expect(targetOf(provider, asked).apiBase).toBe(`https://bedrock-runtime.${expected}.amazonaws.com`);
  });

  test("the deployment's own word counts before all others", () => {
    const asked = { model: `eu-west-1/${arn}`, params: region, variables: variablesOf({ AWS_REGION: "eu-west-2" }) };
    expect(targetOf(provider, asked).apiBase).toContain(".us-east-1.");
  });

  test("the profile of the configuration file says it where nobody else does", () => {
    const folder = mkdtempSync(join(tmpdir(), "aws-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "config");
    writeFileSync(
      file,
      "[default]\nregion = eu-north-1\n[profile work]\nsso_region=us-west-1\nregion=sa-east-1\n[services x]\nregion = no\n",
    );
    const variables = variablesOf({ AWS_CONFIG_FILE: file });
    expect(targetOf(provider, { model: "x", variables }).apiBase).toContain(".eu-north-1.");
    expect(targetOf(provider, { model: "x", variables, params: { aws_profile_name: "work" } }).apiBase).toContain(".sa-east-1.");
    const other = variablesOf({ AWS_CONFIG_FILE: file, AWS_PROFILE: "work" });
    expect(targetOf(provider, { model: "x", variables: other }).apiBase).toContain(".sa-east-1.");
  });

  test("China has a domain of its own", () => {
    expect(targetOf(provider, { model: "x", params: { aws_region_name: "cn-north-1" } }).apiBase).toBe(
      "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
    );
  });

  test("without any the error says where it may be set", () => {
    const variables = variablesOf({ AWS_CONFIG_FILE: "/nowhere" });
    expect(() => targetOf(provider, { model: "x", variables })).toThrow(/no AWS region for "x".*aws_region_name.*AWS_REGION/);
  });

  test("what is no region names no host", () => {
    expect(() => targetOf(provider, { model: "x", params: { aws_region_name: "evil.example/" } })).toThrow(/no AWS region/);
  });

  test("what is no URL is no endpoint", () => {
    const params = { aws_bedrock_runtime_endpoint: "bedrock.example" };
    expect(() => targetOf(provider, { model: "x", params })).toThrow(/"bedrock.example" as endpoint/);
  });

  test("an endpoint of the deployment counts before one of the environment", () => {
    const variables = variablesOf({ AWS_BEDROCK_RUNTIME_ENDPOINT: "https://env.example/" });
    expect(targetOf(provider, { model: "x", variables }).apiBase).toBe("https://env.example");
    const params = { aws_bedrock_runtime_endpoint: "https://own.example/" };
    expect(targetOf(provider, { model: "x", variables, params }).apiBase).toBe("https://own.example");
  });
});

describe("which wire a model is asked on, and where", () => {
  test.each([
    ["anthropic.claude-opus-5", "anthropic", "/anthropic/v1/messages"],
    ["us.anthropic.claude-opus-5-5", "anthropic", "/anthropic/v1/messages"],
    ["global.anthropic.claude-haiku-5-5", "anthropic", "/anthropic/v1/messages"],
    ["jp.anthropic.claude-fable-5-1", "anthropic", "/anthropic/v1/messages"],
    ["anthropic.claude-opus-4-7", "anthropic", "/anthropic/v1/messages"],
    ["anthropic.claude-mythos-preview", "anthropic", "/anthropic/v1/messages"],
    ["anthropic.claude-opus-4-6-v1", "anthropic", "/model/anthropic.claude-opus-4-6-v1/invoke"],
    ["eu.anthropic.claude-sonnet-4-6", "anthropic", "/model/eu.anthropic.claude-sonnet-4-6/invoke"],
    ["anthropic.claude-3-haiku-20240307-v1:0", "anthropic", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke"],
    ["anthropic.claude-sonnet-4-20250514-v1:0", "anthropic", "/model/anthropic.claude-sonnet-4-20250514-v1%3A0/invoke"],
    ["anthropic.claude-opus-5-20260901-v1:0", "anthropic", "/model/anthropic.claude-opus-5-20260901-v1%3A0/invoke"],
    ["invoke/anthropic.claude-opus-5", "anthropic", "/model/anthropic.claude-opus-5/invoke"],
    ["messages/us.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic", "/anthropic/v1/messages"],
    ["converse/us.anthropic.claude-opus-5", "bedrock-converse", "/model/us.anthropic.claude-opus-5/converse"],
    ["us-west-2/anthropic.claude-3-haiku-20240307-v1:0", "anthropic", "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke"],
    ["us.amazon.nova-pro-v1:0", "bedrock-converse", "/model/us.amazon.nova-pro-v1%3A0/converse"],
    ["openai.gpt-oss-120b-1:0", "bedrock-converse", "/model/openai.gpt-oss-120b-1%3A0/converse"],
    [arn, "bedrock-converse", `/model/${encodeURIComponent(arn)}/converse`],
    [
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5",
      "anthropic",
      "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic.claude-opus-5/invoke",
    ],
  ])("%s", (model, dialect, path) => {
    const params = { model: `bedrock/${model}`, aws_bedrock_runtime_endpoint: "https://host.example/base" };
    expect(provider.dialects(questionOf({ model, params }), "generate")[0]).toBe(dialect);
    expect(address(provider, { model, params, dialect }).url).toBe(`https://host.example/base${path}`);
    const streamed = address(provider, { model, params, dialect, stream: true }).url;
    const endings: Readonly<Record<string, string>> = { invoke: "-with-response-stream", converse: "-stream" };
    expect(streamed).toBe(`https://host.example/base${path}${endings[path.split("/").at(-1) ?? ""] ?? ""}`);
  });

  test("what an ARN stands for may be written beside it", () => {
    const asked = { model: arn, params: { base_model: "anthropic.claude-opus-5" } };
    expect(provider.dialects(questionOf(asked), "generate")[0]).toBe("anthropic");
    expect(address(provider, asked).url).toContain(`/model/${encodeURIComponent(arn)}/invoke`);
    expect(provider.dialects(questionOf({ model: arn, info: { base_model: "anthropic.claude-opus-5" } }), "generate")[0]).toBe("anthropic");
  });

  test("model_id stands in the path in the place of the model", () => {
    const asked = { model: "anthropic.claude-opus-4-6-v1", params: { model_id: arn } };
    expect(address(provider, asked).url).toContain(`/model/${encodeURIComponent(arn)}/invoke`);
  });

  test("the name bedrock_converse asks for Converse", () => {
    const question = questionOf({ model: "anthropic.claude-opus-5", params: { model: "bedrock_converse/anthropic.claude-opus-5" } });
    expect(provider.dialects(question, "generate")).toEqual(["bedrock-converse"]);
  });

  test("prefixes that were meant for the proxy are taken off the id", () => {
    expect(provider.modelId?.("converse/us-east-1/amazon.nova-pro-v1:0")).toBe("amazon.nova-pro-v1:0");
    expect(provider.modelId?.(`invoke/${arn}`)).toBe(arn);
    expect(provider.modelId?.("unknown/amazon.nova-pro-v1:0")).toBe("unknown/amazon.nova-pro-v1:0");
  });

  test.each([
    ["anthropic.claude-3-haiku-20240307-v1:0", true],
    ["us.amazon.nova-pro-v1:0", true],
    ["openai.gpt-oss-20b-1:0", true],
    ["claude-opus-5", false],
    ["gpt-6.1-sol", false],
    ["gemini-3.8-flash", false],
    ["llama3.2:1b", false],
    ["openai", false],
  ])("the bare name %s is one of Bedrock's ids: %s", (name, expected) => {
    expect(provider.recognises?.(name)).toBe(expected);
  });

  test("tokens are counted by the proxy, and nothing is embedded", () => {
    const question = questionOf({ model: "anthropic.claude-opus-5" });
    expect(provider.dialects(question, "count_tokens")).toEqual([]);
    expect(provider.dialects(question, "embeddings")).toEqual([]);
  });

  test.each([
    "https://h.example/anthropic",
    "https://h.example/anthropic/v1",
    "https://h.example/anthropic/v1/messages",
    "https://h.example/",
  ])("the base %s means the same as the host alone", (apiBase) => {
    expect(address(provider, { model: "anthropic.claude-opus-5", apiBase }).url).toBe("https://h.example/anthropic/v1/messages");
  });
});

describe("headers", () => {
  const headers = [
    ["accept", "text/event-stream"],
    ["content-type", "application/json"],
    ["user-agent", "claude-cli/2.1"],
    ["x-claude-code-session-id", "s"],
    ["x-claude-code-request-class", "main"],
    ["x-app", "cli"],
    ["anthropic-version", "2023-06-01"],
    ["anthropic-beta", "claude-code-20250219,context-1m-2025-08-07,brand-new-2027-01-01, advanced-tool-use-2025-11-20"],
  ] as const;

  test("Converse gets nothing of the Messages API", () => {
    const sent = address(provider, { model: "amazon.nova-pro-v1:0", params: region, headers, stream: true });
    expect(sent.headers).toEqual({
      accept: "application/vnd.amazon.eventstream",
      "content-type": "application/json",
      "user-agent": "claude-cli/2.1",
    });
    expect(address(provider, { model: "amazon.nova-pro-v1:0", params: region, headers }).headers["accept"]).toBe("application/json");
  });

  test("InvokeModel gets the betas in its body, those that it knows", () => {
    const sent = address(provider, { model: "anthropic.claude-opus-4-6-v1", params: region, headers });
    expect(Object.keys(sent.headers)).toEqual(["content-type", "user-agent", "accept"]);
    expect(sent.json).toMatchObject({ anthropic_beta: ["context-1m-2025-08-07", "tool-search-tool-2025-10-19"] });
  });

  test("the Messages endpoint gets its version and the betas that it knows, and nothing of the client's own", () => {
    const sent = address(provider, { model: "anthropic.claude-opus-5", params: region, headers });
    expect(sent.headers["anthropic-beta"]).toBe("claude-code-20250219,context-1m-2025-08-07,tool-search-tool-2025-10-19");
    expect(sent.headers["anthropic-version"]).toBe("2023-06-01");
    expect(Object.keys(sent.headers).filter((name) => name.startsWith("x-claude"))).toEqual([]);
    expect(address(provider, { model: "anthropic.claude-opus-5", params: region }).headers["anthropic-version"]).toBe("2023-06-01");
  });

  test("models before 4.7 get the version that they know", () => {
    const newer = [["anthropic-version", "2026-10-21"]] as const;
    const asked = { params: region, headers: newer };
    expect(address(provider, { ...asked, model: "anthropic.claude-opus-5" }).headers["anthropic-version"]).toBe("2026-10-21");
    expect(
      address(provider, { ...asked, model: "messages/anthropic.claude-haiku-4-5", params: { ...region, model: "bedrock/messages/x" } })
        .headers,
    ).toMatchObject({
      "anthropic-version": "2023-06-01",
    });
  });

  test.each([[["brand-new-2027-01-01"]], ["brand-new-2027-01-01"]])("a deployment may add betas: %j", (anthropic_beta) => {
    const params = { ...region, anthropic_beta };
    const messages = address(provider, { model: "anthropic.claude-opus-5", params });
    expect(messages.headers["anthropic-beta"]).toBe("brand-new-2027-01-01");
    expect(address(provider, { model: "anthropic.claude-opus-5", params, headers }).headers["anthropic-beta"]).toContain("brand-new");
    expect(address(provider, { model: "anthropic.claude-opus-4-6-v1", params }).json).toMatchObject({
      anthropic_beta: ["brand-new-2027-01-01"],
    });
    expect(targetOf(provider, { model: "anthropic.claude-opus-5", params }).quirks.messages?.betas).toContain("brand-new-2027-01-01");
  });

  test("settings of the deployment are headers of InvokeModel", () => {
    const params = {
      ...region,
      guardrailConfig: { guardrailIdentifier: "g1", guardrailVersion: "2", trace: "enabled" },
      performanceConfig: { latency: "optimized" },
      serviceTier: "flex",
    };
    expect(address(provider, { model: "anthropic.claude-opus-4-6-v1", params }).headers).toMatchObject({
      "x-amzn-bedrock-guardrailidentifier": "g1",
      "x-amzn-bedrock-guardrailversion": "2",
      "x-amzn-bedrock-trace": "ENABLED",
      "x-amzn-bedrock-performanceconfig-latency": "optimized",
      "x-amzn-bedrock-service-tier": "flex",
    });
  });
});

describe("keys", () => {
  test("a key of Bedrock is a bearer, and x-api-key on the Messages endpoint", () => {
    const key = { form: "api-key", value: "ABSKabc" } as const;
    expect(provider.authorize([["accept", "x"]], key)).toEqual([
      ["accept", "x"],
      ["authorization", "Bearer ABSKabc"],
    ]);
    expect(provider.authorize([["anthropic-version", "2023-06-01"]], key)).toContainEqual(["x-api-key", "ABSKabc"]);
  });

  test("a caller's own login goes to none of its hosts", () => {
    expect(provider.ownsUrl(new URL("https://bedrock-runtime.us-east-1.amazonaws.com/"))).toBe(false);
    expect(provider.isCredential?.("sk-ant-oat01-x")).toBe(false);
    expect(provider.isCredential?.("bedrock-api-key-abc")).toBe(true);
  });
});

describe("what cannot work is said", () => {
  test.each([
    [{ model: "x", params: { ...region, aws_access_key_id: "AKIA" } }, /aws_access_key_id without aws_secret_access_key/],
    [{ model: "x", params: { ...region, aws_secret_access_key: "s" } }, /aws_secret_access_key without aws_access_key_id/],
    [{ model: "x", params: { ...region, aws_session_name: "s" } }, /aws_session_name without aws_role_name/],
    [
      { model: "x", apiBase: "https://h.example", params: { aws_region_name: "us-east" } },
      /"us-east" as AWS region; wanted one like us-east-1/,
    ],
    [{ model: "agent/A/B", params: region }, /route "agent", which is not served here/],
  ])("%j", (asked, expected) => {
    const faults = provider.check?.(questionOf(asked), variablesOf({ AWS_CONFIG_FILE: "/nowhere" })) ?? [];
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(expected);
  });

  test("and nothing is said of what can", () => {
    expect(provider.check?.(questionOf({ model: "amazon.nova-pro-v1:0", params: region }), noVariables)).toEqual([]);
    expect(provider.check?.(questionOf({ model: arn }), noVariables)).toEqual([]);
    expect(
      provider.check?.(questionOf({ model: "x", apiBase: "https://h.example" }), variablesOf({ AWS_CONFIG_FILE: "/nowhere" })),
    ).toEqual([]);
  });
});
