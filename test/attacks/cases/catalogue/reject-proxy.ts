import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a promise rejected with a proxy that never answers",
  where: "preCall",
  body: String.raw`return Promise.reject(new Proxy({}, { get() { for (;;); }, has() { for (;;); }, getPrototypeOf() { for (;;); } }));`,
  expected: ["timeout"],
};
export default attack;
