import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Pools } from "../../../core/upstream/pools.ts";
import { okay, type RawConnection, startRawUpstream } from "../../helpers/raw-upstream.ts";
import { expired, selfSigned } from "../../helpers/self-signed.ts";
import { ask, namesHere, settled, sourceOf, text } from "./asking.ts";

const valid = selfSigned("api.test");
const stranger = selfSigned("stranger.test");
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "ccproxy-"));
});
afterAll(() => rm(directory, { recursive: true }));

let files = 0;
async function written(content: string): Promise<string> {
  const file = path.join(directory, `${files++}.pem`);
  await writeFile(file, content);
  return file;
}

const pools = new Pools(namesHere());
afterEach(() => pools.close());

async function answering(connection: RawConnection): Promise<void> {
  for (;;) {
    await connection.request();
    connection.write(okay);
  }
}

const key = "sk-ant-do-not-send";
const withKey = { headers: [["x-api-key", key]] } as const;

describe("N18: a host that does not prove who it is", () => {
  it.each<[string, "expired" | "valid", string, boolean, RegExp]>([
    ["with an expired certificate", "expired", "api.test", true, /CERT_HAS_EXPIRED.*: its certificate has expired/],
    ["with a certificate for another name", "valid", "other.test", true, /its certificate is for other names; is api_base right\?/],
    [
      "with a certificate of nobody's",
      "valid",
      "api.test",
      false,
      /not trusted here.*ssl_verify: \/path\/to\/authorities\.pem.*NODE_EXTRA_CA_CERTS/,
    ],
  ])("%s is a 502 that says what to do, and is sent nothing", async (_, kind, host, isTrusted, message) => {
    const certificate = kind === "expired" ? expired("api.test") : valid;
    await using upstream = await startRawUpstream(answering, { tls: certificate });
    const source = sourceOf(isTrusted ? { caFile: await written(certificate.cert) } : {});
    await expect(ask(pools, `https://${host}:${upstream.port}`, { source, ...withKey })).rejects.toMatchObject({
      status: 502,
      fault: "unreachable",
      message: expect.stringMatching(message),
    });
    expect(upstream.connections.map((connection) => connection.received()).join("")).toBe("");
    expect(pools.figures()).toMatchObject([{ connections: 0, inFlight: 0, waiting: 0 }]);
  });

  it("is taken at its word where the configuration says so", async () => {
    await using upstream = await startRawUpstream(answering, { tls: expired("elsewhere.test") });
    expect(await text(await ask(pools, `https://api.test:${upstream.port}`, { source: sourceOf({ verify: false }) }))).toBe("ok");
  });

  it("that speaks no TLS is told apart", async () => {
    await using upstream = await startRawUpstream(({ socket }) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(ask(pools, `https://api.test:${upstream.port}`)).rejects.toMatchObject({
      fault: "unreachable",
      message: expect.stringMatching(/does not speak TLS there; is it http:\/\/ in place of https:\/\/\?/),
    });
  });
});

describe("certificates of authorities", () => {
  it("of ssl_verify count in place of the usual ones", async () => {
    await using upstream = await startRawUpstream(answering, { tls: valid });
    const origin = `https://api.test:${upstream.port}`;
    const both = await written(`${stranger.cert}\n${valid.cert}`);
    expect(await text(await ask(pools, origin, { source: sourceOf({ caFile: both }) }))).toBe("ok");
    expect(upstream.connections[0]?.socket).toMatchObject({ servername: "api.test" });
    const source = sourceOf({ caFile: await written(stranger.cert) });
    await expect(ask(pools, origin, { source })).rejects.toMatchObject({ fault: "unreachable" });
  });

  it("are those of SSL_CERT_FILE where ssl_verify names none, if there is such a file", async () => {
    await using upstream = await startRawUpstream(answering, { tls: valid });
    const origin = `https://api.test:${upstream.port}`;
    const file = await written(valid.cert);
    expect(await text(await ask(pools, origin, { source: sourceOf({}, { SSL_CERT_FILE: file }) }))).toBe("ok");
    const other = sourceOf({ caFile: await written(stranger.cert) }, { SSL_CERT_FILE: file });
    await expect(ask(pools, origin, { source: other })).rejects.toMatchObject({ fault: "unreachable" });
    const missing = sourceOf({}, { SSL_CERT_FILE: `${file}.missing` });
    await expect(ask(pools, origin, { source: missing })).rejects.toMatchObject({ message: expect.stringContaining("not trusted here") });
  });

  it.each<[string, string | undefined, RegExp]>([
    ["that is gone", undefined, /the certificates of authorities in .*\.pem cannot be read \(ENOENT/],
    ["that holds something else", "hello", /\.pem holds no certificates of authorities; wanted PEM/],
    ["that is broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", /\.pem are broken|not trusted here/],
  ])("in a file %s are told so at each request, and nothing is trusted", async (_, content, message) => {
    await using upstream = await startRawUpstream(answering, { tls: valid });
    const file = content === undefined ? path.join(directory, "missing.pem") : await written(content);
    for (let count = 0; count < 2; count++) {
      await expect(ask(pools, `https://api.test:${upstream.port}`, { source: sourceOf({ caFile: file }) })).rejects.toMatchObject({
        status: 502,
        fault: "unreachable",
        message: expect.stringMatching(message),
      });
    }
  });

  it("are read anew by each configuration: a connection that was trusted is not used by one that does not trust it", async () => {
    await using upstream = await startRawUpstream(answering, { tls: valid });
    const origin = `https://api.test:${upstream.port}`;
    const file = await written(valid.cert);
    const first = sourceOf({ caFile: file });
    await text(await ask(pools, origin, { source: first }));
    await settled();
    await writeFile(file, stranger.cert);
    await expect(ask(pools, origin, { source: sourceOf({ caFile: file }) })).rejects.toMatchObject({ fault: "unreachable" });
    // What began under the earlier one goes on under it.
    expect(await text(await ask(pools, origin, { source: first }))).toBe("ok");
    expect(upstream.connections).toHaveLength(1);
  });

  it("of NODE_EXTRA_CA_CERTS count from the start of the process", async () => {
    await using upstream = await startRawUpstream(answering, { tls: valid });
    const file = await written(valid.cert);
    const script = `
      import { Pools } from ${JSON.stringify(path.resolve("core/upstream/pools.ts"))};
      import { createNames } from ${JSON.stringify(path.resolve("core/upstream/names.ts"))};
      import { send } from ${JSON.stringify(path.resolve("core/upstream/send.ts"))};
      const pools = new Pools(createNames(async () => [{ address: "127.0.0.1", family: 4 }]));
      const origin = "https://api.test:${upstream.port}";
      const timeouts = { connectMs: 5000, headersMs: 5000, idleMs: 5000 };
      const request = { method: "GET", path: "/", headers: [], body: null, timeouts, signal: new AbortController().signal, origin };
      const { status } = await send(pools.get(origin), request).catch((error) => ({ status: error.message }));
      console.log(status);
      await pools.close();
    `;
    const run = async (environment: Readonly<Record<string, string>>): Promise<string> => {
      const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { env: environment });
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await once(child, "close");
      return said;
    };
    const [trusting, other] = await Promise.all([run({ NODE_EXTRA_CA_CERTS: file }), run({})]);
    expect(trusting).toBe("200\n");
    expect(other).toContain("not trusted here");
  });
});
