/** Signature Version 4 of requests to Bedrock. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html */

import { type Hash, type Hmac, createHash, createHmac } from "node:crypto";

import type { Outbound } from "../../sdk/provider.ts";
import type { AwsCredentials } from "./credentials.ts";

export interface SigningOptions {
  readonly credentials: AwsCredentials;
  readonly region: string;
  readonly date: Date;
}

/** Adds the signature. Headers that others may add or alter on the way are not covered by it. */
export async function signRequest(outbound: Outbound, { credentials, region, date }: SigningOptions): Promise<Outbound> {
  const url = new URL(outbound.url);
  const own = outbound.headers.filter(([name]) => !isSignature(name));
  // Only who asks AWS pays for loading it.
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const signer = new SignatureV4({ service: "bedrock", region, credentials, sha256: Sha256 });
  const { headers } = await signer.sign(
    {
      method: "POST",
      protocol: url.protocol,
      hostname: url.hostname,
      // As it is sent; what is encoded in it is encoded once more for the signature.
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...Object.fromEntries(own), host: url.host },
      body: outbound.body,
    },
    { signingDate: date, unsignableHeaders: new Set(own.map(([name]) => name).filter((name) => !isSigned(name))) },
  );
  const added = Object.entries(headers).filter(([name]) => isSignature(name));
  return { ...outbound, headers: [...own, ...added] };
}

function isSigned(name: string): boolean {
  return name === "content-type" || name.startsWith("x-amz-");
}

/** Of an earlier attempt, or ours. The host's own header is set by whoever connects. */
const signatureHeaders: ReadonlySet<string> = new Set(["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"]);

function isSignature(name: string): boolean {
  return signatureHeaders.has(name);
}

type HashInput = string | ArrayBuffer | ArrayBufferView;

/** SHA-256, or its HMAC where a key is given, as the signer wants it. */
class Sha256 {
  readonly #key: HashInput | undefined;
  #hash: Hash | Hmac;

  constructor(key?: HashInput) {
    this.#key = key;
    this.#hash = createHasher(key);
  }

  update(data: HashInput): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = createHasher(this.#key);
  }
}

function createHasher(key: HashInput | undefined): Hash | Hmac {
  return key === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(key));
}

function bytesOf(data: HashInput): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}
