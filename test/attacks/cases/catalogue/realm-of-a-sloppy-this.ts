import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "this of sloppy code",
  where: "preCall",
  body: String.raw`return [Function("return typeof this.process + typeof this.require")(), new Function("return this")() === globalThis].join();`,
  expected: [{ value: "undefinedundefined,true" }],
};
export default attack;
