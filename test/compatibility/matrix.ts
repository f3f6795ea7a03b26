/** The matrix of docs/compatibility.md: what it is made of, and how it is written. Its marks come from the tests of the same run. */

import { features } from "./features.ts";

/** A line of a table: a group of tests. */
export interface Row {
  readonly client: string;
  readonly upstream: string;
}

export interface Table {
  /** Between `<!-- matrix NAME -->` and `<!-- /matrix NAME -->` on the page. */
  readonly name: string;
  /** The test file whose results are told, from the root of the checkout. */
  readonly file: string;
  readonly rows: readonly Row[];
  /** A test belongs to the column that its name begins with, up to a colon. */
  readonly columns: readonly string[];
}

const wires = ["anthropic", "openai-chat", "openai-responses", "gemini", "bedrock-converse"];
const clients = ["anthropic", "openai-chat", "openai-responses", "gemini"];

/** Names of people's clients and hosts for names of dialects. */
const titles: Readonly<Record<string, string>> = {
  anthropic: "Anthropic Messages",
  "openai-chat": "OpenAI Chat",
  "openai-responses": "OpenAI Responses",
  gemini: "Gemini",
  "bedrock-converse": "Bedrock Converse",
  "bedrock-messages": "Bedrock Messages",
};

export const sdkTable: Table = {
  name: "sdks",
  file: "test/compatibility/sdks.test.ts",
  rows: clients.flatMap((client) => wires.map((upstream) => ({ client, upstream }))),
  columns: features.map((feature) => feature.name),
};

export const claudeCodeTable: Table = {
  name: "claude-code",
  file: "test/e2e/translated.test.ts",
  rows: ["openai-chat", "openai-responses", "gemini", "bedrock-converse"].map((upstream) => ({ client: "Claude Code", upstream })),
  columns: ["hello", "20 turns of Bash", "parallel tools", "subagent", "web search", "image", "overflow", "broken stream"],
};

export const tables: readonly Table[] = [sdkTable, claudeCodeTable];

/** Name of the group of tests of a row. */
export function rowName({ client, upstream }: Row): string {
  return `${client} → ${upstream}`;
}

/** One test that ran. */
export interface Result {
  readonly row: string;
  readonly test: string;
  readonly passed: boolean;
}

/** The rows of Markdown: a mark is set where all tests of a cell passed and there was at least one. */
export function renderTable({ rows, columns }: Table, results: readonly Result[]): string {
  const marks = rows.map((row) => {
    const cells = columns.map((column) => {
      const own = results.filter(({ row: name, test }) => name === rowName(row) && (test === column || test.startsWith(`${column}: `)));
      return own.length > 0 && own.every((result) => result.passed) ? "✓" : "✗";
    });
    return `| ${title(row.client)} | ${title(row.upstream)} | ${cells.join(" | ")} |`;
  });
  return [`| client | provider | ${columns.join(" | ")} |`, `| --- | --- |${" :-: |".repeat(columns.length)}`, ...marks].join("\n");
}

function title(name: string): string {
  return titles[name] ?? name;
}

/** @returns the page with this table in its place @throws Error when the page has no place for it */
export function replaceTable(page: string, table: Table, rendered: string): string {
  const [begin, end] = [`<!-- matrix ${table.name} -->`, `<!-- /matrix ${table.name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no place for a table between ${begin} and ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${rendered}\n\n${page.slice(to)}`;
}
