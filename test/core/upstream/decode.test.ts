import { once } from "node:events";
import { brotliCompressSync, constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress, deflateSync } from "node:zlib";
import { gzipSync, zstdCompressSync, type Gzip, type Deflate, type BrotliCompress, type ZstdCompress } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ClientGone } from "../../../core/body/collect.ts";
import { ByteQueue, type Flow } from "../../../core/upstream/byte-queue.ts";
import { decode } from "../../../core/upstream/decode.ts";
import { ProxyError } from "../../../sdk/errors.ts";

const text = `event: ping\ndata: {"type":"ping"}\n\n${"é😀".repeat(5000)}`;

class Source implements Flow {
  readonly aborted = Promise.withResolvers<void>();
  pause(): void {}
  resume(): void {}
  abort(): void {
    this.aborted.resolve();
  }
}

function queueOf(source: Flow, ...chunks: readonly Uint8Array[]): ByteQueue {
  const queue = new ByteQueue(source);
  for (const chunk of chunks) queue.push(chunk);
  return queue;
}

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const compressions: readonly (readonly [string, (plain: string) => Buffer])[] = [
  ["gzip", (plain) => gzipSync(plain)],
  ["x-gzip", (plain) => gzipSync(plain)],
  ["GZIP", (plain) => gzipSync(plain)],
  ["deflate", (plain) => deflateSync(plain)],
  ["br", (plain) => brotliCompressSync(plain)],
  ["zstd", (plain) => zstdCompressSync(plain)],
];

describe("decoding", () => {
  it.each(compressions)("%s gives back what was compressed, however it is cut", async (name, compress) => {
    const compressed = compress(text);
    for (const size of [1, 7, 1000, compressed.length]) {
      const queue = new ByteQueue(new Source());
      const result = read(decode(queue, name));
      for (let at = 0; at < compressed.length; at += size) queue.push(compressed.subarray(at, at + size));
      queue.end();
      expect(await result).toBe(text);
    }
  });

  type Compressor = Gzip | Deflate | BrotliCompress | ZstdCompress;
  const flushing: readonly (readonly [string, () => Compressor, number])[] = [
    ["gzip", createGzip, constants.Z_SYNC_FLUSH],
    ["deflate", createDeflate, constants.Z_SYNC_FLUSH],
    ["br", createBrotliCompress, constants.BROTLI_OPERATION_FLUSH],
    ["zstd", () => createZstdCompress(), constants.ZSTD_e_flush],
  ];
  it.each(flushing)("%s gives each event as soon as it was flushed upstream", async (name, create, flush) => {
    const compressor = create();
    const queue = new ByteQueue(new Source());
    compressor.on("data", (chunk: Buffer) => queue.push(chunk));
    const decoded = decode(queue, name)[Symbol.asyncIterator]();
    for (const event of ["event: one\n\n", "event: two\n\n", "event: three\n\n"]) {
      compressor.write(event);
      compressor.flush(flush, () => undefined);
      let got = "";
      while (got.length < event.length) got += Buffer.from((await decoded.next()).value ?? "end").toString();
      expect(got).toBe(event);
    }
    compressor.end();
    await once(compressor, "end");
    queue.end();
    expect((await decoded.next()).done).toBe(true);
  });

  it.each(["compress", "gzip, br", "exi", "constructor", "__proto__"])("of %s is refused as 502", (name) => {
    expect(() => decode(queueOf(new Source()), name)).toThrow(expect.objectContaining({ status: 502 }));
  });

  it.each([
    ["garbage", (whole: Buffer) => Buffer.concat([whole.subarray(0, 5), Buffer.from("garbage"), whole.subarray(40)])],
    ["an early end", (whole: Buffer) => whole.subarray(0, whole.length - 9)],
  ])("fails with 502 on %s", async (_, damage) => {
    const queue = queueOf(new Source(), damage(gzipSync(text)));
    queue.end();
    await expect(read(decode(queue, "gzip"))).rejects.toThrow(ProxyError);
  });

  it.each([
    new ProxyError("the upstream broke off", { status: 502, kind: "api_error" }),
    new ClientGone("the client closed the connection"),
  ])("passes on why its source failed: $message", async (failure) => {
    const queue = queueOf(new Source(), gzipSync(text).subarray(0, 20));
    queue.fail(failure);
    await expect(read(decode(queue, "gzip"))).rejects.toBe(failure);
  });

  it("stops its source when its reader stops", async () => {
    const source = new Source();
    const decoded = decode(queueOf(source, gzipSync(text)), "gzip")[Symbol.asyncIterator]();
    await decoded.next();
    await decoded.return?.();
    await source.aborted.promise;
  });

  it("reads no further ahead than its reader makes room for", async () => {
    // Incompressible, so that what goes in comes out at once.
    const random = Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(Math.random() * 256)));
    const stored = gzipSync(Buffer.concat(Array.from({ length: 64 }, () => random)), { level: 0 });
    let taken = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < stored.length; at += 65_536) {
        taken += 65_536;
        yield stored.subarray(at, at + 65_536);
      }
    }
    const decoded = decode(source(), "gzip")[Symbol.asyncIterator]();
    let got = (await decoded.next()).value?.length ?? 0;
    // As many turns as it would take to read everything.
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => void setImmediate(resolve));
    expect(taken).toBeLessThanOrEqual(4 * 65_536);
    for (let next = await decoded.next(); next.done !== true; next = await decoded.next()) got += next.value.length;
    expect(got).toBe(64 * 65_536);
  });
});
