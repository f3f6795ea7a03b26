import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "arrIndexOf",
  where: "preCall",
  body: String.raw`const x=[];x.length=2**32-1;x[2**32-3]=1;for(;;)x.indexOf(2)`,
  expected: ["kill"],
};
export default attack;
