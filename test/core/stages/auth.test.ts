import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { authPolicy, authenticate, sameSecret } from "../../../core/stages/auth.ts";
import { ProxyError } from "../../../sdk/errors.ts";
import { makeConfig } from "../../helpers/config.ts";
import { incoming } from "../../helpers/incoming.ts";

const masterKey = "sk-master-key-0123456789";
const localToken = "local-token-0123456789";
const login = "sk-ant-oat01-callers-own-login";
const none = { localToken: undefined };

function refusal(action: () => unknown): ProxyError {
  try {
    action();
  } catch (error) {
    if (error instanceof ProxyError) return error;
    throw error;
  }
  throw new Error("nobody was refused");
}

describe("without key and token", () => {
  const policy = { masterKey: undefined, localToken: undefined };

  test("anyone may call, with or without credentials of their own", () => {
    expect(authenticate(incoming([]), none, policy)).toEqual({ kind: "anonymous", credentials: [] });
    const request = incoming([
      ["Authorization", `Bearer ${login}`],
      ["X-Api-Key", "sk-ant-key"],
    ]);
    expect(authenticate(request, none, policy)).toEqual({
      kind: "anonymous",
      credentials: [
        ["authorization", `Bearer ${login}`],
        ["x-api-key", "sk-ant-key"],
      ],
    });
  });

  test("a token that nobody asked for does no harm", () => {
    expect(authenticate(incoming([]), { localToken: "whatever" }, policy).kind).toBe("anonymous");
  });
});

describe("the master key", () => {
  const policy = { masterKey, localToken: undefined };

  test.each([
    ["a bearer token", "Authorization", `Bearer ${masterKey}`],
    ["a bearer token in lower case", "authorization", `bearer ${masterKey}`],
    ["a bearer token with more spaces", "authorization", `Bearer   ${masterKey}`],
    ["a bare authorization", "authorization", masterKey],
    ["x-api-key", "x-api-key", masterKey],
    ["x-litellm-api-key", "X-LiteLLM-Api-Key", masterKey],
    ["x-litellm-api-key with a scheme", "x-litellm-api-key", `Bearer ${masterKey}`],
  ])("opens as %s, and is no credential of the caller", (_form, name, value) => {
    expect(authenticate(incoming([[name, value]]), none, policy)).toEqual({ kind: "master", credentials: [] });
  });

  test.each([
    ["another key", `Bearer ${masterKey}x`],
    ["a beginning of it", `Bearer ${masterKey.slice(0, -1)}`],
    ["it in another case", `Bearer ${masterKey.toUpperCase()}`],
    ["it twice", `Bearer ${masterKey}, ${masterKey}`],
    ["it with a word behind", `Bearer ${masterKey} x`],
    ["it as a Basic password", `Basic ${Buffer.from(`x:${masterKey}`).toString("base64")}`],
    ["a scheme alone", "Bearer"],
    ["a login of the vendor", `Bearer ${login}`],
  ])("%s does not open", (_what, value) => {
    const error = refusal(() => authenticate(incoming([["authorization", value]]), none, policy));
    expect(error).toMatchObject({ status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
  });

  test("nothing does not open either, and the refusal does not tell the key", () => {
    const error = refusal(() => authenticate(incoming([]), none, policy));
    expect(error.message).toContain("master key");
    expect(error.message).not.toContain(masterKey);
    expect(refusal(() => authenticate(incoming([["x-api-key", ""]]), none, policy)).status).toBe(401);
  });

  test("in another header it does not open", () => {
    for (const name of ["cookie", "x-goog-user-project", "proxy-authorization", "x-ccproxy-token", "x-master-key"]) {
      expect(refusal(() => authenticate(incoming([[name, masterKey]]), none, policy)).status).toBe(401);
    }
  });

  test("in the headers of other vendors' clients it opens too, and does not travel", () => {
    for (const name of ["x-goog-api-key", "api-key"])
      expect(authenticate(incoming([[name, masterKey]]), none, policy)).toEqual({ kind: "master", credentials: [] });
  });

  test("beside it the caller's own login stays a credential, whichever header holds which", () => {
    const cases = [
      [
        ["authorization", `Bearer ${login}`],
        ["x-api-key", masterKey],
      ],
      [
        ["authorization", `Bearer ${login}`],
        ["x-litellm-api-key", masterKey],
      ],
      [
        ["authorization", `Bearer ${masterKey}`],
        ["x-api-key", login],
      ],
    ] as const;
    expect(cases.map((headers) => authenticate(incoming(headers), none, policy))).toEqual([
      { kind: "master", credentials: [["authorization", `Bearer ${login}`]] },
      { kind: "master", credentials: [["authorization", `Bearer ${login}`]] },
      { kind: "master", credentials: [["x-api-key", login]] },
    ]);
  });

  test("given in several headers it is a credential in none of them", () => {
    const everywhere = incoming([
      ["authorization", `Bearer ${masterKey}`],
      ["x-api-key", masterKey],
      ["x-litellm-api-key", masterKey],
    ]);
    expect(authenticate(everywhere, none, policy)).toEqual({ kind: "master", credentials: [] });
    const joined = incoming([
      ["x-litellm-api-key", masterKey],
      ["x-api-key", masterKey],
      ["x-api-key", "sk-ant-second"],
    ]);
    expect(JSON.stringify(authenticate(joined, none, policy).credentials)).not.toContain(masterKey);
  });
});

describe("the local token", () => {
  const policy = { masterKey: undefined, localToken };

  test("opens by way of the URL and leaves the caller's credentials alone", () => {
    const request = incoming([["authorization", `Bearer ${login}`]]);
    expect(authenticate(request, { localToken }, policy)).toEqual({
      kind: "local",
      credentials: [["authorization", `Bearer ${login}`]],
    });
  });

  test.each([undefined, "", "-", `${localToken}x`, localToken.slice(1)])("%j does not open", (presented) => {
    const error = refusal(() => authenticate(incoming([]), { localToken: presented }, policy));
    expect(error.status).toBe(401);
    expect(error.message).toContain("ccproxy run");
    expect(error.message).not.toContain(localToken);
  });

  test("does not open as a header", () => {
    expect(refusal(() => authenticate(incoming([["authorization", `Bearer ${localToken}`]]), none, policy)).status).toBe(401);
  });

  test("opens beside a master key, and so does the key beside it", () => {
    const both = { masterKey, localToken };
    expect(authenticate(incoming([]), { localToken }, both).kind).toBe("local");
    expect(authenticate(incoming([["x-api-key", masterKey]]), none, both).kind).toBe("master");
    expect(authenticate(incoming([["x-api-key", masterKey]]), { localToken }, both)).toEqual({ kind: "master", credentials: [] });
    // Sent twice it is no longer the key, but holds it.
    expect(authenticate(incoming([["x-api-key", `${masterKey}, ${masterKey}`]]), { localToken }, both)).toEqual({
      kind: "local",
      credentials: [],
    });
    const error = refusal(() => authenticate(incoming([["x-api-key", "wrong"]]), { localToken: "wrong" }, both));
    expect(error.message).toMatch(/master key.*local token/);
  });
});

describe("the policy", () => {
  test("asks for the local token only where the configuration says so, and reads it only then", () => {
    const unread = (): string => {
      throw new Error("the token was read");
    };
    expect(authPolicy(makeConfig(), unread)).toEqual({ masterKey: undefined, localToken: undefined });
    const config = makeConfig();
    const asking = makeConfig({ masterKey, server: { ...config.server, localAuth: true } });
    expect(authPolicy(asking, () => localToken)).toEqual({ masterKey, localToken });
  });
});

describe("comparing secrets", () => {
  test("is true for equal texts and no others", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => sameSecret(text, text)));
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.string({ unit: "grapheme" }),
        (one, other) => sameSecret(one, other) === (one === other),
      ),
    );
    expect(sameSecret("", masterKey)).toBe(false);
    expect(sameSecret(masterKey.slice(0, -1), masterKey)).toBe(false);
  });
});
