import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a million small values put into the request",
  where: "preCall",
  body: String.raw`request.metadata = { list: Array.from({ length: 9e5 }, (_, i) => [i % 10]) }; request.metadata.list = request.metadata.list.slice(0, 4e5);`,
  sliceMs: 4000,
  expected: [{ harmless: true }, "timeout"],
  why: "Making and looking at so many values may take longer than the slice.",
};
export default attack;
