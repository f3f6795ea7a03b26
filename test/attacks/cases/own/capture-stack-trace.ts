import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "Error.captureStackTrace on the request and with deep stacks",
  where: "preCall",
  body: String.raw`Error.stackTraceLimit = 1e9;
const dive = (depth) => { if (depth > 0) return dive(depth - 1) + 0; for (let i = 0; i < 1000; i++) { const holder = {}; Error.captureStackTrace(holder); holder.stack.length; } return 1; };
try { Error.captureStackTrace(request); } catch {}
delete request.stack;
return dive(2000);`,
  sliceMs: 200,
  expected: [{ value: 1 }, "timeout", { error: /./ }, "memory"],
  why: "How large a stack may be is up to the engine.",
};
export default attack;
