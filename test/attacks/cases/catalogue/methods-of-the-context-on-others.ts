import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "methods of the context called on something else",
  where: "preCall",
  body: String.raw`const results = [];
for (const act of [() => context.log.call(globalThis, "x"), () => context.log.apply(null, ["y"]), () => context.log.bind({})("z"), () => Object.getOwnPropertyDescriptor(Object.getPrototypeOf(context), "state").get.call({}), () => context.log.constructor("return typeof process")(), () => context.log.__proto__.constructor("return typeof require")()])
  try { results.push(typeof act()); } catch (error) { results.push(error.name); }
return results.join();`,
  expected: [{ value: "undefined,undefined,undefined,TypeError,string,string" }],
};
export default attack;
