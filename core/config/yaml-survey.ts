/** One walk over a parsed document before anything is made of it: repeated keys, alias bombs, nesting. */

import { isAlias, isMap, isPair, isScalar, isSeq, type Alias, type Document, type Node } from "yaml";
import { quote } from "./describe.ts";
import type { Location } from "./types.ts";

const maxValues = 200_000;
const maxAliases = 1_000;
const maxDepth = 100;

export interface Survey {
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>;
  /** Why nothing must be made of the document. */
  readonly problems: readonly SurveyProblem[];
  /** Faults that leave it readable. */
  readonly repeatedKeys: readonly SurveyProblem[];
}

export interface SurveyProblem {
  readonly offset: number;
  /** The message; it is given the means to name another place of the same file. */
  text(position: (offset: number) => Location): string;
}

/** Never expands an alias: the size of what it stands for is added up instead. */
export function surveyDocument(document: Document.Parsed): Survey {
  const targets = new Map<Alias, Node>();
  const problems: SurveyProblem[] = [];
  const repeated: SurveyProblem[] = [];
  const anchors = new Map<string, { readonly node: Node; readonly size: number }>();
  let aliasCount = 0;

  const visit = (node: unknown, depth: number): number => {
    if (isAlias(node)) {
      aliasCount += 1;
      const anchor = anchors.get(node.source);
      if (anchor !== undefined) targets.set(node, anchor.node);
      else if (document.errors.length === 0) problems.push(problem(node, "refers to an anchor that is not complete at this point."));
      return anchor?.size ?? 1;
    }
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return 0;
    if (depth === maxDepth && !isScalar(node)) {
      problems.push(problem(node, `is nested deeper than ${maxDepth} levels; configuration is not that deep.`));
      return 1;
    }
    let size = 1;
    if (isSeq(node)) for (const item of node.items) size += visit(item, depth + 1);
    if (isMap(node)) {
      findRepeatedKeys(node.items, repeated);
      for (const item of node.items) {
        if (!isPair(item)) continue;
        size += visit(item.key, depth + 1) + visit(item.value, depth + 1);
        if (isScalar(item.key) && item.key.value === "<<" && item.key.type === "PLAIN" && !isMergeSource(item.value, targets)) {
          problems.push(
            problem(
              item.key,
              "is a merge key; wanted an alias of a mapping after it, or a list of such. Put << in quotes if it is a name.",
            ),
          );
        }
      }
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, { node, size });
    return size;
  };

  const size = visit(document.contents, 0);
  if (aliasCount > maxAliases) problems.push(whole(`uses ${aliasCount} aliases; at most ${maxAliases} are allowed.`));
  else if (size > maxValues) {
    const cause = aliasCount > 0 ? "its aliases expand to" : "it holds";
    problems.push(whole(`is refused: ${cause} more than ${maxValues} values.`));
  }
  return { targets, problems, repeatedKeys: repeated };
}

function isMergeSource(value: unknown, targets: ReadonlyMap<Alias, Node>): boolean {
  const source = isAlias(value) ? targets.get(value) : value;
  return isMap(source) || (isSeq(source) && source.items.every((item) => isMap(isAlias(item) ? targets.get(item) : item)));
}

function findRepeatedKeys(items: readonly unknown[], problems: SurveyProblem[]): void {
  const seen = new Map<string, number>();
  for (const item of items) {
    if (!isPair(item) || !isScalar(item.key)) continue;
    const key = String(item.key.value);
    const offset = item.key.range?.[0] ?? 0;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, offset);
    // Merging from several places is written with several of these.
    else if (key !== "<<") {
      problems.push({
        offset,
        text: (position) => `key ${quote(key)} stands twice in this mapping, first on line ${position(first).line}. Keep one of them.`,
      });
    }
  }
}

function problem(node: Node, message: string): SurveyProblem {
  return { offset: node.range?.[0] ?? 0, text: () => message };
}

function whole(message: string): SurveyProblem {
  return { offset: 0, text: () => message };
}
