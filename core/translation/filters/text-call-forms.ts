/**
 * The forms in which small models write calls of tools into their text. Sources: Hermes and Qwen (`<tool_call>`,
 * `<function=…>` with `<parameter=…>`): https://github.com/ggml-org/llama.cpp/issues/15012; Llama 3
 * (`<function=…>{…}`, `<|python_tag|>`): https://llama.meta.com/docs/model-cards-and-prompt-formats/llama3_1/; Mistral
 * (`[TOOL_CALLS]`, `[ARGS]`): https://docs.vllm.ai/en/latest/api/vllm/tool_parsers/mistral_tool_parser/
 */

import type { Json } from "../../../sdk/body.ts";
import { record, text, type JsonRecord } from "../../../sdk/hub/json.ts";
import { parseObject, repairObject } from "./repair-json.ts";

export interface TextCall {
  readonly name: string;
  readonly input: JsonRecord;
}

export interface TextForm {
  readonly open: string;
  /** Undefined where only the end of the text ends it. */
  readonly close: string | undefined;
  /** Undefined where it is no call, or not all of one. @param body what stands between; to the end of the text where nothing closed it */
  read(body: string, isClosed: boolean): readonly TextCall[] | undefined;
}

export const forms: readonly TextForm[] = [
  { open: "<tool_call>", close: "</tool_call>", read: (body, isClosed) => readXml(body.trim(), isClosed) ?? readJson(body) },
  { open: "<function=", close: "</function>", read: (body, isClosed) => readXml(`<function=${body}`, isClosed) },
  { open: "[TOOL_CALLS]", close: undefined, read: readMistral },
  { open: "<|python_tag|>", close: undefined, read: readSequence },
  { open: "```json", close: "```", read: readJson },
];

/** One call, or a list of them, as JSON. */
function readJson(body: string): readonly TextCall[] | undefined {
  const value = readValue(body.trim());
  if (!Array.isArray(value)) return all([readCall(record(value))]);
  return all(value.map((item: Json) => readCall(record(item))));
}

function readValue(json: string): Json | undefined {
  const object = parseObject(json) ?? repairObject(json);
  if (object !== undefined) return object;
  try {
    const value: Json = JSON.parse(json);
    return value;
  } catch {
    return undefined;
  }
}

function all(calls: readonly (TextCall | undefined)[]): readonly TextCall[] | undefined {
  const whole = calls.filter((call) => call !== undefined);
  return whole.length > 0 && whole.length === calls.length ? whole : undefined;
}

function readCall(value: JsonRecord | undefined): TextCall | undefined {
  const call = record(value?.["function"]) ?? value;
  const name = text(call?.["name"]) ?? text(value?.["function"]);
  const given = call?.["arguments"] ?? call?.["parameters"] ?? call?.["input"];
  const input = typeof given === "string" ? (parseObject(given) ?? repairObject(given)) : record(given);
  return name === undefined || input === undefined ? undefined : { name: name.trim(), input };
}

/** `<function=name>{…}</function>`, or with a `<parameter=key>` for each value. */
function readXml(body: string, isClosed: boolean): readonly TextCall[] | undefined {
  if (!body.startsWith("<function=")) return undefined;
  const end = body.indexOf(">");
  if (end === -1) return undefined;
  const name = body.slice("<function=".length, end).trim();
  const content = withoutEnd(body.slice(end + 1), "</function>").trim();
  const isEnded = isClosed || body.includes("</function>");
  const input = content.startsWith("{") ? (parseObject(content) ?? repairObject(content)) : isEnded ? readParameters(content) : undefined;
  return input === undefined || name === "" ? undefined : [{ name, input }];
}

function withoutEnd(content: string, tag: string): string {
  const end = content.lastIndexOf(tag);
  return end === -1 ? content : content.slice(0, end);
}

/** All values are texts; what they are meant to be is for the schema to say. */
function readParameters(content: string): JsonRecord | undefined {
  const [before = "", ...parts] = content.split("<parameter=");
  if (before.trim() !== "") return undefined;
  const entries = parts.map((part) => {
    const end = part.indexOf(">");
    const value = withoutEnd(part.slice(end + 1), "</parameter>");
    // One line break on either side belongs to the form.
    return end === -1 ? undefined : ([part.slice(0, end).trim(), value.replace(/^\r?\n/, "").replace(/\r?\n$/, "")] as const);
  });
  const whole = entries.filter((entry) => entry !== undefined);
  return whole.length === entries.length ? Object.fromEntries(whole) : undefined;
}

/** A list as JSON, or `name[ARGS]{…}` once or several times. */
function readMistral(body: string): readonly TextCall[] | undefined {
  const list = readJson(body);
  if (list !== undefined) return list;
  const calls = body.split("[TOOL_CALLS]").map((part) => {
    const start = part.indexOf("{");
    const [name = ""] = part.slice(0, Math.max(0, start)).split(/\[(?:ARGS|CALL_ID)\]/);
    const json = part.slice(start).trim();
    const input = start === -1 ? undefined : (parseObject(json) ?? repairObject(json));
    return input === undefined ? undefined : { name: name.trim(), input };
  });
  return all(calls);
}

/** Several calls are parted by semicolons. */
function readSequence(body: string): readonly TextCall[] | undefined {
  const one = readJson(body);
  if (one !== undefined) return one;
  const parts = body.split(/\}\s*;\s*\{/);
  const objects = parts.map((part, index) => `${index === 0 ? "" : "{"}${part}${index === parts.length - 1 ? "" : "}"}`);
  return parts.length === 1 ? undefined : all(objects.map((object) => readCall(record(readValue(object.trim())))));
}
