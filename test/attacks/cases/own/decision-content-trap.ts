import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a reply whose content is a proxy of a list without end",
  where: "preCall",
  body: String.raw`return respond({ content: new Proxy([], { get(target, key) { return key === "length" ? 2 ** 32 - 1 : key === "toJSON" ? undefined : { type: "text", text: "x".repeat(1000) }; } }) });`,
  isRaw: true,
  expected: [{ error: /at most/ }],
};
export default attack;
