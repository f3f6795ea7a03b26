import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a bigint that takes minutes to print, thrown",
  where: "preCall",
  body: String.raw`throw 2n ** (2n ** 20n);`,
  expected: [{ error: /large bigint/ }, "timeout"],
  why: "Making it may take longer than the slice; printing it is what must not happen.",
};
export default attack;
