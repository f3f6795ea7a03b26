/** Schemas as tools declare them, and what each vendor is sent of them. */

import type { JsonObject } from "../../../sdk/events.ts";
import type { SchemaProfile } from "../../../sdk/hub/json-schema.ts";

export interface Row {
  readonly about: string;
  /** The schema of one property, `p`, that is required. */
  readonly property: unknown;
  readonly definitions?: JsonObject;
  /** What becomes of the property; a profile that is not named leaves it as it is. */
  readonly sent: Partial<Record<SchemaProfile, unknown>>;
}

const scalar = ["string", "number", "boolean", "null"];

export const rows: readonly Row[] = [
  {
    about: "a text",
    property: { type: "string", description: "d" },
    sent: { "gemini-openapi": { type: "STRING", description: "d" } },
  },
  {
    about: "a text of a certain form and length",
    property: { type: "string", format: "uri", minLength: 1, maxLength: 9, pattern: "^a" },
    sent: {
      "openai-strict": { type: "string", pattern: "^a" },
      gemini: { type: "string" },
      "gemini-openapi": { type: "STRING", minLength: 1, maxLength: 9, pattern: "^a" },
    },
  },
  {
    about: "a date",
    property: { type: "string", format: "date-time" },
    sent: { "gemini-openapi": { type: "STRING", format: "date-time" } },
  },
  {
    about: "a number between bounds of which one is no part",
    property: { type: "integer", exclusiveMinimum: 0, maximum: 10 },
    sent: {
      gemini: { type: "integer", minimum: 1, maximum: 10 },
      "gemini-openapi": { type: "INTEGER", minimum: 1, maximum: 10 },
      plain: { type: "integer", minimum: 1, maximum: 10 },
      "openai-strict": { type: "integer", exclusiveMinimum: 0, maximum: 10 },
    },
  },
  {
    about: "bounds as an early draft had them",
    property: { type: "number", minimum: 5, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
    sent: {
      openai: { type: "number", exclusiveMinimum: 5, maximum: 9 },
      "openai-strict": { type: "number", exclusiveMinimum: 5, maximum: 9 },
      converse: { type: "number", exclusiveMinimum: 5, maximum: 9 },
      gemini: { type: "number", minimum: 5, maximum: 9 },
      "gemini-openapi": { type: "NUMBER", minimum: 5, maximum: 9 },
      plain: { type: "number", minimum: 5, maximum: 9 },
    },
  },
  {
    about: "one of several texts",
    property: { enum: ["a", "b", "a"] },
    sent: {
      openai: { type: "string", enum: ["a", "b"] },
      "openai-strict": { type: "string", enum: ["a", "b"] },
      gemini: { type: "string", enum: ["a", "b"] },
      "gemini-openapi": { type: "STRING", enum: ["a", "b"] },
      converse: { type: "string", enum: ["a", "b"] },
      plain: { type: "string", enum: ["a", "b"] },
    },
  },
  {
    about: "one of several numbers",
    property: { type: "integer", enum: [1, 2], description: "d" },
    sent: { "gemini-openapi": { type: "INTEGER", description: "d One of: 1, 2" } },
  },
  {
    about: "one of several values of several kinds",
    property: { enum: ["a", 1, true, null] },
    sent: {
      gemini: { enum: ["a", 1] },
      "gemini-openapi": { type: "STRING", nullable: true, description: 'One of: "a", 1, true' },
    },
  },
  {
    about: "one value",
    property: { const: "x" },
    sent: {
      gemini: { type: "string", enum: ["x"] },
      "gemini-openapi": { type: "STRING", enum: ["x"] },
      converse: { type: "string", enum: ["x"] },
      plain: { type: "string", enum: ["x"] },
    },
  },
  {
    about: "a text or nothing",
    property: { type: ["string", "null"] },
    sent: { "gemini-openapi": { type: "STRING", nullable: true } },
  },
  {
    about: "a text or nothing, as OpenAPI says it",
    property: { type: "string", nullable: true },
    sent: {
      openai: { type: ["string", "null"] },
      "openai-strict": { type: ["string", "null"] },
      gemini: { type: ["string", "null"] },
      "gemini-openapi": { type: "STRING", nullable: true },
      converse: { type: ["string", "null"] },
      plain: { type: ["string", "null"] },
    },
  },
  {
    about: "a text or a number",
    property: { type: ["string", "number"], description: "d" },
    sent: { "gemini-openapi": { anyOf: [{ type: "STRING", description: "d" }, { type: "NUMBER" }] } },
  },
  {
    about: "one of several",
    property: { oneOf: [{ type: "string" }, { type: "null" }, { type: "boolean" }] },
    sent: {
      "openai-strict": { anyOf: [{ type: "string" }, { type: "null" }, { type: "boolean" }] },
      gemini: { anyOf: [{ type: "string" }, { type: "null" }, { type: "boolean" }] },
      "gemini-openapi": {
        anyOf: [
          { type: "STRING", nullable: true },
          { type: "BOOLEAN", nullable: true },
        ],
      },
      converse: { anyOf: [{ type: "string" }, { type: "null" }, { type: "boolean" }] },
      plain: { anyOf: [{ type: "string" }, { type: "null" }, { type: "boolean" }] },
    },
  },
  {
    about: "one or nothing",
    property: { anyOf: [{ type: "integer", minimum: 0 }, { type: "null" }], description: "d" },
    sent: { "gemini-openapi": { type: "INTEGER", minimum: 0, nullable: true, description: "d" } },
  },
  {
    about: "a list",
    property: { type: "array", items: { type: "string" }, minItems: 1, uniqueItems: true },
    sent: {
      "openai-strict": { type: "array", items: { type: "string" }, minItems: 1 },
      gemini: { type: "array", items: { type: "string" }, minItems: 1 },
      "gemini-openapi": { type: "ARRAY", items: { type: "STRING" }, minItems: 1 },
      plain: { type: "array", items: { type: "string" }, minItems: 1 },
    },
  },
  {
    about: "a list of anything",
    property: { type: "array" },
    sent: {
      openai: { type: "array", items: {} },
      "openai-strict": { type: "array", items: { type: scalar } },
      gemini: { type: "array", items: {} },
      "gemini-openapi": { type: "ARRAY", items: { type: "STRING" } },
      converse: { type: "array", items: {} },
      plain: { type: "array", items: {} },
    },
  },
  {
    about: "a pair",
    property: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }] },
    sent: {
      "openai-strict": { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } },
      "gemini-openapi": { type: "ARRAY", items: { anyOf: [{ type: "STRING" }, { type: "NUMBER" }] } },
      plain: { type: "array", items: { anyOf: [{ type: "string" }, { type: "number" }] } },
    },
  },
  {
    about: "an object with a part that may be missing",
    property: { type: "object", properties: { a: { type: "string" }, b: { type: "integer" } }, required: ["a"] },
    sent: {
      "openai-strict": {
        type: "object",
        properties: { a: { type: "string" }, b: { type: ["integer", "null"] } },
        required: ["a", "b"],
        additionalProperties: false,
      },
      "gemini-openapi": { type: "OBJECT", properties: { a: { type: "STRING" }, b: { type: "INTEGER" } }, required: ["a"] },
    },
  },
  {
    about: "an open object",
    property: { type: "object", additionalProperties: { type: "string" } },
    sent: {
      "openai-strict": { type: "object", properties: {}, required: [], additionalProperties: false },
      "gemini-openapi": { type: "OBJECT" },
    },
  },
  {
    about: "a condition",
    // A literal with a `then` would be taken for a promise.
    property: JSON.parse(
      '{"type":"object","properties":{"a":{"type":"string"}},"if":{"required":["a"]},"then":{"minProperties":1},"not":{"type":"null"}}',
    ),
    sent: {
      "openai-strict": { type: "object", properties: { a: { type: ["string", "null"] } }, required: ["a"], additionalProperties: false },
      gemini: { type: "object", properties: { a: { type: "string" } } },
      "gemini-openapi": { type: "OBJECT", properties: { a: { type: "STRING" } } },
      plain: { type: "object", properties: { a: { type: "string" } } },
    },
  },
  {
    about: "several in one",
    property: {
      allOf: [{ type: "object", properties: { a: { type: "string" } }, required: ["a"] }, { properties: { b: { type: "string" } } }],
    },
    sent: {
      openai: {
        allOf: [
          { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
          { type: "object", properties: { b: { type: "string" } } },
        ],
      },
      "openai-strict": {
        type: "object",
        properties: { a: { type: "string" }, b: { type: ["string", "null"] } },
        required: ["a", "b"],
        additionalProperties: false,
      },
      gemini: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["a"] },
      "gemini-openapi": { type: "OBJECT", properties: { a: { type: "STRING" }, b: { type: "STRING" } }, required: ["a"] },
      converse: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["a"] },
      plain: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["a"] },
    },
  },
  {
    about: "a reference",
    property: { $ref: "#/$defs/Item", description: "d" },
    definitions: { Item: { type: "object", properties: { id: { type: "string" } }, required: ["id"] }, Unused: { type: "string" } },
    sent: {
      "openai-strict": { $ref: "#/$defs/Item" },
      gemini: { $ref: "#/$defs/Item" },
      "gemini-openapi": { type: "OBJECT", properties: { id: { type: "STRING" } }, required: ["id"], description: "d" },
      converse: { type: "object", properties: { id: { type: "string" } }, required: ["id"], description: "d" },
      plain: { type: "object", properties: { id: { type: "string" } }, required: ["id"], description: "d" },
    },
  },
  {
    about: "a reference wrapped in allOf",
    property: { allOf: [{ $ref: "#/$defs/Item" }], description: "d" },
    definitions: { Item: { type: "string" } },
    sent: {
      "openai-strict": { $ref: "#/$defs/Item" },
      gemini: { $ref: "#/$defs/Item" },
      "gemini-openapi": { type: "STRING", description: "d" },
      converse: { type: "string", description: "d" },
      plain: { type: "string", description: "d" },
    },
  },
  {
    about: "a reference into another document",
    property: { $ref: "https://example.com/schema.json", type: "string" },
    sent: {
      openai: { type: "string" },
      "openai-strict": { type: "string" },
      gemini: { type: "string" },
      "gemini-openapi": { type: "STRING" },
      converse: { type: "string" },
      plain: { type: "string" },
    },
  },
  {
    about: "true",
    property: true,
    sent: {
      openai: {},
      "openai-strict": { type: scalar },
      gemini: {},
      "gemini-openapi": { type: "STRING" },
      converse: {},
      plain: {},
    },
  },
  {
    about: "null in the place of a schema",
    property: null,
    sent: {
      openai: {},
      "openai-strict": { type: scalar },
      gemini: {},
      "gemini-openapi": { type: "STRING" },
      converse: {},
      plain: {},
    },
  },
  {
    about: "parts that are of the wrong kind",
    property: { type: "STRING", description: 5, required: "a", properties: [], enum: [], items: false, minLength: "1" },
    sent: {
      openai: { type: "string", properties: {}, items: {} },
      "openai-strict": { type: "string", properties: {}, items: { type: scalar } },
      gemini: { type: "string", properties: {}, items: {} },
      "gemini-openapi": { type: "STRING", properties: {}, items: { type: "STRING" } },
      converse: { type: "string", properties: {}, items: {} },
      plain: { type: "string", properties: {}, items: {} },
    },
  },
  {
    about: "a type that is none",
    property: { type: "any", description: "d" },
    sent: {
      openai: { description: "d" },
      "openai-strict": { description: "d", type: scalar },
      gemini: { description: "d" },
      "gemini-openapi": { type: "STRING", description: "d" },
      converse: { description: "d" },
      plain: { description: "d" },
    },
  },
];
