import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "one text of 1 GB, which only the limit of the process knows of",
  where: "rule",
  body: String.raw`const text = "\u0100".repeat(2 ** 29 - 100);
return text.charCodeAt(7) + Number(/x$/.test(text));`,
  platform: "linux",
  sliceMs: 10000,
  expected: ["kill", "memory"],
  why: "V8 ends the process or the isolate where it finds no place for it.",
};
export default attack;
