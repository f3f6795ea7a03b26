/** Parses one YAML (or JSON) file into a tree; bounds what aliases and nesting may make of it. */

import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Pair } from "yaml";
import type { Report } from "./report.ts";
import { readTextFile } from "./text-file.ts";
import type { Path, Tree } from "./tree.ts";
import type { Location } from "./types.ts";
import { describeYamlError, describeYamlErrors } from "./yaml-error.ts";
import { surveyDocument, type Survey, type SurveyProblem } from "./yaml-survey.ts";

/** Where the text begins inside its file, when it is a part of one. */
export interface Origin {
  readonly line: number;
  readonly column: number;
}

const maxReported = 20;

/** Undefined when the file is absent or unusable; the latter is in the report. */
export async function readSource(file: string, report: Report): Promise<Tree | "absent" | undefined> {
  const content = await readTextFile(file);
  if (content.type === "absent") return "absent";
  if (content.type === "text") return parseSource(content.text, file, report);
  report.file("error", file, content.message, content.line === undefined ? undefined : { line: content.line, column: 1 });
  return undefined;
}

/** Undefined when the text is not usable YAML; why is in the report, every fault of it. */
export function parseSource(text: string, file: string, report: Report, origin: Origin = { line: 1, column: 1 }): Tree | undefined {
  const lineCounter = new LineCounter();
  const position = (offset: number): Location => toLocation(lineCounter, offset, file, origin);
  try {
    const document = parseDocument(text, {
      lineCounter,
      schema: "core",
      // LiteLLM reads with PyYAML, where `<<` merges.
      merge: true,
      stringKeys: true,
      // Our own survey finds repeated keys in linear time and knows where the first one stands.
      uniqueKeys: false,
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: "error",
    });
    const survey = surveyDocument(document);
    const tell = (problem: SurveyProblem): void => report.file("error", file, problem.text(position), position(problem.offset));
    const problems = survey.problems.length > 0 ? survey.problems : describeYamlErrors(document, text);
    for (const problem of problems.slice(0, maxReported)) tell(problem);
    if (problems.length > maxReported) report.file("error", file, `has ${problems.length - maxReported} more faults in its YAML.`);
    if (problems.length > 0) return undefined;
    for (const warning of document.warnings.slice(0, maxReported)) {
      report.file("warning", file, describeYamlError(warning), position(warning.pos[0]));
    }
    for (const problem of survey.repeatedKeys.slice(0, maxReported)) tell(problem);
    // The survey has bounded aliases already, by what they amount to.
    const value: unknown = document.toJS({ maxAliasCount: -1 });
    return { file, value, locate: (path, part) => position(findOffset(document, survey, path, part)) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report.file("error", file, "is nested too deeply to be read.");
    return undefined;
  }
}

function toLocation(lineCounter: LineCounter, offset: number, file: string, origin: Origin): Location {
  const { line, col } = lineCounter.linePos(offset);
  const lineInText = Math.max(line, 1);
  return { file, line: lineInText + origin.line - 1, column: lineInText === 1 ? Math.max(col, 1) + origin.column - 1 : col };
}

function findOffset(document: Document.Parsed, survey: Survey, path: Path, part: "key" | "value" = "value"): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, segment] of path.entries()) {
    const container = isAlias(node) ? survey.targets.get(node) : node;
    if (isSeq(container) && typeof segment === "number") {
      node = container.items[segment];
    } else {
      const pair = findPair(container, String(segment), survey);
      if (pair === undefined) return offset;
      const isLast = index === path.length - 1;
      const keyOffset = startOf(pair.key) ?? offset;
      if (isLast && part === "key") return keyOffset;
      // An empty value has no place of its own worth pointing at.
      node = pair.value;
      if (!isNode(node) || (isScalar(node) && node.value === null && node.source === "")) return keyOffset;
    }
    const start = startOf(node);
    if (start === undefined) return offset;
    offset = start;
  }
  return offset;
}

function findPair(container: unknown, key: string, survey: Survey): Pair | undefined {
  if (!isMap(container)) return undefined;
  // As with JSON, the last one counts.
  const own = container.items.findLast((pair) => isScalar(pair.key) && pair.key.value === key);
  if (own !== undefined) return own;
  for (const pair of container.items) {
    if (!isPair(pair) || !isScalar(pair.key) || pair.key.value !== "<<") continue;
    for (const source of isSeq(pair.value) ? pair.value.items : [pair.value]) {
      const found = findPair(isAlias(source) ? survey.targets.get(source) : source, key, survey);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
