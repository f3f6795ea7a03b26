import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { textOf, type ContentBlock, type MessagesRequest } from "ccproxy/sdk";
import { eventsOf, makeContext, makeReply, makeRequest, replyOf, runHook } from "ccproxy/sdk/testing";

import redactSecrets from "../../hooks/redact-secrets.ts";
import { findSecrets } from "../../hooks/shared/secrets.ts";

// Put together here, so that no scanner of repositories takes them for real ones.
const mixed = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3dE5f";
const github = `ghp_${mixed.slice(0, 36)}`;
const anthropic = `sk-ant-api03-${mixed}`;
const password = "corr3ct-h0rse-Battery";

const target = { deployment: "d", group: "g", model: "m", provider: "anthropic" };

async function redact(request: MessagesRequest, params: object = {}): Promise<MessagesRequest> {
  return (await runHook(redactSecrets, "preUpstream", request, { params, target })).request;
}

const placeholder = /SECRET_[A-Z_]+_[0-9a-f]{16}/;

describe("what is found", () => {
  test.each([
    ["anthropic_key", anthropic],
    ["api_key", `sk-proj-${mixed}`],
    ["github_token", github],
    ["github_token", `github_pat_${mixed}${mixed}`],
    ["gitlab_token", `glpat-${mixed.slice(0, 20)}`],
    ["aws_key", "AKIAIOSFODNN7EXAMPL2"],
    ["google_key", `AIza${mixed.slice(0, 35)}`],
    ["slack_token", `xoxb-${mixed}`],
    ["stripe_key", `sk_live_${mixed.slice(0, 24)}`],
    ["npm_token", `npm_${mixed.slice(0, 36)}`],
    ["huggingface_token", `hf_${mixed.slice(0, 34)}`],
    ["jwt", `eyJ${mixed.slice(0, 20)}.eyJ${mixed.slice(0, 20)}.${mixed}`],
    ["private_key", `-----BEGIN RSA PRIVATE KEY-----\n${mixed}\n${mixed}\n-----END RSA PRIVATE KEY-----`],
  ])("%s", (kind, secret) => {
    for (const [before, after] of [
      ["", ""],
      ["key: ", "."],
      ["a\\n", "\\n"],
      ['"', '"'],
      ["=%20", "&x"],
    ]) {
      expect(findSecrets(before + secret + after)).toEqual([{ start: before?.length, end: (before?.length ?? 0) + secret.length, kind }]);
    }
  });

  test.each([
    ["bearer_token", `Authorization: Bearer `, mixed, "\n"],
    ["password", "postgres://admin:", password, "@db.example.com/x"],
    ["password", "DB_PASSWORD=", password, "\nDEBUG=1"],
    ["password", 'export API_TOKEN="', password, '"'],
    ["aws_key", "aws_secret_access_key = ", mixed.slice(0, 40), "\n"],
  ])("%s by what stands before it: %s", (kind, before, secret, after) => {
    expect(findSecrets(before + secret + after)).toEqual([{ start: before.length, end: before.length + secret.length, kind }]);
  });

  test.each([
    "risk-management-and-assessment-of-things-2024",
    "const token = request.headers.authorization;",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "PASSWORD=changeme",
    "API_KEY=${process.env.SOME_LONG_NAME_1}",
    "postgres://admin:$PASSWORD@db/x",
    "https://example.com:8080/path@2x.png",
    "Bearer tokens are described in RFC 6750",
    "AKIA and eyJ and ghp_ and SG. alone",
  ])("nothing in %s", (text) => {
    expect(findSecrets(text)).toEqual([]);
  });

  test.each(["sk-", "eyJ", "-eyJ", "Bearer ", "://a:", "KEY=", "-----BEGIN PRIVATE KEY-----", "AKIA", "SG.", " eyJaaaaaaaaaaaa"])(
    "a megabyte of %j is no way to stall it",
    (piece) => {
      const steps = performance.now();
      findSecrets(piece.repeat(Math.ceil(1_000_000 / piece.length)));
      // Quadratic time would be minutes.
      expect(performance.now() - steps).toBeLessThan(5_000);
    },
  );
});

describe("the way to the model", () => {
  test("covers the prompt, messages, tool results, documents and arguments of tool calls; nothing else changes", async () => {
    const call: ContentBlock = { type: "tool_use", id: "t1", name: "Bash", input: { command: `curl -H ${github}`, count: 3 } };
    const request = makeRequest({
      system: [{ type: "text", text: `use ${github}`, cache_control: { type: "ephemeral" } }],
      messages: [
        { role: "user", content: `key ${github}` },
        { role: "assistant", content: [{ type: "thinking", thinking: `not ${github}`, signature: "s" }, call] },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t1", content: github },
            { type: "tool_result", tool_use_id: "t2", content: [{ type: "text", text: github }] },
            { type: "document", source: { type: "text", data: github } },
          ],
        },
      ],
    });
    const text = JSON.stringify(await redact(request));
    const name = placeholder.exec(text)?.[0] ?? "";
    expect(name).toMatch(/^SECRET_GITHUB_TOKEN_/);
    const wanted = JSON.stringify(request).replaceAll(github, name).replace(`not ${name}`, `not ${github}`);
    expect(text).toBe(wanted);
  });

  test("is taken for secret wherever it stands later, once its surroundings gave it away", async () => {
    const request = makeRequest({
      messages: [
        { role: "user", content: `it is ${password}` },
        { role: "user", content: `DB_PASSWORD=${password}` },
        { role: "assistant", content: `The password is ${password}.` },
      ],
    });
    const [before, found, after] = (await redact(request)).messages.map(({ content }) => content);
    // What came before stays: an earlier turn was sent with these bytes.
    expect(before).toBe(`it is ${password}`);
    expect(found).toMatch(/^DB_PASSWORD=SECRET_PASSWORD_[0-9a-f]{16}$/);
    expect(after).toBe(`The password is ${textOf(found).slice("DB_PASSWORD=".length)}.`);
  });

  test("words and patterns of one's own", async () => {
    const params = {
      words: ["Project Falcon"],
      patterns: { ticket: String.raw`TCK-\d{6}`, pin: String.raw`pin is (\d{8,})` },
      except: ["github_token"],
    };
    const request = await redact(makeRequest(`Project Falcon, TCK-123456, pin is 12345678, ${github}`), params);
    expect(request.messages[0]?.content).toMatch(
      new RegExp(`^SECRET_WORD_\\w{16}, SECRET_TICKET_\\w{16}, pin is SECRET_PIN_\\w{16}, ${github}$`),
    );
  });

  test("a pattern that is none is told when the file is loaded", async () => {
    await expect(redact(makeRequest(), { patterns: { x: "(" } })).rejects.toThrow(/^params\.patterns\.x: Invalid regular expression/);
  });

  test("trusted targets get everything", async () => {
    expect(await redact(makeRequest(github), { trusted: ["g"] })).toEqual(makeRequest(github));
  });

  test("doing it again changes nothing", async () => {
    const once = await redact(makeRequest(`TOKEN=${anthropic} DB_PASSWORD=${password} Bearer ${mixed}`));
    expect(JSON.stringify(once)).not.toContain(mixed);
    expect(await redact(once)).toEqual(once);
  });
});

/** Text that the model wrote, as the client gets it. */
async function roundTrip(
  request: MessagesRequest,
  reply: (sent: MessagesRequest) => ContentBlock[],
  pieceLength: number,
  grants: string[] = [],
) {
  const context = makeContext({ target, grants });
  const { request: sent } = await runHook(redactSecrets, "preUpstream", request, { context });
  const upstream = makeReply({ content: reply(sent) });
  const { events } = await runHook(redactSecrets, "onEvent", eventsOf(upstream, pieceLength), { context });
  return { sent, upstream, received: replyOf(events), events };
}

describe("the way back", () => {
  const request = makeRequest(`my token is ${github}, mail ${anthropic}`);
  const echo = (sent: MessagesRequest): ContentBlock[] => [{ type: "text", text: `${textOf(sent.messages[0]?.content)} SECRET_ S` }];

  test.each([1, 2, 3, 7, 16, 40, Infinity])("placeholders become secrets again, in pieces of %d characters", async (pieceLength) => {
    const { received } = await roundTrip(request, echo, pieceLength);
    expect(received.content).toEqual([{ type: "text", text: `${textOf(request.messages[0]?.content)} SECRET_ S` }]);
  });

  test.each([1, 5, Infinity])("in tool calls with the grant, in pieces of %d characters", async (pieceLength) => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${mixed}\n${mixed}\n-----END PRIVATE KEY-----`;
    const call = (sent: MessagesRequest): ContentBlock[] => [
      { type: "tool_use", id: "t", name: "Write", input: { text: `${textOf(sent.messages[0]?.content)}"\n` } },
    ];
    const granted = await roundTrip(makeRequest(pem), call, pieceLength, ["reply:tools"]);
    expect(granted.received.content).toEqual([{ type: "tool_use", id: "t", name: "Write", input: { text: `${pem}"\n` } }]);
    const { received, upstream } = await roundTrip(makeRequest(pem), call, pieceLength);
    expect(received.content).toEqual(upstream.content);
  });

  test("thinking stays as it was signed", async () => {
    const think = (sent: MessagesRequest): ContentBlock[] => [
      { type: "thinking", thinking: textOf(sent.messages[0]?.content), signature: "sig" },
    ];
    const { received, upstream } = await roundTrip(request, think, 3);
    expect(received.content).toEqual(upstream.content);
  });

  test("events without placeholders are not touched", async () => {
    const events = eventsOf(makeReply("Some text that Says nothing."), 4);
    const context = makeContext({ target });
    await runHook(redactSecrets, "preUpstream", request, { context });
    const result = await runHook(redactSecrets, "onEvent", events, { context });
    expect(replyOf(result.events)).toEqual(replyOf(events));
    expect(result.events.filter((event) => events.some((each) => JSON.stringify(each) === JSON.stringify(event))).length).toBeGreaterThan(
      8,
    );
  });

  test("an unknown placeholder stays", async () => {
    const foreign = "SECRET_API_KEY_0123456789abcdef";
    const { received } = await roundTrip(request, () => [{ type: "text", text: foreign }], 5);
    expect(received.content).toEqual([{ type: "text", text: foreign }]);
  });
});

test("a conversation is sent with the same bytes on every turn, though the client holds the secrets", async () => {
  const piece = fc.oneof(
    fc.constantFrom(github, anthropic, `DB_PASSWORD=${password}\n`, password, `https://me:${password}@host`, "SECRET_", "S", "PASSWORD="),
    fc.string({ maxLength: 8 }),
    fc.lorem({ maxCount: 2 }),
  );
  const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(" "));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, text, fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 4 }), async (turns) => {
      const client: MessagesRequest = makeRequest({ system: "Be kind.", messages: [] });
      let sentBefore: string[] = [];
      for (const [said, answer, pieceLength] of turns) {
        client.messages.push({ role: "user", content: said });
        // The model repeats what it was sent, and says something of its own.
        const reply = (sent: MessagesRequest): ContentBlock[] => [
          { type: "text", text: `${JSON.stringify(sent.messages.at(-1)?.content)} ${answer.replaceAll(/\S{12,}/g, "")}` },
        ];
        const { sent, upstream, received } = await roundTrip(client, reply, pieceLength);
        const sentNow = sent.messages.map((message) => JSON.stringify(message));
        expect(sentNow.slice(0, sentBefore.length)).toEqual(sentBefore);
        const [written] = upstream.content;
        sentBefore = [...sentNow, JSON.stringify({ role: "assistant", content: [written] })];
        client.messages.push({ role: "assistant", content: received.content });
      }
    }),
    { numRuns: 200 },
  );
});

test("more than it may keep stays placeholders, in the request as in the reply", async () => {
  const many = Array.from({ length: 900 }, (_, index) => `ghp_${String(index).padStart(4, "0")}${mixed.slice(0, 36)}`);
  const context = makeContext({ target });
  const { request } = await runHook(redactSecrets, "preUpstream", makeRequest(many.join(" ")), { context });
  expect(JSON.stringify(request)).not.toContain(mixed.slice(0, 36));
  expect(JSON.stringify(context.locals.get("secrets")).length).toBeLessThan(48_000);
  expect(context.logs.join()).toMatch(/of 900 placeholders will stay in the reply/);
});
