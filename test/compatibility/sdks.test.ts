/**
 * Real clients through real wires: each official SDK against a running proxy, in front of a scripted host of each vendor.
 * Names of groups and tests are rows and columns of the matrix in docs/compatibility.md.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startProxy, type Proxy } from "../helpers/proxy.ts";
import { anthropicWire } from "../helpers/wires/anthropic.ts";
import { bedrockWire } from "../helpers/wires/bedrock.ts";
import { geminiWire } from "../helpers/wires/gemini.ts";
import { openaiChatWire } from "../helpers/wires/openai-chat.ts";
import { openaiResponsesWire } from "../helpers/wires/openai-responses.ts";
import { says } from "../helpers/wires/script.ts";
import { startWire, type Wire, type WireHost } from "../helpers/wires/wire.ts";
import { anthropicClient } from "./clients/anthropic.ts";
import { geminiClient } from "./clients/gemini.ts";
import { openaiChatClient } from "./clients/openai-chat.ts";
import { openaiResponsesClient } from "./clients/openai-responses.ts";
import { features, testName, type Stage } from "./features.ts";
import { rowName } from "./matrix.ts";
import { ruleFaults } from "./outbound/rules.ts";
import { typeFaults, type SentBody } from "./outbound/types.ts";

interface Place {
  readonly wire: Wire;
  /** `litellm_params` of the group, without the address. */
  readonly params: object;
  /** Where thoughts are asked of another provider that speaks the same wire. */
  readonly thinkingParams?: object;
  /** What is behind the host's own address. */
  readonly path?: string;
}

const places: readonly Place[] = [
  { wire: anthropicWire, params: { model: "anthropic/claude-sonnet-5-5", api_key: "sk-ant-deployment-key" } },
  {
    wire: openaiChatWire,
    // A model without Responses: clients of that would be passed on as they are.
    params: { model: "openai/gpt-4o-search-preview", api_key: "sk-deployment-key" },
    thinkingParams: { model: "moonshot/kimi-k3", api_key: "sk-deployment-key" },
    path: "/v1",
  },
  { wire: openaiResponsesWire, params: { model: "openai/responses/gpt-6-sol", api_key: "sk-deployment-key" }, path: "/v1" },
  { wire: geminiWire, params: { model: "gemini/gemini-4-argon", api_key: "AIza-deployment-key" } },
  {
    wire: bedrockWire,
    params: {
      model: "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      aws_access_key_id: "AKIAIOSFODNN7EXAMPLE",
      aws_secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      aws_region_name: "us-east-1",
      // By default an answer nobody waits for is read to its end here, because Bedrock bills it anyway.
      on_disconnect: "abort",
    },
  },
];
const clients = [anthropicClient, openaiChatClient, openaiResponsesClient, geminiClient];

const hosts: WireHost[] = [];
let proxy: Proxy;
const sent: SentBody[] = [];

beforeAll(async () => {
  for (const { wire } of places) hosts.push(await startWire(wire, says("hello")));
  const groups = places.flatMap(({ wire, params, thinkingParams, path = "" }, index) => {
    const api_base = `${hosts[index]?.url}${path}`;
    return [
      { model_name: `to-${wire.name}`, litellm_params: { ...params, api_base } },
      { model_name: `to-${wire.name}-thinking`, litellm_params: { ...(thinkingParams ?? params), api_base } },
    ];
  });
  proxy = await startProxy({ config: { model_list: groups } });
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  for (const host of hosts) await host[Symbol.asyncDispose]();
});

function hostOf(index: number): WireHost {
  const host = hosts[index % places.length];
  if (host === undefined) throw new Error("the hosts are not up");
  return host;
}

for (const client of clients) {
  for (const [index, { wire }] of places.entries()) {
    describe(rowName({ client: client.name, upstream: wire.name }), () => {
      for (const feature of features) {
        for (const test of feature.tests) {
          it(testName(feature, test), async () => {
            const [host, other] = [hostOf(index), hostOf(index + 1)];
            const model = `to-${wire.name}`;
            const stage: Stage = {
              client,
              host,
              model,
              thinkingModel: `${model}-thinking`,
              other: { host: other, model: `to-${other.wire.name}-thinking` },
              open: (options) => client.open({ baseUrl: proxy.url, model, ...options }),
            };
            await test.run(stage);
            for (const asked of host.asked) {
              // Between a client and a host of the same wire the bytes are the client's own.
              if (client.name === wire.name) continue;
              sent.push({
                wire: wire.name,
                label: `${rowName({ client: client.name, upstream: wire.name })}, ${testName(feature, test)}`,
                body: asked.body,
              });
              expect(ruleFaults(wire.name, asked)).toEqual([]);
            }
          });
        }
      }
    });
  }
}

it("what was sent is what the vendors' SDKs would send", async () => {
  expect(sent.length).toBeGreaterThan(0);
  expect(await typeFaults(sent)).toEqual([]);
});
