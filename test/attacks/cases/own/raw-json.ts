import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "JSON.rawJSON in everything that is written",
  where: "preCall",
  body: String.raw`if (JSON.rawJSON === undefined) return "absent";
const tries = ['{"a":1}', '1,"forged":2', '"x"}', "1\n", '"a"\n+{}', "01", "1e400"].map((text) => { try { JSON.rawJSON(text); return text; } catch { return ""; } }).join("");
context.state.set("a", JSON.rawJSON("1e400"));
request.temperature = 1;
context.annotate("raw", { a: JSON.rawJSON("123456789012345678901234567890") });
return tries;`,
  expected: [{ value: "1e400" }, { value: "absent" }, { error: /./ }],
  why: "Numbers too large for a number become Infinity on the other side and are refused or null there.",
};
export default attack;
