import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "things that loop when they are looked at, for the log",
  where: "preCall",
  body: String.raw`log(new Proxy({}, { get() { for (;;); }, ownKeys() { for (;;); } }));`,
  expected: ["timeout"],
};
export default attack;
