import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { headerValue, readRequestHeaders, readResponseHeaders } from "../../../core/upstream/headers.ts";
import { incoming } from "../../helpers/incoming.ts";

const forwarded = (headers: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] =>
  readRequestHeaders(incoming(headers)).endToEnd;

describe("request headers that travel on", () => {
  test("keep their order, values and repetitions; names are lower case", () => {
    expect(
      forwarded([
        ["Anthropic-Beta", "one-2025-01-01,two-2025-01-01"],
        ["Anthropic-Version", "2023-06-01"],
        ["X-Stainless-Retry-Count", "0"],
        ["anthropic-beta", "  three-2025-01-01 ,four"],
        ["User-Agent", "claude-cli/2.1.330 (external, sdk-cli) caf\u00e9"],
        ["Anthropic-Dangerous-Direct-Browser-Access", "true"],
      ]),
    ).toEqual([
      ["anthropic-beta", "one-2025-01-01,two-2025-01-01"],
      ["anthropic-version", "2023-06-01"],
      ["x-stainless-retry-count", "0"],
      ["anthropic-beta", "  three-2025-01-01 ,four"],
      ["user-agent", "claude-cli/2.1.330 (external, sdk-cli) caf\u00e9"],
      ["anthropic-dangerous-direct-browser-access", "true"],
    ]);
  });

  test.each([
    // Of this hop.
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "Proxy-Anything",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "HTTP2-Settings",
    "Expect",
    "Host",
    "Content-Length",
    "Accept-Encoding",
    // Of the browser.
    "Origin",
    "Referer",
    "Cookie",
    "Cookie2",
    "Sec-Fetch-Site",
    "Sec-Fetch-Mode",
    "Sec-CH-UA",
    "Sec-WebSocket-Key",
    // Claims about the caller's address.
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Anything",
    "Forwarded",
    "Via",
    "X-Real-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    // Credentials, which take their own way.
    "Authorization",
    "X-Api-Key",
    "X-LiteLLM-Api-Key",
    "X-Goog-Api-Key",
    "Api-Key",
    // Our own.
    "X-Ccproxy-Token",
    "X-CCProxy-Anything",
  ])("are not: %s", (name) => {
    expect(forwarded([[name, "value"]])).toEqual([]);
    expect(forwarded([[name.toUpperCase(), "value"]])).toEqual([]);
  });

  test("what Connection names stays here, in one line or several, in any case", () => {
    const named = [
      ["X-One", "1"],
      ["x-two", "2"],
      ["X-Three", "3"],
      ["x-four", "4"],
    ] as const;
    expect(forwarded([["Connection", "x-one"], ...named]).map(([name]) => name)).toEqual(["x-two", "x-three", "x-four"]);
    expect(forwarded([["Connection", "close, X-One ,x-TWO"], ["connection", "X-Three"], ...named])).toEqual([["x-four", "4"]]);
    expect(forwarded([...named, ["Connection", "keep-alive"]]).length).toBe(4);
    expect(forwarded([...named, ["Connection", ""]]).length).toBe(4);
  });

  test("a name that merely begins like one of those passes", () => {
    const alike = [
      "origin-trial",
      "hostname",
      "cookies",
      "security",
      "secret",
      "x-real-ip-2",
      "x-api-key-2",
      "authorization-info",
      "x-forwarded",
    ];
    expect(forwarded(alike.map((name) => [name, "value"] as const)).map(([name]) => name)).toEqual(alike);
  });
});

describe("reading request headers", () => {
  test("gives values, joined when repeated, and no credential", () => {
    const read = readRequestHeaders(
      incoming([
        ["X-Claude-Code-Request-Class", "main"],
        ["Anthropic-Beta", "one"],
        ["anthropic-beta", "two"],
        ["Authorization", "Bearer secret"],
        ["X-Api-Key", "secret"],
        ["X-LiteLLM-Api-Key", "secret"],
        ["X-Ccproxy-Token", "secret"],
        ["Proxy-Authorization", "Basic secret"],
        ["Cookie", "session=secret"],
      ]),
    );
    expect(read.get("x-claude-code-request-class")).toBe("main");
    expect(read.get("anthropic-beta")).toBe("one, two");
    expect(read.get("x-absent")).toBeUndefined();
    for (const name of ["authorization", "x-api-key", "x-litellm-api-key", "x-ccproxy-token", "proxy-authorization", "cookie"]) {
      expect(read.get(name)).toBeUndefined();
    }
  });
});

describe("response headers that travel on", () => {
  test("keep their order, values and repetitions, bytes above ASCII too", () => {
    const raw = ["Request-Id", "req_1", "ANTHROPIC-RATELIMIT-Requests-Limit", "50", "Warning", "a", "warning", "b", "retry-after", "7"];
    expect(readResponseHeaders([...raw.map((text) => Buffer.from(text)), Buffer.from("x-name"), Buffer.from([0x63, 0xe9])])).toEqual([
      ["request-id", "req_1"],
      ["anthropic-ratelimit-requests-limit", "50"],
      ["warning", "a"],
      ["warning", "b"],
      ["retry-after", "7"],
      ["x-name", "c\u00e9"],
    ]);
    expect(readResponseHeaders(raw)).toEqual(readResponseHeaders(raw.map((text) => Buffer.from(text))));
  });

  test.each([
    "Connection",
    "Keep-Alive",
    "Transfer-Encoding",
    "Trailer",
    "Upgrade",
    "Proxy-Authenticate",
    // Would be kept by a browser for this proxy's origin.
    "Set-Cookie",
    "Set-Cookie2",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Private-Network",
    "Alt-Svc",
    "Clear-Site-Data",
    "Strict-Transport-Security",
    // Only we may say these.
    "X-Ccproxy-Label",
    "X-CCPROXY-Request-Id",
  ])("are not: %s", (name) => {
    expect(readResponseHeaders([name, "value", "x-kept", "1"])).toEqual([["x-kept", "1"]]);
  });

  test("what Connection names stays here, wherever and in how many lines it stands", () => {
    const raw = ["x-one", "1", "Connection", "X-One", "x-two", "2", "connection", "close, x-two", "x-three", "3"];
    expect(readResponseHeaders(raw)).toEqual([["x-three", "3"]]);
  });

  test("nothing of it can make two headers out of one", () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9-]{1,20}$/);
    const value = fc.stringMatching(/^[\x20-\x7e]{0,40}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (headers) => {
        for (const [ownName, ownValue] of readResponseHeaders(headers.flat())) {
          expect(ownName).toBe(ownName.toLowerCase());
          expect(headers.some(([sent, content]) => sent.toLowerCase() === ownName && content === ownValue)).toBe(true);
        }
      }),
    );
  });
});

test("a value is found by its lower-case name, the first one of several", () => {
  const list = [
    ["retry-after", "1"],
    ["retry-after", "2"],
  ] as const;
  expect(headerValue(list, "retry-after")).toBe("1");
  expect(headerValue(list, "Retry-After")).toBeUndefined();
});
