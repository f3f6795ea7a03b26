import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "events with hostile members",
  where: "onEvent",
  body: String.raw`request.__proto__ = { type: "forged" };
request.delta = JSON.parse('{"__proto__":{"polluted":1},"type":"text_delta","text":"x"}');
return request;`,
  isRaw: true,
  check: () => Reflect.get({}, "polluted") === undefined,
  expected: [{ harmless: true }],
};
export default attack;
