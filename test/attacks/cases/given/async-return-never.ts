import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "asyncReturnNever",
  where: "preCall",
  body: String.raw`return new Promise(()=>{})`,
  expected: [{ error: /nothing will ever settle/ }],
};
export default attack;
