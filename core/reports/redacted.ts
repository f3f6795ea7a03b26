/** Takes secrets out of a report, text by text: in the whole of its JSON the field `api_key` itself would be taken for the name of one. */

/** A caller may have put anything into the name of a model, and names are the names of fields here. @param value what JSON can say */
export function redacted(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => redacted(element, redact));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [redact(name), redacted(inner, redact)]));
}
