import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "__proto__ and constructor as members of the request",
  where: "preCall",
  body: String.raw`request["constructor"] = { prototype: { polluted: 1 } };
request["toString"] = "text";
Object.defineProperty(request, "__proto__", { value: { polluted: 1 }, enumerable: true, configurable: true, writable: true });
return [({}).polluted, typeof request.constructor].join();`,
  check: () => Reflect.get({}, "polluted") === undefined,
  expected: [{ error: /__proto__/ }],
};
export default attack;
