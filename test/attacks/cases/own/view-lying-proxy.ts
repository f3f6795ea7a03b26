import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a proxy that shows something else each time",
  where: "preCall",
  body: String.raw`let count = 0;
request.messages[0] = new Proxy({ role: "user", content: "x" }, { get(target, key) { return key === "content" ? ++count % 2 === 0 ? { toString() { for (;;); } } : "x".repeat(count) : target[key]; } });`,
  expected: [{ harmless: true }, { error: /./ }],
  why: "Whichever value is read last is written: text or object, it is JSON.",
};
export default attack;
