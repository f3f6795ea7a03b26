import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an error with endless getters thrown when the file is loaded",
  where: "load",
  body: String.raw`throw { get message() { for (;;); }, get stack() { for (;;); } };`,
  expected: ["timeout"],
};
export default attack;
