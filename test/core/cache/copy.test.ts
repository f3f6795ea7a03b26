import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

import { type CopyEnd, ReplyCopy } from "../../../core/cache/copy.ts";

const recorded = (maxBytes: number): { readonly copy: ReplyCopy; readonly ends: readonly CopyEnd[] } => {
  const ends: CopyEnd[] = [];
  return { copy: new ReplyCopy(maxBytes, (end) => ends.push(end)), ends };
};

describe("a copy", () => {
  test("holds every byte, whatever becomes of the pieces", () => {
    const piece = fc.uint8Array({ maxLength: 9000 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { copy, ends } = recorded(1_000_000);
        const whole = Buffer.concat(pieces);
        const lengths = pieces.map(({ length }) => length).filter((length) => length > 0);
        for (const each of pieces) {
          copy.push(each);
          each.fill(0);
        }
        copy.end();
        expect(ends).toEqual([{ body: expect.any(Uint8Array), pieces: lengths }]);
        const [end] = ends;
        expect(typeof end === "object" && whole.equals(end.body)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test("is let go as soon as it is too long, and told of once", () => {
    const { copy, ends } = recorded(10);
    copy.push(Buffer.alloc(10));
    expect(ends).toEqual([]);
    copy.push(Buffer.alloc(1));
    expect(ends).toEqual(["too long"]);
    copy.push(Buffer.alloc(1));
    copy.end();
    copy.drop();
    expect(ends).toEqual(["too long"]);
  });

  test("of a reply that was cut off is none", () => {
    const onEnd = vi.fn();
    const copy = new ReplyCopy(10, onEnd);
    copy.push(Buffer.alloc(1));
    copy.drop();
    copy.end();
    expect(onEnd.mock.calls).toEqual([["cut off"]]);
  });
});
