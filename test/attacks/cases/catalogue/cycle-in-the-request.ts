import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a cycle put into the request",
  where: "preCall",
  body: String.raw`const a = []; a.push({ a }); request.metadata = a;`,
  expected: [{ error: /holds itself|cycle|circular/ }],
};
export default attack;
