import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../sdk/events.ts";
import { lowerSchema, type SchemaProfile } from "../../../sdk/hub/json-schema.ts";
import { record } from "../../../sdk/hub/json.ts";
import { rows } from "./json-schema-table.ts";

const profiles: readonly SchemaProfile[] = ["openai", "openai-strict", "gemini", "gemini-openapi", "converse", "plain"];

function lower(schema: unknown, profile: SchemaProfile, notes: unknown[] = []): JsonObject {
  const parsed: JsonObject = JSON.parse(JSON.stringify(schema));
  return lowerSchema(parsed, profile, (what, details) => notes.push([what, details]));
}

describe.each(profiles)("for %s", (profile) => {
  it.each(rows.map((row) => [row.about, row] as const))("%s", (_, { property, definitions, sent }) => {
    const schema = {
      type: "object",
      properties: { p: property },
      required: ["p"],
      ...(definitions === undefined ? {} : { $defs: definitions }),
    };
    const lowered = lower(schema, profile);
    expect(record(lowered["properties"])?.["p"]).toEqual(profile in sent ? sent[profile] : property);
    expect(lowered["type"]).toBe(profile === "gemini-openapi" ? "OBJECT" : "object");
  });
});

describe("the top of a schema", () => {
  it.each<[string, unknown, unknown]>([
    ["nothing", {}, { type: "object", properties: {} }],
    ["no object", { type: "string", description: "d" }, { type: "object", description: "d", properties: {} }],
    [
      "alternatives",
      {
        oneOf: [
          { type: "object", properties: { kind: { const: "a" }, x: { type: "string" }, z: { type: "string" } }, required: ["kind", "x"] },
          { type: "object", properties: { kind: { const: "b" }, y: { type: "string" }, z: { type: "number" } }, required: ["kind", "y"] },
        ],
      },
      {
        type: "object",
        properties: {
          kind: { type: "string", enum: ["a", "b"] },
          x: { type: "string" },
          z: { anyOf: [{ type: "string" }, { type: "number" }] },
          y: { type: "string" },
        },
        required: ["kind"],
      },
    ],
    [
      "several in one",
      {
        type: "object",
        properties: { a: { type: "string" } },
        allOf: [{ properties: { b: { type: "string" } }, required: ["b"] }],
        not: {},
        enum: [1],
      },
      { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["b"] },
    ],
    [
      "a reference",
      { $ref: "#/$defs/In", $defs: { In: { type: "object", properties: { a: { type: "string" } } } } },
      { type: "object", properties: { a: { type: "string" } }, $defs: { In: { type: "object", properties: { a: { type: "string" } } } } },
    ],
  ])("is a plain object, whatever it was: %s", (_, schema, expected) => {
    expect(lower(schema, "openai")).toEqual(expected);
  });

  it("holds three fields and no more for Converse", () => {
    const schema = {
      $schema: "x",
      title: "t",
      description: "d",
      type: "object",
      properties: { a: { title: "kept" } },
      additionalProperties: false,
      $defs: {},
    };
    expect(lower(schema, "converse")).toEqual({ type: "object", properties: { a: { title: "kept" } } });
  });

  it.each(profiles)("names no dialect for %s", (profile) => {
    expect(JSON.stringify(lower({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" }, profile))).not.toContain(
      "$schema",
    );
  });
});

const tree = {
  type: "object",
  properties: { root: { $ref: "#/definitions/Node" } },
  required: ["root"],
  definitions: {
    Node: {
      type: "object",
      properties: { value: { type: "string" }, kids: { type: "array", items: { $ref: "#/definitions/Node" } } },
      required: ["value", "kids"],
    },
  },
};

describe("schemas that lead back to themselves", () => {
  it("are kept by those who take references, in one place", () => {
    expect(lower(tree, "openai-strict")).toMatchObject({
      properties: { root: { $ref: "#/$defs/Node" } },
      $defs: { Node: { properties: { kids: { items: { $ref: "#/$defs/Node" } } }, required: ["value", "kids"] } },
    });
    expect(lower(tree, "openai")).toEqual(tree);
  });

  it("may be missing for Gemini, where they lead back", () => {
    const lowered = lower(tree, "gemini");
    expect(lowered["required"]).toEqual(["root"]);
    expect(record(record(lowered["$defs"])?.["Node"])?.["required"]).toEqual(["value"]);
  });

  it.each<SchemaProfile>(["gemini-openapi", "converse", "plain"])("end where they begin anew for %s", (profile) => {
    const lowered = JSON.stringify(lower(tree, profile)).toLowerCase();
    expect(lowered).not.toContain("$ref");
    expect(lowered).toContain('"kids":{"type":"array","items":{"type":"object"}}');
  });

  it.each(profiles)("never run without end for %s", (profile) => {
    const schemas = [
      { $ref: "#" },
      { properties: { a: { $ref: "#" } } },
      { $ref: "#/$defs/A", $defs: { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } } },
      { anyOf: [{ $ref: "#" }, { $ref: "#" }] },
      { allOf: [{ $ref: "#/$defs/A" }], $defs: { A: { allOf: [{ $ref: "#/$defs/A" }, { $ref: "#/$defs/A" }] } } },
      {
        properties: { a: { allOf: [{ $ref: "#/$defs/A" }, {}] } },
        $defs: { A: { allOf: [{ $ref: "#/$defs/A" }, { $ref: "#/$defs/A" }] } },
      },
    ];
    for (const schema of schemas) expect(record(lower(schema, profile)["properties"])).toBeDefined();
  });

  it.each(profiles.flatMap((profile) => [[profile, [{}]] as const, [profile, [{ $ref: "next" }, {}]] as const]))(
    "never grow without end for %s",
    (profile, all) => {
      // Each definition names the next one twice: put in place, the last one would stand there 2^40 times.
      const levels = Array.from({ length: 40 }, (_, at) => {
        const next = { $ref: `#/$defs/L${at + 1}` };
        const allOf = all.map((member) => ("$ref" in member ? next : member));
        return [`L${at}`, { type: "object", properties: { a: next, b: next }, allOf }];
      });
      const start = performance.now();
      const lowered = lower(
        { properties: { x: { $ref: "#/$defs/L0" } }, $defs: { ...Object.fromEntries(levels), L40: { type: "string" } } },
        profile,
      );
      expect(performance.now() - start).toBeLessThan(1500);
      expect(JSON.stringify(lowered).length).toBeLessThan(2_000_000);
    },
  );

  it("are not taken for such where two parts name the same one", () => {
    const base = { type: "object", properties: { id: { type: "string" } } };
    const schema = {
      properties: { p: { allOf: [{ $ref: "#/$defs/Base" }, { properties: { parent: { $ref: "#/$defs/Base" } } }] } },
      $defs: { Base: base },
    };
    expect(record(lower(schema, "converse")["properties"])?.["p"]).toEqual({
      type: "object",
      properties: { id: { type: "string" }, parent: base },
    });
  });
});

describe("whatever comes", () => {
  const node: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(true, false, null, [], 3, "x", {}, { $ref: "#/$defs/A" }, { $ref: "#/nowhere" }, { $ref: 3 }),
      fc.record(
        {
          type: fc.constantFrom("string", "object", "array", ["string", "null"], "any", null, [], 7),
          properties: fc.oneof(fc.dictionary(fc.string(), tie("schema"), { maxKeys: 3 }), fc.constantFrom([], null, "x")),
          required: fc.constantFrom(["a"], [1], null, "a"),
          items: tie("schema"),
          anyOf: fc.oneof(fc.array(tie("schema"), { maxLength: 3 }), fc.constant({})),
          allOf: fc.array(tie("schema"), { maxLength: 3 }),
          enum: fc.constantFrom(["a", 1, null], [], "x", [{}]),
          const: fc.constantFrom(null, 1, {}),
          exclusiveMinimum: fc.constantFrom(true, 3, "x"),
          minimum: fc.constantFrom(1, "1", null),
          additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
          format: fc.constantFrom("uri", 3),
        },
        { requiredKeys: [] },
      ),
    ),
  })).schema;

  it.each(profiles)("an object that says its type comes out for %s, and comes out of that again", (profile) => {
    fc.assert(
      fc.property(node, node, (property, definition) => {
        const lowered = lower({ properties: { p: property }, $defs: { A: definition } }, profile);
        expect(["object", "OBJECT"]).toContain(lowered["type"]);
        expect(lower({ properties: { p: property }, $defs: { A: definition } }, profile)).toEqual(lowered);
      }),
      { numRuns: 300 },
    );
  });

  it("a schema of great depth is cut", () => {
    let schema: JsonObject = { type: "string" };
    for (let level = 0; level < 3000; level++) schema = { type: "object", properties: { next: schema } };
    for (const profile of profiles) expect(JSON.stringify(lowerSchema(schema, profile, () => undefined)).length).toBeLessThan(20_000);
  });

  it("a schema of great size takes little time", () => {
    const properties = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`p${at}`, { type: "string", description: "d" }]));
    const start = performance.now();
    for (const profile of profiles) expect(Object.keys(record(lower({ properties }, profile)["properties"]) ?? {})).toHaveLength(5000);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("names of properties are no keywords", () => {
    const schema = {
      type: "object",
      properties: { $ref: { type: "string" }, type: { type: "string" }, allOf: { type: "string" }, $schema: { type: "string" } },
    };
    for (const profile of profiles.filter((name) => name !== "openai-strict" && name !== "gemini-openapi")) {
      expect(lower(schema, profile)).toEqual(schema);
    }
  });

  it("the schema that came in is not altered", () => {
    const text = JSON.stringify(tree);
    const schema: JsonObject = JSON.parse(text);
    for (const profile of profiles) lowerSchema(schema, profile, () => undefined);
    expect(JSON.stringify(schema)).toBe(text);
  });
});

describe("the trace", () => {
  it("says what was left out, once, and nothing that a user named", () => {
    const notes: unknown[] = [];
    lower(
      { type: "object", properties: { secret: { type: "string", minLength: 1, secretKeyword: 1 }, other: null }, if: {} },
      "gemini",
      notes,
    );
    expect(notes).toEqual([
      [
        "the schema of a tool was put otherwise",
        { left_out: ["if", "minLength", "others"], remarks: ["a part that was no schema takes anything now"] },
      ],
    ]);
  });

  it("says nothing where nothing was lost", () => {
    const notes: unknown[] = [];
    for (const profile of profiles)
      lower({ $schema: "x", type: "object", properties: { a: { type: "string" } }, required: ["a"] }, profile, notes);
    expect(notes).toEqual([]);
  });
});
