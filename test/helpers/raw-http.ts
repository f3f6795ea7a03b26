/** HTTP as bytes on a socket: for requests that a client library would refuse to write, or would tidy up. */

import { once } from "node:events";
import { connect } from "node:net";

export interface RawResponse {
  readonly status: number;
  /** By lower-case name; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Writes these bytes and collects what comes until the server closes the connection, so the last request
 * should say `Connection: close` unless the server is expected to close by itself.
 *
 * @returns everything that came, as Latin-1
 */
export async function sendRaw(port: number, bytes: string | Uint8Array, host = "127.0.0.1"): Promise<string> {
  const socket = connect({ port, host });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  // A reset after the answer is an end like any other.
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  await closed;
  return Buffer.concat(chunks).toString("latin1");
}

/** One answer to one request. @throws Error when no response came, or more than one. */
export async function requestRaw(port: number, bytes: string | Uint8Array, host?: string): Promise<RawResponse> {
  const responses = parseResponses(await sendRaw(port, bytes, host));
  const [response] = responses;
  if (response === undefined || responses.length > 1) throw new Error(`${responses.length} responses came, one was wanted`);
  return response;
}

/** Splits what a connection brought into its responses. Bodies are taken by length or to the end; chunked ones keep their framing. */
export function parseResponses(text: string): readonly RawResponse[] {
  const responses: RawResponse[] = [];
  let rest = text;
  while (rest !== "") {
    const head = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n([\s\S]*?)\r\n\r\n/.exec(rest);
    if (head === null) throw new Error(`not an HTTP response: ${JSON.stringify(rest.slice(0, 200))}`);
    const headers: Record<string, string> = {};
    for (const line of (head[2] ?? "").split("\r\n")) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      const known = headers[name];
      headers[name] = known === undefined ? value : `${known}, ${value}`;
    }
    const status = Number(head[1]);
    const after = rest.slice(head[0].length);
    const length = status < 200 ? 0 : headers["content-length"] === undefined ? after.length : Number(headers["content-length"]);
    responses.push({ status, headers, body: after.slice(0, length) });
    rest = after.slice(length);
  }
  return responses;
}

/** A request as text: CRLF line ends, `Host` of the port, `Connection: close`. A header given twice is sent twice. */
export function requestText(
  port: number,
  target: string,
  options: { readonly method?: string; readonly headers?: readonly string[]; readonly body?: string; readonly version?: string } = {},
): string {
  const headers = options.headers ?? [];
  const has = (name: string): boolean => headers.some((line) => line.toLowerCase().startsWith(`${name}:`));
  const lines = [
    `${options.method ?? "GET"} ${target} HTTP/${options.version ?? "1.1"}`,
    ...(has("host") ? [] : [`Host: 127.0.0.1:${port}`]),
    ...(has("connection") ? [] : ["Connection: close"]),
    ...(options.body === undefined || has("content-length") || has("transfer-encoding")
      ? []
      : [`Content-Length: ${Buffer.byteLength(options.body, "latin1")}`]),
    ...headers,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${options.body ?? ""}`;
}
