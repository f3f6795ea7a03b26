import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the realm behind rejections of operations",
  where: "preCall",
  body: String.raw`return context.kv.get("").catch((error) => String(error instanceof Error && error.constructor.constructor("return globalThis")() === globalThis));`,
  expected: [{ value: "true" }],
};
export default attack;
