/**
 * Tools that the hub's vendor defines and the client carries out: described here in full, so that a model which was not
 * trained on them can call them. Fields: https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference
 */

import type { JsonObject } from "../events.ts";
import type { FunctionTool } from "./conversation.ts";
import { text, type JsonRecord } from "./json.ts";
import { cacheOf } from "./read-marks.ts";

/** Undefined for a tool of another kind. @param type e.g. `bash_20250124` */
export function clientTool(type: string, tool: JsonRecord): FunctionTool | undefined {
  const found = kinds.find(({ prefix }) => type.startsWith(prefix));
  if (found === undefined) return undefined;
  const { description, schema } = found.describe(type, tool);
  return { name: text(tool["name"]) ?? found.name, description, schema, strict: undefined, ...cacheOf(tool) };
}

interface Kind {
  /** What its types begin with; a date follows. */
  readonly prefix: string;
  readonly name: string;
  describe(type: string, tool: JsonRecord): { readonly description: string; readonly schema: JsonObject };
}

const path = { type: "string", description: "Absolute path of the file or directory." };
const viewRange = {
  type: "array",
  items: { type: "integer" },
  description: "For view: first and last line, counted from 1; -1 as the last one means the end.",
};
const edits = {
  path,
  file_text: { type: "string", description: "For create: the whole content." },
  old_str: { type: "string", description: "For str_replace: the text to replace; it must occur exactly once." },
  new_str: { type: "string", description: "For str_replace: what takes its place." },
  insert_line: { type: "integer", description: "For insert: the line after which to insert; 0 means the beginning." },
  view_range: viewRange,
};

const kinds: readonly Kind[] = [
  {
    prefix: "bash_",
    name: "bash",
    describe: () => ({
      description: "Runs a command in a bash session that lasts from call to call, and returns what it prints.",
      schema: object({
        command: { type: "string", description: "The command. Required unless the session is restarted." },
        restart: { type: "boolean", description: "True starts the session anew." },
      }),
    }),
  },
  { prefix: "text_editor_", name: "str_replace_based_edit_tool", describe: describeEditor },
  {
    prefix: "memory_",
    name: "memory",
    describe: () => ({
      description: "Reads and keeps notes as files below /memories, which outlast this conversation.",
      schema: object(
        {
          command: choice(["view", "create", "str_replace", "insert", "delete", "rename"]),
          ...edits,
          insert_text: { type: "string", description: "For insert: the text." },
          old_path: { type: "string", description: "For rename: the path until now." },
          new_path: { type: "string", description: "For rename: the new path." },
        },
        ["command"],
      ),
    }),
  },
  { prefix: "computer_2", name: "computer", describe: describeComputer },
];

/** Earlier versions could undo; the text of an insert has been called both names. */
function describeEditor(type: string): { readonly description: string; readonly schema: JsonObject } {
  const isEarly = type < "text_editor_20250429";
  const commands = ["view", "create", "str_replace", "insert", ...(isEarly ? ["undo_edit"] : [])];
  const inserted = type < "text_editor_20250728" ? "new_str" : "insert_text";
  return {
    description: "Views, creates and edits text files.",
    schema: object(
      { command: choice(commands), ...edits, [inserted]: { type: "string", description: "The new text, for str_replace or insert." } },
      ["command", "path"],
    ),
  };
}

const firstActions = [
  "key",
  "type",
  "mouse_move",
  "left_click",
  "left_click_drag",
  "right_click",
  "middle_click",
  "double_click",
  "screenshot",
  "cursor_position",
];
const laterActions = ["left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait", "triple_click"];

function describeComputer(type: string, tool: JsonRecord): { readonly description: string; readonly schema: JsonObject } {
  const { display_width_px: width, display_height_px: height } = tool;
  const size = typeof width === "number" && typeof height === "number" ? ` The screen has ${width} by ${height} pixels.` : "";
  const isLater = type >= "computer_20250124";
  const canZoom = type >= "computer_20251124" && tool["enable_zoom"] === true;
  const point = { type: "array", items: { type: "integer" } };
  return {
    description: `Looks at the screen and uses mouse and keyboard. Take a screenshot to see what an action did.${size}`,
    schema: object(
      {
        action: choice([...firstActions, ...(isLater ? laterActions : []), ...(canZoom ? ["zoom"] : [])]),
        coordinate: { ...point, description: "x and y in pixels from the left and the top." },
        text: { type: "string", description: "Text to type, or keys such as ctrl+s; keys held during a click or scroll." },
        ...(isLater
          ? {
              start_coordinate: { ...point, description: "For left_click_drag: where it begins." },
              scroll_direction: { type: "string", enum: ["up", "down", "left", "right"] },
              scroll_amount: { type: "integer", description: "Clicks of the wheel." },
              duration: { type: "number", description: "Seconds, for hold_key and wait." },
            }
          : {}),
        ...(canZoom ? { region: { ...point, description: "For zoom: x and y of two opposite corners." } } : {}),
      },
      ["action"],
    ),
  };
}

function choice(values: readonly string[]): JsonObject {
  return { type: "string", enum: values };
}

function object(properties: JsonObject, required: readonly string[] = []): JsonObject {
  return { type: "object", properties, ...(required.length === 0 ? {} : { required }) };
}
