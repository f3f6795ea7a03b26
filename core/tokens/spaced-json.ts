/** Writes JSON with a space after each comma and colon, the form in which tools are put before the model. */

/** Linear in the size of the value; `undefined` members and functions cannot occur in parsed JSON. */
export function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${spacedJson(member)}`);
    return `{${members.join(", ")}}`;
  }
  return JSON.stringify(value) ?? "";
}
