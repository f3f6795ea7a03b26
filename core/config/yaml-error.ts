/** YAML syntax errors in our own words: what to do, and nothing quoted that might be a secret. */

import { isCollection, isScalar, visit, type Document, type ErrorCode, type YAMLError } from "yaml";
import type { SurveyProblem } from "./yaml-survey.ts";

// The parser's own messages quote the text they stumble over, which may be the rest of a key.
const messages: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: "an alias (*name) without an anchor (&name) before it. A value that begins with * needs quotes.",
  ALIAS_PROPS: "an alias (*name) takes no tag or anchor of its own.",
  BAD_DQ_ESCAPE: "an escape that does not exist inside double quotes. Write \\\\ for a backslash, or use single quotes.",
  BAD_INDENT: "indentation that fits no level above. Items of one list or mapping begin in the same column.",
  BAD_SCALAR_START: "a value that begins with a reserved character. Put it in quotes.",
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on the line. A value that holds a colon and a space needs quotes.',
  BLOCK_IN_FLOW: "a list or mapping in block form inside brackets. Close the bracket first.",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters.",
  MISSING_CHAR: "a character is missing here: a closing quote or bracket, the colon after a key, or a comma.",
  MULTILINE_IMPLICIT_KEY: 'a key that runs over several lines. Is a colon missing, or the space after it ("key: value")?',
  MULTIPLE_ANCHORS: "a value with more than one anchor.",
  MULTIPLE_DOCS: "a second document (---) in one file. Keep one.",
  MULTIPLE_TAGS: "a value with more than one tag.",
  NON_STRING_KEY: "a key that is not text. Put it in quotes.",
  RESOURCE_EXHAUSTION: "is nested too deeply to be read.",
  TAB_AS_INDENT: "a tab as indentation. YAML wants spaces.",
  TAG_RESOLVE_FAILED: "a tag (!name) that has no meaning here. Remove it, or put a value that begins with ! in quotes.",
  UNEXPECTED_TOKEN: "not expected here. Check the indentation, and the quotes and brackets before it.",
};

/** One error on its own. */
export function describeYamlError(error: YAMLError): string {
  return `YAML: ${messages[error.code] ?? "this cannot be read. Check the quotes, brackets and indentation before it."}`;
}

/** All errors of a document: the first of each line, and for what is never closed the place where it is opened. */
export function describeYamlErrors(document: Document.Parsed, text: string): readonly SurveyProblem[] {
  const lines = new Set<number>();
  const problems: SurveyProblem[] = [];
  for (const error of document.errors) {
    const line = text.lastIndexOf("\n", error.pos[0] - 1);
    if (lines.has(line)) continue;
    lines.add(line);
    const opened = findOpened(document, text, error.pos[0]);
    if (opened === undefined) problems.push({ offset: error.pos[0], text: () => describeYamlError(error) });
    else
      problems.push({
        offset: opened,
        text: () => `YAML: the ${text[opened] === "[" || text[opened] === "{" ? "bracket" : "quote"} that opens here is never closed.`,
      });
  }
  return problems;
}

/** Where the innermost quote or bracket begins that should have ended before an error and did not. */
function findOpened(document: Document.Parsed, text: string, offset: number): number | undefined {
  let opened: number | undefined;
  visit(document, {
    Node(_, node) {
      const [start, end] = node.range ?? [0, 0];
      if (start >= offset || end < offset) return undefined;
      const quoted =
        isScalar(node) && (node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE") && !closes(text, start, end, text[start]);
      const bracketed = isCollection(node) && node.flow === true && !closes(text, start, end, text[start] === "[" ? "]" : "}");
      if (quoted || bracketed) opened = start;
      return undefined;
    },
  });
  return opened;
}

function closes(text: string, start: number, end: number, mark: string | undefined): boolean {
  return end - start > 1 && text[end - 1] === mark;
}
