/** How wide the columns of the cost table are, and which of them there is room for. */

/** Texts by the name of their column. */
export type Cells = Readonly<Record<string, string>>;

export interface Column {
  readonly name: string;
  readonly head: string;
  readonly width: number;
  readonly isRight: boolean;
}

export interface Layout {
  readonly columns: readonly Column[];
  readonly barWidth: number;
}

const gap = 2;
const leastName = 12;
const leastBar = 6;
const mostBar = 24;
/** What goes first when there is no room. */
const expendable: readonly string[] = ["note", "tokens", "requests", "saved"];
const rightAligned: ReadonlySet<string> = new Set(["cost", "requests", "saved", "tokens"]);
const order: readonly string[] = ["name", "cost", "bar", "requests", "saved", "tokens", "note"];

/** @param nameHead above the names @param room columns of the terminal */
export function columnsOf(rows: readonly Cells[], nameHead: string, room: number): Layout {
  const widest = (name: string): number => Math.max(...rows.map((row) => textWidth(row[name] ?? "")));
  const head = (name: string): string => (name === "name" ? nameHead : name === "bar" || name === "note" ? "" : name);
  const own = new Map(order.map((name) => [name, Math.max(widest(name), head(name).length)]));
  const isUsed = (name: string): boolean => name === "bar" || widest(name) > 0;
  let names = order.filter(isUsed);
  const others = (): number =>
    names.reduce((sum, name) => sum + gap + (name === "name" || name === "bar" ? 0 : (own.get(name) ?? 0)), -gap);
  const fullName = own.get("name") ?? 0;
  for (const name of expendable)
    if (others() + leastBar + Math.min(fullName, leastName) > room) names = names.filter((candidate) => candidate !== name);
  const left = room - others();
  const barWidth = Math.min(mostBar, Math.max(leastBar, left - fullName));
  const nameWidth = Math.min(fullName, left - barWidth);
  const columns = names.map((name) => ({
    name,
    head: head(name),
    width: name === "bar" ? barWidth : name === "name" ? nameWidth : (own.get(name) ?? 0),
    isRight: rightAligned.has(name),
  }));
  return { columns, barWidth };
}

export function padded(text: string, width: number, isRight: boolean): string {
  const blanks = " ".repeat(Math.max(0, width - textWidth(text)));
  return isRight ? blanks + text : text + blanks;
}

/** The beginning of a text that is too wide. */
export function cut(text: string, width: number, isUnicode: boolean): string {
  if (textWidth(text) <= width) return text;
  const end = isUnicode ? "…" : "...";
  let shown = "";
  for (const character of text) {
    if (textWidth(shown + character) + end.length > width) break;
    shown += character;
  }
  return shown + end;
}

const twoColumns = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const noColumn = /\p{Mn}|\p{Me}|\u200d|\ufe0f/u;

/** Columns of a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += noColumn.test(character) ? 0 : twoColumns.test(character) ? 2 : 1;
  return width;
}
