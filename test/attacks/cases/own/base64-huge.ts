import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "atob and btoa on 100 MB",
  where: "preCall",
  body: String.raw`return btoa("x".repeat(1e8)).length;`,
  expected: ["timeout", "memory", "kill"],
  why: "Whichever is reached first.",
};
export default attack;
