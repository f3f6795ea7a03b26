/** YAML syntax errors in our own words: what to do, and nothing quoted that might be a secret. */

import type { ErrorCode, YAMLError } from "yaml";

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

export function describeYamlError(error: YAMLError): { readonly offset: number; readonly message: string } {
  return {
    offset: error.pos[0],
    message: `YAML: ${messages[error.code] ?? "this cannot be read. Check the quotes, brackets and indentation before it."}`,
  };
}
