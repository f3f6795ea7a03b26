import { describe, expect, test } from "vitest";

import { type Asked, type Choosing, type Wanted, choosing } from "../../helpers/choosing.ts";

const checks = { preCallChecks: true };

const window = (id: string, tokens: number): Wanted => ({ id, info: { max_input_tokens: tokens } });

/** A request of about so many tokens, by its size. */
const sized = (tokens: number): Asked => ({ body: { messages: [{ role: "user", content: "x".repeat(tokens * 4) }] } });

/** A block of so many bytes. */
const media = (type: "image" | "document", bytes: number): unknown => ({
  type,
  source: { type: "base64", media_type: type === "image" ? "image/png" : "application/pdf", data: "A".repeat(bytes) },
});

const holding = (...content: readonly unknown[]): Asked => ({ body: { messages: [{ role: "user", content }] } });

/** Everybody who may be chosen. */
async function left({ choose, exchange }: Choosing, asked: Asked): Promise<string> {
  const ids = new Set<string>();
  const made = exchange(asked);
  for (let time = 0; time < 40; time++) {
    const choice = await choose(asked, made);
    if (choice.type === "none") return `${choice.error.status} ${choice.error.message}`;
    ids.add(choice.target.deployment.deploymentId);
  }
  return [...ids].toSorted().join(" ");
}

/** A counter that always says the same, and how often it was asked. */
function counter(tokens: number): { readonly countTokens: () => Promise<number>; readonly asked: () => number } {
  let times = 0;
  return {
    asked: () => times,
    countTokens: async () => {
      times++;
      return tokens;
    },
  };
}

describe("the window", () => {
  const windows = [window("small", 10_000), window("large", 100_000), { id: "open", model: "openai/unheard-of" }];

  test("leaves out what is too small, and nobody whose window is not known", async () => {
    expect(await left(await choosing(windows, checks), sized(50_000))).toBe("large open");
    expect(await left(await choosing(windows, checks), sized(500_000))).toBe("open");
    expect(await left(await choosing(windows, checks), sized(5000))).toBe("large open small");
  });

  test("means nothing where the checks are not wanted", async () => {
    expect(await left(await choosing(windows), sized(500_000))).toBe("large open small");
  });

  test("is compared with the exact count only where the estimate comes near it", async () => {
    const near = counter(10_001);
    expect(await left(await choosing(windows, checks, near), sized(9000))).toBe("large open");
    expect(near.asked()).toBe(40);
    const exact = counter(10_000);
    expect(await left(await choosing(windows, checks, exact), sized(12_900))).toBe("large open small");
    const far = counter(1);
    expect(await left(await choosing(windows, checks, far), sized(6800))).toBe("large open small");
    expect(await left(await choosing(windows, checks, far), sized(13_100))).toBe("large open");
    expect(far.asked()).toBe(0);
  });

  test("is compared with the exact count wherever the size says little: pictures and documents", async () => {
    for (const type of ["image", "document"] as const) {
      const few = counter(1500);
      expect(await left(await choosing(windows, checks, few), holding(media(type, 200_000)))).toBe("large open small");
      expect(few.asked()).toBe(40);
    }
  });

  test("turns nobody away where the tokens cannot be counted", async () => {
    const countTokens = (): Promise<number> => Promise.reject(new Error("the worker is gone"));
    expect(await left(await choosing(windows, checks, { countTokens }), sized(10_000))).toBe("large open small");
  });

  test("of all being too small, the caller is told in the words that clients act upon", async () => {
    const setup = await choosing([window("small", 10_000), window("large", 20_000)], checks, counter(21_000));
    const choice = await setup.choose(sized(19_000));
    expect(choice).toMatchObject({
      type: "none",
      error: { status: 400, kind: "invalid_request_error", message: "prompt is too long: 21000 tokens > 20000 maximum" },
    });
  });

  test("of a deployment alone counts, too", async () => {
    const setup = await choosing([window("small", 10_000)], checks);
    expect(await left(setup, sized(50_000))).toMatch(/^400 prompt is too long: \d+ tokens > 10000 maximum$/);
    expect(await left(setup, { ...sized(50_000), name: "small" })).toBe("small");
  });

  test("does not keep anybody from counting a prompt that is too long", async () => {
    expect(await left(await choosing([window("small", 10_000)], checks), { ...sized(50_000), operation: "count_tokens" })).toBe("small");
  });

  test("too small is told in the trace", async () => {
    const { choose, exchange } = await choosing(windows, checks, counter(12_000));
    const made = exchange(sized(12_000));
    await choose({}, made);
    expect(made.trace.steps).toMatchObject([{ what: "left out", detail: { small: "12000 tokens are more than its 10000" } }]);
  });
});

describe("abilities", () => {
  const lacking = (id: string, ability: string): Wanted => ({ id, model: "openai/unheard-of", info: { [ability]: false } });
  const able = {
    id: "able",
    model: "openai/unheard-of",
    info: { supports_vision: true, supports_pdf_input: true, supports_function_calling: true },
  };
  const unknown = { id: "unknown", model: "openai/unheard-of" };

  const image = media("image", 40);
  const document = media("document", 40);
  const result = (...content: readonly unknown[]): unknown => ({ type: "tool_result", tool_use_id: "t", content });
  const tools = { tools: [{ name: "Bash", input_schema: { type: "object" } }] };
  const input = { type: "document", content: { type: "image" } };
  const plain = holding({ type: "text", text: 'a "document" and an "image"' }, { type: "tool_use", id: "t", name: "Write", input });

  test.each([
    ["supports_vision", "a picture", holding(image)],
    ["supports_vision", "a picture in a tool's result", holding(result(image))],
    ["supports_pdf_input", "a document", holding(document)],
    ["supports_pdf_input", "a document in a tool's result", holding(result({ type: "text", text: "" }, document))],
    ["supports_function_calling", "tools", { body: tools }],
  ])("without %s nobody is asked who is sent %s", async (ability, _, asked) => {
    const setup = await choosing([lacking("lacking", ability), able, unknown], checks);
    expect(await left(setup, asked)).toBe("able unknown");
    expect(await left(setup, plain)).toBe("able lacking unknown");
    expect(await left(await choosing([lacking("lacking", ability), able], {}), asked)).toBe("able lacking");
  });

  test.each([
    ["supports_vision", "read images", holding(image)],
    ["supports_pdf_input", "read documents", holding(document)],
    ["supports_function_calling", "use tools", { body: tools }],
  ])("where all lack %s the caller is told that nobody can %s", async (ability, what, asked) => {
    const setup = await choosing([lacking("one", ability), lacking("other", ability)], checks);
    expect(await left(setup, asked)).toBe(
      `400 The request needs a model that can ${what}, and no deployment of "g" can. Ask for another model, or add a deployment that can.`,
    );
  });

  test("go before windows: who is large enough but blind is not why a prompt would be too long", async () => {
    const blind = { ...lacking("blind", "supports_vision"), info: { supports_vision: false, max_input_tokens: 100_000 } };
    const setup = await choosing([blind, window("small", 1000)], checks, counter(5000));
    expect(await left(setup, holding(image, { type: "text", text: "x".repeat(20_000) }))).toBe(
      "400 prompt is too long: 5000 tokens > 1000 maximum",
    );
  });
});
