import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "errors that suppress others in a circle",
  where: "preCall",
  body: String.raw`if (typeof SuppressedError === "undefined") throw new Error("suppressed");
let error = new Error("innermost");
for (let i = 0; i < 1000; i++) error = new SuppressedError(error, error, "suppressed " + i);
error.suppressed = error;
error.error = error;
throw error;`,
  expected: [{ error: /suppressed/ }],
};
export default attack;
