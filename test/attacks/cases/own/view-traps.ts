import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a proxy with hostile traps put into the request",
  where: "preCall",
  body: String.raw`const loop = () => { for (;;); };
request.messages.push(new Proxy({}, { ownKeys: loop, get: loop, getPrototypeOf: loop, getOwnPropertyDescriptor: loop }));`,
  expected: ["timeout"],
};
export default attack;
