/** A wire tap: a TCP relay that keeps what the client side sent, byte for byte, and reads HTTP requests out of it. */

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

interface TappedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly body: Buffer;
}

export interface Tap extends AsyncDisposable {
  readonly url: string;
  /** The complete requests so far, in the order in which their connections were opened. */
  requests(): readonly TappedRequest[];
}

/** @param target where to relay to, asked for at each connection */
export async function startTap(target: () => Promise<URL>): Promise<Tap> {
  const recorded: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => client.destroy());
    relay(client).catch(() => client.destroy());
  });
  async function relay(client: Socket): Promise<void> {
    const chunks: Buffer[] = [];
    recorded.push(chunks);
    const { port, hostname } = await target();
    const upstream = connect(Number(port), hostname);
    sockets.add(upstream);
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
    // Recorded and passed on in one listener, so that nothing passes unrecorded.
    client.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      upstream.write(chunk);
    });
    upstream.pipe(client);
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the tap has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => recorded.flatMap((chunks) => readRequests(Buffer.concat(chunks))),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Only bodies with a content-length, which is what Claude Code sends; anything else is a fault of the test. */
function readRequests(bytes: Buffer): readonly TappedRequest[] {
  const requests: TappedRequest[] = [];
  let position = 0;
  while (position < bytes.length) {
    const headEnd = bytes.indexOf("\r\n\r\n", position);
    if (headEnd < 0) break;
    const [requestLine = "", ...fields] = bytes.toString("latin1", position, headEnd).split("\r\n");
    const headers = new Map(
      fields.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 1).trim()]),
    );
    if (headers.has("transfer-encoding")) throw new Error(`the tap reads bodies with a length only: ${requestLine}`);
    const start = headEnd + 4;
    const end = start + Number(headers.get("content-length") ?? 0);
    if (end > bytes.length) break;
    const [method = "", url = ""] = requestLine.split(" ");
    requests.push({ method, url, body: bytes.subarray(start, end) });
    position = end;
  }
  return requests;
}
