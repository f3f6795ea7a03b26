/** A host that fails in every way a host can: bytes on bare sockets, where what is said, and when, is up to the test. */

import type { Socket } from "node:net";

import { type RawConnection, startRawUpstream } from "../helpers/raw-upstream.ts";
import type { SelfSigned } from "../helpers/self-signed.ts";
import type { UpstreamRequest } from "../helpers/upstream.ts";
import type { Asked, Wire } from "../helpers/wires/wire.ts";

/** One request, and the connection it came on: what is written there is what the proxy gets. */
export interface Line {
  readonly wire: Wire;
  /** The request as the vendor would read it. */
  readonly asked: Asked;
  /** Counts the requests of this place from 0. */
  readonly index: number;
  /** Nothing happens once the connection is closed. */
  readonly write: (bytes: string | Uint8Array) => void;
  /** Ends the connection in order. */
  readonly finish: () => void;
  /** Ends it with a reset. */
  readonly reset: () => void;
  /** Resolves when the connection is closed, by either side. */
  readonly closed: Promise<void>;
}

/** What becomes of one request. When it resolves, the next request of the connection may come. */
export type Act = (line: Line) => Promise<void> | void;

export interface Heard {
  readonly asked: Asked;
  /** Which connection of the host it came on, from 0. */
  readonly connection: number;
  /** Resolves when that connection is closed. */
  readonly closed: Promise<void>;
}

/** What one deployment is behind. */
export interface Place {
  readonly name: string;
  readonly wire: Wire;
  /** Its `api_base`, less what the wire adds to it. */
  readonly url: string;
  /** Every request for a reply so far, in their order. */
  readonly heard: readonly Heard[];
  /** The next request that comes. */
  next(): Promise<Heard>;
  /** What happens from now on; `heard` goes on. */
  script(...acts: readonly [Act, ...Act[]]): void;
}

export interface Chaos extends AsyncDisposable {
  /** Of http by address, of https by the name `localhost`. */
  readonly origin: string;
  /** A part of the host, which its own script answers for. Default: each request hangs until its client leaves. */
  place(name: string, wire: Wire, ...acts: readonly Act[]): Place;
  /** Connections that are open now. */
  readonly open: number;
  /** Requests that are being answered, or left to hang. */
  readonly busy: number;
  /** Connections that were ever made. */
  readonly connections: number;
}

interface Stage {
  readonly wire: Wire;
  readonly heard: Heard[];
  waiting: ((heard: Heard) => void)[];
  acts: readonly Act[];
  /** Requests since the last script. */
  count: number;
}

/** @param tls speaks TLS, as whoever this says */
export async function startChaos({ tls }: { readonly tls?: SelfSigned } = {}): Promise<Chaos> {
  const stages = new Map<string, Stage>();
  let open = 0;
  let busy = 0;

  async function serve(connection: RawConnection): Promise<void> {
    open += 1;
    void connection.closed.then(() => (open -= 1));
    for (;;) {
      const request = parse(await connection.request(), connection);
      const stage = stages.get(request.path.split("/")[1] ?? "");
      if (stage === undefined) throw new Error(`nobody is at ${request.path}`);
      const asked = stage.wire.read(request);
      const heard = { asked, connection: connection.index, closed: connection.closed };
      stage.heard.push(heard);
      for (const told of stage.waiting.splice(0)) told(heard);
      const index = stage.count++;
      const act = stage.acts[Math.min(index, stage.acts.length - 1)] ?? hang;
      busy += 1;
      try {
        await act(lineOf(connection, { wire: stage.wire, asked, index }));
      } finally {
        busy -= 1;
      }
      if (connection.socket.destroyed || connection.socket.writableEnded) return;
    }
  }

  const raw = await startRawUpstream(serve, tls === undefined ? {} : { tls });
  // Certificates are for names.
  const origin = tls === undefined ? raw.origin : `https://localhost:${raw.port}`;
  return {
    origin,
    place(name, wire, ...acts) {
      const stage: Stage = { wire, heard: [], waiting: [], acts, count: 0 };
      stages.set(name, stage);
      return {
        name,
        wire,
        url: `${origin}/${name}`,
        heard: stage.heard,
        next: () => new Promise((resolve) => void stage.waiting.push(resolve)),
        script(...next) {
          stage.acts = next;
          stage.count = 0;
        },
      };
    },
    get open() {
      return open;
    },
    get busy() {
      return busy;
    },
    get connections() {
      return raw.connections.length;
    },
    [Symbol.asyncDispose]: () => raw[Symbol.asyncDispose](),
  };
}

function hang({ closed }: Line): Promise<void> {
  return closed;
}

function lineOf({ socket, closed }: RawConnection, known: Pick<Line, "wire" | "asked" | "index">): Line {
  return {
    ...known,
    closed,
    write(bytes) {
      if (isWritable(socket)) socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    },
    finish() {
      if (isWritable(socket)) socket.end();
    },
    reset: () => void socket.resetAndDestroy(),
  };
}

function isWritable(socket: Socket): boolean {
  return !socket.destroyed && !socket.writableEnded;
}

function parse(text: string, { closed }: RawConnection): UpstreamRequest {
  const headEnd = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  const [method = "", url = ""] = first.split(" ");
  const rawHeaders = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const body = Buffer.from(text.slice(headEnd + 4), "latin1");
  let isAborted = false;
  void closed.then(() => (isAborted = true));
  return {
    method,
    url,
    path: url.split("?", 1)[0] ?? "",
    rawHeaders,
    headers: Object.fromEntries(rawHeaders.map(([name, value]) => [name.toLowerCase(), value])),
    body,
    json: (): unknown => JSON.parse(body.toString("utf8")),
    aborted: closed,
    get isAborted() {
      return isAborted;
    },
    closed,
  };
}
