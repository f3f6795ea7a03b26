import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a list of 2**32 - 2 empty places",
  where: "preCall",
  body: String.raw`const list = []; list.length = 2 ** 32 - 2; request.metadata = list;`,
  expected: [{ error: /empty place/ }],
};
export default attack;
