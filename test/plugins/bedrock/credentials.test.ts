import { createServer } from "node:http";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import {
  type AwsCredentials,
  type CredentialQuestion,
  type CredentialStore,
  createCredentialStore,
  readQuestion,
} from "../../../plugins/bedrock/credentials.ts";
import { loadCredentials } from "../../../plugins/bedrock/load-credentials.ts";
import { noVariables, variablesOf } from "../../helpers/provider.ts";

const pair = { aws_access_key_id: "AKIA1", aws_secret_access_key: "secret" };
const environment = variablesOf({ AWS_ACCESS_KEY_ID: "AKIA2", AWS_SECRET_ACCESS_KEY: "other", AWS_SESSION_TOKEN: "t", AWS_PROFILE: "p" });

describe("which credentials are wanted", () => {
  test.each([
    ["those of the deployment", pair, environment, { keys: { accessKeyId: "AKIA1", secretAccessKey: "secret" } }],
    ["those of the environment", {}, environment, { keys: { accessKeyId: "AKIA2", secretAccessKey: "other", sessionToken: "t" } }],
    ["a profile of the deployment, whatever the environment holds", { aws_profile_name: "work" }, environment, { profile: "work" }],
    ["the profile of the environment", {}, variablesOf({ AWS_PROFILE: "p" }), { profile: "p" }],
    ["half a pair is none", { aws_access_key_id: "AKIA1" }, noVariables, {}],
    [
      "a role, taken on with those of the deployment",
      {
        ...pair,
        aws_role_name: "arn:aws:iam::1:role/r",
        aws_session_name: "s",
        aws_external_id: "e",
        aws_sts_endpoint: "https://sts.example",
      },
      noVariables,
      {
        keys: { accessKeyId: "AKIA1", secretAccessKey: "secret" },
        roleArn: "arn:aws:iam::1:role/r",
        sessionName: "s",
        externalId: "e",
        stsEndpoint: "https://sts.example",
      },
    ],
    [
      "a token of another's",
      { aws_role_name: "r", aws_web_identity_token: "/run/token" },
      noVariables,
      { roleArn: "r", webIdentityToken: "/run/token" },
    ],
  ])("%s", (_about, params, variables, expected) => {
    expect(readQuestion(params, "us-east-1", variables)).toEqual({ region: "us-east-1", ...expected });
  });
});

describe("credentials that have to be fetched", () => {
  test("are fetched once for all who ask at the same time, and kept", async () => {
    const { store, asked } = storeOf(() => Promise.resolve(keysFor(60)));
    const all = await Promise.all(Array.from({ length: 20 }, () => get(store, {})));
    await get(store, {});
    expect(asked).toHaveLength(1);
    expect(new Set(all).size).toBe(1);
  });

  test("are not fetched where the deployment or the environment holds them", async () => {
    const { store, asked } = storeOf(() => Promise.reject(new Error("no")));
    expect(await store.get({ params: pair }, "us-east-1", noVariables)).toMatchObject({ accessKeyId: "AKIA1" });
    expect(await store.get({ params: {} }, "us-east-1", environment)).toMatchObject({ accessKeyId: "AKIA2" });
    expect(asked).toEqual([]);
  });

  test("of other deployments are others", async () => {
    const { store, asked } = storeOf(() => Promise.resolve(keysFor(60)));
    await get(store, { aws_profile_name: "a" });
    await get(store, { aws_profile_name: "b" });
    await get(store, { aws_profile_name: "a" });
    expect(asked.map(({ profile }) => profile)).toEqual(["a", "b"]);
  });

  test("are fetched anew before they expire", async () => {
    const { store, asked, clock } = storeOf(() => Promise.resolve(keysFor(60)));
    await get(store, {});
    clock.minutes = 54;
    await get(store, {});
    expect(asked).toHaveLength(1);
    clock.minutes = 56;
    await get(store, {});
    expect(asked).toHaveLength(2);
  });

  test("serve until they expire where no new ones can be had", async () => {
    let isDown = false;
    const { store, clock } = storeOf(() => (isDown ? Promise.reject(new Error("down")) : Promise.resolve(keysFor(60))));
    await get(store, {});
    isDown = true;
    clock.minutes = 58;
    expect(await get(store, {})).toMatchObject({ accessKeyId: "FETCHED" });
    clock.minutes = 61;
    await expect(get(store, {})).rejects.toMatchObject({ status: 401 });
    isDown = false;
    clock.minutes = 0;
    expect(await get(store, {})).toMatchObject({ accessKeyId: "FETCHED" });
  });

  test("that cannot be found are said to be missing, with all places that were looked in", async () => {
    const { store } = storeOf(() => Promise.reject(new Error("Could not load credentials for arn:aws:iam::123456789012:role/r")));
    const error = await get(store, { aws_profile_name: "work", aws_role_name: "arn:aws:iam::123456789012:role/r" }).catch(
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({ status: 401, kind: "authentication_error", headers: { "x-should-retry": "false" } });
    const { message } = error as Error;
    for (const place of ["AWS_BEARER_TOKEN_BEDROCK", "aws_access_key_id", "AWS_ACCESS_KEY_ID", 'profile "work"', "aws_role_name"]) {
      expect(message).toContain(place);
    }
    expect(message).not.toContain("123456789012");
  });

  test("do not stay for ever: those that were not asked for in a long time go", async () => {
    const { store, asked } = storeOf(() => Promise.resolve(keysFor(60)));
    for (let each = 0; each < 70; each++) await get(store, { aws_profile_name: `p${each}` });
    await get(store, { aws_profile_name: "p69" });
    expect(asked).toHaveLength(70);
    await get(store, { aws_profile_name: "p0" });
    expect(asked).toHaveLength(71);
  });
});

describe("AWS's own packages", () => {
  test("read a profile", async () => {
    const folder = mkdtempSync(join(tmpdir(), "aws-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "credentials");
    writeFileSync(file, "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = s\n");
    const before = process.env["AWS_SHARED_CREDENTIALS_FILE"];
    process.env["AWS_SHARED_CREDENTIALS_FILE"] = file;
    onTestFinished(() => {
      if (before === undefined) delete process.env["AWS_SHARED_CREDENTIALS_FILE"];
      else process.env["AWS_SHARED_CREDENTIALS_FILE"] = before;
    });
    expect(await loadCredentials({ region: "us-east-1", profile: "work" })).toMatchObject({ accessKeyId: "AKIAWORK" });
  });

  test.each([
    ["AssumeRole", { keys: { accessKeyId: "AKIA1", secretAccessKey: "s" }, externalId: "ext" }, "ExternalId=ext"],
    ["AssumeRoleWithWebIdentity", { webIdentityToken: "token-1" }, "WebIdentityToken=token-1"],
  ])("take on a role by %s, at the endpoint of the deployment", async (action, given, field) => {
    const bodies: string[] = [];
    const server = createServer((incoming, outgoing) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
      incoming.on("end", () => {
        bodies.push(body);
        outgoing.writeHead(200, { "content-type": "text/xml" });
        outgoing.end(
          `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>ASIA9</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></${action}Result></${action}Response>`,
        );
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const question = {
      region: "us-east-1",
      roleArn: "arn:aws:iam::123456789012:role/r",
      sessionName: "me",
      stsEndpoint: `http://127.0.0.1:${port}`,
      ...given,
    };
    expect(await loadCredentials(question)).toMatchObject({ accessKeyId: "ASIA9", sessionToken: "tok" });
    expect(bodies).toHaveLength(1);
    for (const part of [`Action=${action}&`, "RoleSessionName=me", field]) expect(bodies[0]).toContain(part);
  });
});

function keysFor(minutes: number): AwsCredentials {
  return { accessKeyId: "FETCHED", secretAccessKey: "s", expiration: new Date(minutes * 60_000) };
}

function storeOf(load: () => Promise<AwsCredentials>): {
  store: CredentialStore;
  asked: CredentialQuestion[];
  clock: { minutes: number };
} {
  const asked: CredentialQuestion[] = [];
  const clock = { minutes: 0 };
  const store = createCredentialStore(
    (question) => {
      asked.push(question);
      return load();
    },
    () => clock.minutes * 60_000,
  );
  return { store, asked, clock };
}

function get(store: CredentialStore, params: Readonly<Record<string, unknown>>): Promise<AwsCredentials> {
  return store.get({ params }, "us-east-1", noVariables);
}
