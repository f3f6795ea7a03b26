import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "for await over an endless source",
  where: "preCall",
  body: String.raw`return (async () => { for await (const value of (async function* () { for (;;) yield 1; })()); })();`,
  expected: ["timeout"],
};
export default attack;
