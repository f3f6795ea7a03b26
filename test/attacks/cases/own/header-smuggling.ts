import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "line breaks, controls and letters that look alike in headers",
  where: "preCall",
  body: String.raw`const tried = [["x-a", "1\r\nx-b: 2"], ["x-a\n", "1"], ["x-a", "1\0"], ["x-a", "\u0130"], ["x\u212a", "1"], ["x a", "1"], ["", "1"], ["x-a:", "1"], ["__proto__\t", "1"], ["authorization", "1"], ["AUTHORIZATION", "1"], ["x-api-\u212aey", "1"], ["cookie", "1"], ["host", "1"], ["transfer-encoding", "1"], ["x-a", { toString: () => "1" }], [{ toString: () => "x-a" }, "1"], ["x-a", "\ud800"]];
return tried.filter(([name, value]) => { try { context.headers.set(name, value); return true; } catch { return false; } }).map(([name]) => String(name)).join();`,
  expected: [{ value: "x\u212a" }],
};
export default attack;
