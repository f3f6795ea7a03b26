import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "exports that loop when they are looked at",
  where: "preCall",
  module: String.raw`new Proxy({}, { get(target, key) { if (key === "then") return undefined; for (;;); } })`,
  check: (seen) => seen.manifest.error !== undefined,
  expected: ["timeout", { error: /./ }],
  why: "It does not load: the manifest says so, and each call says it again.",
};
export default attack;
