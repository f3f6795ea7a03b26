/** The scripted hosts against the SDK of the vendor that each stands for, with nothing between: that they are what they seem. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { anthropicWire } from "../helpers/wires/anthropic.ts";
import { bedrockWire } from "../helpers/wires/bedrock.ts";
import { geminiWire } from "../helpers/wires/gemini.ts";
import { openaiChatWire } from "../helpers/wires/openai-chat.ts";
import { openaiResponsesWire } from "../helpers/wires/openai-responses.ts";
import { says } from "../helpers/wires/script.ts";
import { startWire, type WireHost } from "../helpers/wires/wire.ts";
import { anthropicClient } from "./clients/anthropic.ts";
import { bedrockClient } from "./clients/bedrock.ts";
import { geminiClient } from "./clients/gemini.ts";
import { openaiChatClient } from "./clients/openai-chat.ts";
import { openaiResponsesClient } from "./clients/openai-responses.ts";
import { features, testName, type Stage } from "./features.ts";
import { ruleFaults } from "./outbound/rules.ts";
import { typeFaults, type SentBody } from "./outbound/types.ts";

const pairs = [
  { client: anthropicClient, wire: anthropicWire },
  { client: openaiChatClient, wire: openaiChatWire },
  { client: openaiResponsesClient, wire: openaiResponsesWire },
  { client: geminiClient, wire: geminiWire },
  { client: bedrockClient, wire: bedrockWire },
];
const sent: SentBody[] = [];

describe.each(pairs)("$wire.name", ({ client, wire }) => {
  let host: WireHost;
  beforeAll(async () => void (host = await startWire(wire, says("hello"))));
  afterAll(() => host[Symbol.asyncDispose]());

  for (const feature of features) {
    for (const test of feature.tests.filter((one) => one.needsProxy !== true)) {
      it(testName(feature, test), async () => {
        const model = "gemini-4-argon";
        const stage: Stage = {
          client,
          host,
          model,
          thinkingModel: model,
          other: undefined,
          open: (options) => client.open({ baseUrl: host.url, model, ...options }),
        };
        await test.run(stage);
        for (const asked of host.asked) {
          sent.push({ wire: wire.name, label: testName(feature, test), body: asked.body });
          // Google's chat keeps the last, empty piece of a stream.
          expect(ruleFaults(wire.name, asked).filter((fault) => wire.name !== "gemini" || !fault.endsWith("has an empty text"))).toEqual(
            [],
          );
        }
      });
    }
  }
});

it("what the SDKs send is what their types say", async () => {
  // A message that is sent back as it came has these.
  const faults = (await typeFaults(sent)).filter((fault) => !fault.includes('"annotations"'));
  expect(faults).toEqual([]);
});
