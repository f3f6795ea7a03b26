import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "queueMicrotask that queues itself",
  where: "preCall",
  body: String.raw`const again = () => queueMicrotask(again); again(); return 1;`,
  expected: ["timeout"],
};
export default attack;
