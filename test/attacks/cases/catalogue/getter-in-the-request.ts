import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a getter put into the request",
  where: "preCall",
  body: String.raw`Object.defineProperty(request, "metadata", { get() { for (;;); }, enumerable: true });`,
  expected: [{ error: /getter/ }],
};
export default attack;
