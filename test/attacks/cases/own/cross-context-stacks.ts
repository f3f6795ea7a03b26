import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "frames of other files in the stacks of errors",
  where: "rule",
  body: String.raw`Error.stackTraceLimit = Infinity;
try { Error.prepareStackTrace = (error, frames) => frames; } catch {}
const holder = {};
Error.captureStackTrace(holder);
const { stack } = new Error("x");
const sites = [stack, holder.stack].flat();
return sites.some((site) => typeof site !== "string") ? "frames" : /first|last|host/.test(sites.join()) ? sites.join().slice(0, 199) : "texts";`,
  isDirect: true,
  expected: [{ value: "texts" }],
};
export default attack;
