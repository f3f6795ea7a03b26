import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "the key behind pseudonyms",
  where: "preCall",
  body: String.raw`const heard = [];
const listen = (object, name) => { try { const real = object[name]; object[name] = function (...values) { heard.push(...values.map(String)); return Reflect.apply(real, this, values); }; } catch {} };
for (const [object, name] of [[Number, "parseInt"], [String.prototype, "slice"], [Map.prototype, "set"], [Map.prototype, "get"], [Uint8Array, "from"], [Uint8Array.prototype, "set"], [JSON, "parse"], [globalThis, "Uint8Array"], [globalThis, "Map"]]) listen(object, name);
heard.push(context.pseudonym("a"), Function.prototype.toString.call(context.pseudonym), String(new Error().stack));
for (const key of Reflect.ownKeys(context)) heard.push(String(context[key]));
return heard.join().slice(0, 199);`,
  expected: [{ harmless: true }],
};
export default attack;
