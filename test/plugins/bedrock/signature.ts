/**
 * Signature Version 4, computed anew from its description, to check what was signed elsewhere.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

import { createHash, createHmac } from "node:crypto";

export interface SignedRequest {
  readonly method: string;
  /** As on the wire. */
  readonly path: string;
  /** Lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Claim {
  readonly keyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

export function readClaim(authorization: string): Claim {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (found === null) throw new Error(`no signature: ${authorization}`);
  const [, keyId = "", date = "", region = "", service = "", headers = "", signature = ""] = found;
  return { keyId, date, region, service, signedHeaders: headers.split(";"), signature };
}

export function canonicalRequest({ method, path, headers, body }: SignedRequest, signedHeaders: readonly string[]): string {
  const [pathname = "", search = ""] = path.split("?");
  const uri = pathname.split("/").map(encode).join("/");
  const query = search.split("&").sort().join("&");
  const lines = signedHeaders.map((name) => `${name}:${(headers[name] ?? "").trim().replaceAll(/ +/g, " ")}\n`).join("");
  return [method, uri, query, lines, signedHeaders.join(";"), sha256(body)].join("\n");
}

export function expectedSignature(request: SignedRequest, claim: Claim, secret: string): string {
  const { date, region, service, signedHeaders } = claim;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const time = request.headers["x-amz-date"] ?? "";
  const canonical = Buffer.from(canonicalRequest(request, signedHeaders));
  const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<Uint8Array>((known, part) => hmac(known, part), Buffer.from(`AWS4${secret}`));
  return Buffer.from(hmac(key, toSign)).toString("hex");
}

/** What is encoded already is encoded again. */
function encode(segment: string): string {
  return encodeURIComponent(segment).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}
