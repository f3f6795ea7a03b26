import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "deepBind",
  where: "preCall",
  body: String.raw`let f=()=>1;for(let i=0;i<1e6;i++)f=f.bind(null);return f()`,
  expected: ["timeout", { error: /RangeError: Maximum call stack/ }, { value: 1 }],
  why: "A fast machine binds all of them within the slice.",
};
export default attack;
