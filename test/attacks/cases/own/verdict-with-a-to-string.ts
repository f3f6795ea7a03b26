import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a verdict that would become a text",
  where: "rule",
  body: String.raw`return { toString() { for (;;); }, valueOf() { for (;;); }, [Symbol.toPrimitive]() { for (;;); } };`,
  isRaw: true,
  isDirect: true,
  expected: [{ error: /an object/ }],
};
export default attack;
