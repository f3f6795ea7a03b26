import { PassThrough } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameDecoder, createFrameWriter, encodeFrame, FrameError, maxFrameBytes } from "../../../core/sandbox/frames.ts";

interface Decoded {
  readonly header: unknown;
  readonly payload: Uint8Array;
}

function decodeAll(chunks: readonly Uint8Array[], maxBytes = maxFrameBytes): readonly Decoded[] {
  const frames: Decoded[] = [];
  const decoder = createFrameDecoder((header, payload) => frames.push({ header, payload: Uint8Array.from(payload) }), maxBytes);
  for (const chunk of chunks) decoder.push(chunk);
  return frames;
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.slice(places[index], end));
}

const frame = fc.record({
  header: fc.dictionary(fc.string(), fc.jsonValue()),
  payload: fc.array(fc.uint8Array({ maxLength: 6000 }), { maxLength: 3 }),
});

describe("frames", () => {
  it("come out as they went in, wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 12 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.flatMap(({ header, payload }) => encodeFrame(header, payload)));
        const expected = frames.map(({ header, payload }) => ({
          header: JSON.parse(JSON.stringify(header)) as unknown,
          payload: Uint8Array.from(Buffer.concat(payload)),
        }));
        expect(decodeAll(cutAt(bytes, cuts))).toEqual(expected);
      }),
    );
  });

  it("may come byte by byte", () => {
    const bytes = Buffer.concat(encodeFrame({ text: "ä€😀" }, [Buffer.from("body")]));
    const frames = decodeAll([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(frames).toEqual([{ header: { text: "ä€😀" }, payload: Uint8Array.from(Buffer.from("body")) }]);
  });

  it("do not copy a large payload", () => {
    const payload = new Uint8Array(100_000);
    expect(encodeFrame({}, [payload])[1]).toBe(payload);
  });

  it("are refused as soon as their length is known when they are too large", () => {
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32LE(1001, 0);
    expect(() => decodeAll([prefix], 1000)).toThrow(FrameError);
  });

  it("are refused when the header is longer than the frame", () => {
    const prefix = Buffer.alloc(8);
    prefix.writeUInt32LE(100, 0);
    prefix.writeUInt32LE(97, 4);
    expect(() => decodeAll([prefix])).toThrow(FrameError);
  });

  it("are refused when the header is not JSON", () => {
    const bytes = Buffer.concat(encodeFrame({ a: 1 }));
    bytes[8] = 0x5b;
    expect(() => decodeAll([bytes])).toThrow(FrameError);
  });
});

describe("the writer", () => {
  it("writes the frames of one turn together", async () => {
    const stream = new PassThrough();
    let writes = 0;
    const written: Uint8Array[] = [];
    // What a socket would get in one system call.
    stream._writev = (chunks, done) => {
      writes++;
      written.push(...chunks.map(({ chunk }) => chunk as Uint8Array));
      done();
    };
    stream._write = (chunk: Uint8Array, _encoding, done) => {
      writes++;
      written.push(chunk);
      done();
    };
    const writer = createFrameWriter(stream);
    writer.send({ id: 1 });
    writer.send({ id: 2 }, [new Uint8Array(10_000)]);
    writer.send({ id: 3 });
    expect(writes).toBe(0);
    await new Promise(setImmediate);
    expect(writes).toBe(1);
    expect(decodeAll(written).map(({ header }) => header)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it("writes at once when told to", () => {
    const stream = new PassThrough();
    const writer = createFrameWriter(stream);
    writer.send({ id: 1 });
    writer.flush();
    expect(decodeAll([stream.read() as Uint8Array])).toHaveLength(1);
  });

  it("is silent on a stream that was destroyed", async () => {
    const stream = new PassThrough();
    const writer = createFrameWriter(stream);
    writer.send({ id: 1 });
    stream.destroy();
    await new Promise(setImmediate);
    expect(stream.errored).toBeNull();
  });
});
