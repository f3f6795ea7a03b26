import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hubToolId, producerToolId } from "../../../sdk/hub/tool-ids.ts";

describe("ids of calls", () => {
  it("are such as the hub takes, whatever a producer made up, and lead back to it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (id) => {
        const known = hubToolId(id);
        expect(known).toMatch(/^[a-zA-Z0-9_-]+$/);
        expect(producerToolId(known)).toBe(id);
        expect(hubToolId(id)).toBe(known);
      }),
    );
  });

  it.each(["toolu_01A", "call_abc-9", "a1b2c3d4e"])("stay as they are where they fit: %s", (id) => {
    expect(hubToolId(id)).toBe(id);
    expect(producerToolId(id)).toBe(id);
  });

  it.each(["functions.Bash:0", "call|1", "Zürich", "ccid_x"])("lead back: %s", (id) => {
    expect(hubToolId(id)).not.toBe(id);
    expect(producerToolId(hubToolId(id))).toBe(id);
  });

  it("are made up where there is none, each another", () => {
    expect(hubToolId(undefined)).toMatch(/^toolu_[0-9a-f]{32}$/);
    expect(hubToolId("")).not.toBe(hubToolId(""));
  });
});
