import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "toJSON put into the request",
  where: "preCall",
  body: String.raw`request.metadata = { toJSON() { for (;;); } };`,
  expected: [{ error: /toJSON is a function|function/ }],
};
export default attack;
