import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "a store filled to its last character",
  where: "preCall",
  body: String.raw`const room = 65536 - '"k":'.length - 2 - 1;
let size = room;
for (; size > room - 40; size--) try { context.state.set("k", "x".repeat(size)); break; } catch {}
try { context.state.set("l", 1); return "more than full"; } catch (error) { return error.name; }`,
  check: (seen) => JSON.stringify(seen.outcomes[0]?.writes?.state ?? {}).length > 65_000,
  expected: [{ value: "SandboxError" }],
};
export default attack;
