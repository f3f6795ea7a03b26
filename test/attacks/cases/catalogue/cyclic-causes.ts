import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "causes in a circle, and errors within errors",
  where: "preCall",
  body: String.raw`const inner = new AggregateError([], "inner");
const outer = new AggregateError(Array.from({ length: 1000 }, () => inner), "outer", { cause: inner });
Object.defineProperty(inner, "errors", { value: [outer, inner] });
inner.cause = outer;
throw outer;`,
  expected: [{ error: /outer \[inner; inner; inner\]/ }],
};
export default attack;
