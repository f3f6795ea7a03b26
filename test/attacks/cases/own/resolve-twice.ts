import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a thenable that settles many times and loops later",
  where: "preCall",
  body: String.raw`return { then(resolve, reject) { resolve(respond("first")); reject(new Error("second")); resolve(respond("third")); throw new Error("fourth"); } };`,
  isRaw: true,
  isDirect: true,
  check: (seen) => JSON.stringify(seen.outcomes[0]?.decision) === '{"kind":"respond","reply":"first"}',
  expected: [{ harmless: true }],
};
export default attack;
