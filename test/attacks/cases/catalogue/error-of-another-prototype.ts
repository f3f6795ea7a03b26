import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "an error whose prototype was exchanged",
  where: "preCall",
  body: String.raw`throw Object.setPrototypeOf(new Error("swapped"), new Proxy(Object.prototype, { get() { throw 1; } }));`,
  expected: [{ error: /swapped/ }],
};
export default attack;
