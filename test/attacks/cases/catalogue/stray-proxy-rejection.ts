import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a proxy that never answers, rejected where nobody looks",
  where: "preCall",
  body: String.raw`Promise.reject(new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); }, getOwnPropertyDescriptor() { for (;;); } })); return 1;`,
  expected: ["timeout", "kill", { value: 1 }],
  why: "What V8 does with a rejection nobody handles, and whether it looks at it within the slice, differs with its version.",
};
export default attack;
