import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "unhandledRejection",
  where: "preCall",
  body: String.raw`Promise.reject(new Error("boom"));return 1`,
  expected: [{ value: 1 }],
};
export default attack;
