import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "operations without end, all at once",
  where: "preCall",
  body: String.raw`const asked = []; for (let i = 0; i < 1000; i++) asked.push(context.kv.get("k" + i)); return Promise.allSettled(asked).then((all) => all.filter(({ status }) => status === "fulfilled").length);`,
  check: (seen) => seen.operations.length === 32,
  expected: [{ value: 31 }],
};
export default attack;
