/** What esbuild has to say, as findings at a place in the user's files. */

import type { LogLevel, Message } from "esbuild";
import type { Fault, Severity } from "../config/types.ts";
import { sourceNamespace, type BuildRecord } from "./bundle-plugin.ts";
import { codeFrame, maskText } from "./mask-code.ts";

/** What would fail when the code runs is told when it is compiled. */
const unusable: ReadonlyMap<string, string> = new Map([
  [
    "unsupported-dynamic-import",
    "import() of a name that is only known when the code runs: only files known beforehand are in the sandbox. Write the name out, or import all of them and choose.",
  ],
  [
    "unsupported-require-call",
    "require() of a name that is only known when the code runs: only files known beforehand are in the sandbox. Write an import with the name.",
  ],
  ["indirect-require", "require used as a value: there is none in the sandbox. Write an import."],
  ["empty-import-meta", "import.meta is empty in the sandbox: code there has no place on a disk."],
]);

export const logOverride: Record<string, LogLevel> = Object.fromEntries(Array.from(unusable.keys(), (id) => [id, "warning"]));

const maxFaults = 20;

const inOtherWords: readonly (readonly [pattern: RegExp, text: string])[] = [
  [
    /^Top-level await is currently not supported/,
    "await outside of a function: a file is loaded once, before any request, and cannot wait. Move it into the rule or hook, which may be async.",
  ],
];

/** @param fallback file for what has no place of its own, absolute */
export function readMessages(
  { errors, warnings }: { readonly errors: readonly Message[]; readonly warnings: readonly Message[] },
  record: BuildRecord,
  fallback: string,
): { readonly errors: readonly Fault[]; readonly warnings: readonly Fault[] } {
  // What is doubtful in a package is not the user's to mend.
  const own = warnings.filter(({ location }) => record.files.get(nameOf(location?.file))?.zone.kind === "user");
  const isUnusable = ({ id }: Message): boolean => unusable.has(id) && id !== "empty-import-meta";
  const fault =
    (severity: Severity) =>
    (message: Message): Fault =>
      asFault(severity, message, record, fallback);
  return {
    errors: cut([...errors, ...own.filter(isUnusable)].map(fault("error"))),
    warnings: own.filter((message) => !isUnusable(message)).map(fault("warning")),
  };
}

/** Of a flood of findings the first tell enough. */
function cut(faults: readonly Fault[]): readonly Fault[] {
  const last = faults[maxFaults];
  if (last === undefined) return faults;
  const { severity, file } = last;
  return [
    ...faults.slice(0, maxFaults),
    { severity, file, message: `${faults.length - maxFaults} more findings like these are not shown.` },
  ];
}

function asFault(severity: Severity, message: Message, record: BuildRecord, fallback: string): Fault {
  const { location } = message;
  const text = sentence(maskText(wording(message)));
  const file = record.files.get(nameOf(location?.file));
  if (location === null || file === undefined) return { severity, message: text, file: record.entry()?.path ?? fallback };
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString();
  const column = before.length + 1;
  const frame = codeFrame(location.lineText, location.line, column);
  return { severity, message: text, file: file.path, line: location.line, column, frame };
}

function wording({ id, text }: Message): string {
  const ours = unusable.get(id) ?? inOtherWords.find(([pattern]) => pattern.test(text))?.[1];
  return ours ?? text.replaceAll(`"${sourceNamespace}:`, '"');
}

function nameOf(file: string | undefined): string {
  const prefix = `${sourceNamespace}:`;
  return file?.startsWith(prefix) === true ? file.slice(prefix.length) : (file ?? "");
}

function sentence(text: string): string {
  return /[.?!)"]$/.test(text) || text.includes("npm install") ? text : `${text}.`;
}
