import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "300,000 members asked for in turn",
  where: "preCall",
  body: String.raw`for (let i = 0; i < 3e5; i++) request["k" + i] = i; Object.keys(request);`,
  expected: ["timeout"],
};
export default attack;
