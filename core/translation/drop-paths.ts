/** Paths of fields to be taken out of a body, in LiteLLM's spelling: `temperature`, `a.b`, `tools[*].function.strict`, `tools[0].x`. */

import type { Json } from "../../sdk/body.ts";
import type { Patch } from "../body/patch-format.ts";

/** What is to go, as a tree: a leaf goes, below anything else something goes. */
export interface DropTree {
  readonly members: Map<string, DropTree>;
  /** Of every element. Elements themselves never go, as in LiteLLM. */
  every?: DropTree;
  readonly elements: Map<number, DropTree>;
  isLeaf: boolean;
}

/**
 * Names that clients of Chat Completions use, and where the same thing stands on other wires: whoever wrote
 * `temperature` meant it wherever it is.
 */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  temperature: ["generationConfig.temperature", "inferenceConfig.temperature"],
  top_p: ["generationConfig.topP", "inferenceConfig.topP"],
  top_k: ["generationConfig.topK"],
  stop: ["stop_sequences", "generationConfig.stopSequences", "inferenceConfig.stopSequences"],
  max_tokens: ["max_completion_tokens", "max_output_tokens", "generationConfig.maxOutputTokens", "inferenceConfig.maxTokens"],
  reasoning_effort: ["reasoning", "output_config.effort", "generationConfig.thinkingConfig"],
  response_format: [
    "text.format",
    "output_config.format",
    "generationConfig.responseMimeType",
    "generationConfig.responseSchema",
    "generationConfig.responseJsonSchema",
  ],
  tool_choice: ["toolConfig.functionCallingConfig", "toolConfig.toolChoice"],
  user: ["safety_identifier", "metadata.user_id"],
};

/** Without these there is no request. */
const needed: ReadonlySet<string> = new Set(["model", "messages", "input", "contents", "stream"]);

/** @param paths those that are no paths, or would take away the request itself, are left out */
export function readDropPaths(paths: readonly string[]): DropTree {
  const tree = emptyTree();
  for (const path of paths.flatMap((written) => [written, ...(elsewhere[written] ?? [])])) {
    const segments = segmentsOf(path);
    if (segments === undefined || (segments.length === 1 && needed.has(String(segments[0])))) continue;
    let node = tree;
    for (const segment of segments) node = childOf(node, segment);
    node.isLeaf = true;
  }
  return tree;
}

const every = "[*]";

function emptyTree(): DropTree {
  return { members: new Map(), elements: new Map(), isLeaf: false };
}

function childOf(node: DropTree, segment: string | number): DropTree {
  if (segment === every) return (node.every ??= emptyTree());
  if (typeof segment === "number") return getOrAdd(node.elements, segment);
  return getOrAdd(node.members, segment);
}

function getOrAdd<Key>(children: Map<Key, DropTree>, key: Key): DropTree {
  const known = children.get(key);
  if (known !== undefined) return known;
  const added = emptyTree();
  children.set(key, added);
  return added;
}

/** Undefined for what is no path. A backslash before a dot makes it part of the name. */
function segmentsOf(path: string): readonly (string | number)[] | undefined {
  const segments: (string | number)[] = [];
  let name = "";
  const endName = (): void => {
    if (name !== "") segments.push(name);
    name = "";
  };
  for (let at = 0; at < path.length; at++) {
    const character = path[at];
    if (character === "\\" && path[at + 1] === ".") {
      name += ".";
      at += 1;
    } else if (character === ".") endName();
    else if (character === "[") {
      endName();
      const close = path.indexOf("]", at);
      const inner = path.slice(at + 1, close);
      if (close < 0 || !/^(\*|\d{1,9})$/.test(inner)) return undefined;
      segments.push(inner === "*" ? every : Number(inner));
      at = close;
    } else name += character;
  }
  endName();
  return segments.length === 0 ? undefined : segments;
}

/** The value without what is to go; the very same where nothing does. */
export function without(value: Json, tree: DropTree): Json {
  if (isList(value)) {
    const left = value.map((item, index) => elementTrees(tree, index).reduce(without, item));
    return left.some((item, index) => item !== value[index]) ? left : value;
  }
  if (value === null || typeof value !== "object") return value;
  const left = Object.entries(value).flatMap(([name, member]): [string, Json][] => {
    const below = tree.members.get(name);
    if (below?.isLeaf === true) return [];
    return [[name, below === undefined ? member : without(member, below)]];
  });
  const isSame = left.length === Object.keys(value).length && left.every(([name, member]) => member === value[name]);
  return isSame ? value : Object.fromEntries(left);
}

/** The same as changes of bytes; undefined where nothing goes. */
export function dropPatch(value: Json, tree: DropTree): Exclude<Patch, { readonly v: string }> | undefined {
  if (isList(value)) {
    const changes = value.flatMap((item, index): [string, Patch][] => {
      const left = elementTrees(tree, index).reduce(without, item);
      if (left === item) return [];
      const patch = elementTrees(tree, index).length === 1 ? dropPatch(item, elementTrees(tree, index)[0] ?? tree) : undefined;
      return [[String(index), patch ?? { v: JSON.stringify(left) }]];
    });
    return changes.length === 0 ? undefined : { e: Object.fromEntries(changes) };
  }
  if (value === null || typeof value !== "object") return undefined;
  const changes = Object.entries(value).flatMap(([name, member]): [string, Patch | null][] => {
    const below = tree.members.get(name);
    if (below === undefined) return [];
    if (below.isLeaf) return [[name, null]];
    const patch = dropPatch(member, below);
    return patch === undefined ? [] : [[name, patch]];
  });
  return changes.length === 0 ? undefined : { o: Object.fromEntries(changes) };
}

function elementTrees({ every: all, elements }: DropTree, index: number): readonly DropTree[] {
  const own = elements.get(index);
  return [...(all === undefined ? [] : [all]), ...(own === undefined ? [] : [own])];
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
