/** Text as PostgreSQL can keep it: neither U+0000 nor halves of surrogate pairs are text to it, and both are to JavaScript. */

const mark = "\uE000";
// eslint-disable-next-line no-control-regex
const unkeepable = /[\0\uE000]|\p{Surrogate}/gu;
const marked = /\uE000([0-9a-f]{4})/g;

/** Any two different texts stay different. */
export function encodeText(text: string): string {
  return text.replace(unkeepable, (unit) => mark + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

function decodeText(text: string): string {
  return text.replace(marked, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Text and lists of texts; anything else stays as it is. */
export function encodeTexts<Row extends Readonly<Record<string, unknown>>>(row: Row): Row {
  return mapTexts(row, encodeText);
}

export function decodeTexts<Row extends Readonly<Record<string, unknown>>>(row: Row): Row {
  return mapTexts(row, decodeText);
}

function mapTexts<Row extends Readonly<Record<string, unknown>>>(row: Row, change: (text: string) => string): Row {
  const mapped = Object.entries(row).map(([name, value]) => [name, mapValue(value, change)]);
  return Object.fromEntries(mapped) as Row;
}

function mapValue(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  return Array.isArray(value) ? value.map((item: unknown) => mapValue(item, change)) : value;
}
