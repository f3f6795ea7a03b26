import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "100,000 levels put into the request",
  where: "preCall",
  body: String.raw`let deep = {}; for (let i = 0; i < 1e5; i++) deep = { deep }; request.metadata = deep;`,
  sliceMs: 2000,
  expected: [{ error: /nested deeper/ }, "timeout"],
  why: "Making it may take longer than the slice.",
};
export default attack;
