import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "structuredClone of proxies, circles and a million levels",
  where: "preCall",
  body: String.raw`const circle = { map: new Map() };
circle.map.set(circle, circle);
structuredClone(circle);
const trapped = new Proxy({}, { ownKeys() { return ["a", "b"]; }, getOwnPropertyDescriptor() { return { value: 1, enumerable: true, configurable: true }; }, get() { return trapped; } });
structuredClone(trapped);
let deep = []; for (let i = 0; i < 1e5; i++) deep = [deep];
return structuredClone(deep).length;`,
  sliceMs: 1000,
  expected: [{ error: /stack/ }, "timeout", { value: 1 }],
  why: "Depth meets the stack or the slice.",
};
export default attack;
