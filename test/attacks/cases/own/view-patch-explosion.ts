import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "one object put into the request a million times",
  where: "preCall",
  body: String.raw`const one = { a: [1, 2, 3] }; const many = new Array(1000).fill(one); request.metadata = new Array(1000).fill(many);`,
  sliceMs: 20000,
  expected: [{ error: /more than 1000000/ }],
};
export default attack;
