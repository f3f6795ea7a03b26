import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a buffer that grows beyond its limit",
  where: "preCall",
  body: String.raw`const buffer = new ArrayBuffer(8, { maxByteLength: 2 ** 28 });
const mine = new (class extends ArrayBuffer {})(8, { maxByteLength: 2 ** 28 });
const viaReflect = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 2 ** 28 }], Object);
const viaView = new (new Uint8Array(1).buffer.constructor)(8, { maxByteLength: 2 ** 28 });
return [buffer, mine, viaReflect, viaView].map((one) => typeof one.resize + typeof one.transfer).join();`,
  expected: [{ value: "undefinedundefined,undefinedundefined,undefinedundefined,undefinedundefined" }],
};
export default attack;
