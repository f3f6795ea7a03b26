import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { createRequestBody } from "../../../core/body/request-body.ts";
import { createTokenService } from "../../../core/tokens/token-service.ts";
import { pngHeader } from "./image-headers.ts";
import { sample, sampleConversation } from "./sample-conversation.ts";

interface Row {
  /** Where the figure was found. */
  readonly source: string;
  readonly tokens: number;
  /** How far off a count may be; a tenth unless said. */
  readonly within?: number;
}

interface Golden {
  readonly requests: readonly (Row & { readonly name: string; readonly body: unknown })[];
  readonly images: readonly (Row & { readonly model: string; readonly width: number; readonly height: number })[];
  readonly texts: readonly (Row & { readonly model: string; readonly sample: string })[];
  readonly conversations: readonly (Row & { readonly model: string })[];
}

const golden = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8")) as Golden;
const service = createTokenService();
afterAll(() => service.close());

const count = (request: unknown): Promise<number> => service.counterFor(createRequestBody(Buffer.from(JSON.stringify(request)))).count();
/** What one content adds to a message that has none. */
const contentTokens = async (model: string, content: unknown): Promise<number> =>
  (await count({ model, messages: [{ role: "user", content }] })) - (await count({ model, messages: [{ role: "user", content: "" }] }));

function expectClose(found: number, { tokens, within = 0.1 }: Row): void {
  expect(found).toBeGreaterThanOrEqual(tokens * (1 - within));
  expect(found).toBeLessThanOrEqual(tokens * (1 + within));
}

describe("counts against figures from elsewhere", () => {
  it.each(golden.requests)("$name: $tokens tokens by $source", async (row) => {
    expectClose(await count(row.body), row);
  });

  it.each(golden.images)(
    "an image of $width × $height costs $model $tokens tokens by $source",
    async ({ model, width, height, tokens }) => {
      const image = { type: "image", source: { type: "base64", media_type: "image/png", data: pngHeader(width, height) } };
      expect(await contentTokens(model, [image])).toBe(tokens);
    },
  );

  it.each(golden.texts)("the sample $sample holds $tokens tokens for $model", async (row) => {
    expectClose(await contentTokens(row.model, sample(row.sample)), row);
  });

  it.each(golden.conversations)("a conversation with tools and thinking holds $tokens tokens for $model", async (row) => {
    expectClose(await count(sampleConversation(row.model)), row);
  });
});
