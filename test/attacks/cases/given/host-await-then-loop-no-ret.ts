import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "hostAwaitThenLoopNoRet",
  where: "preCall",
  body: String.raw`hostAsync().then(()=>{for(;;);});return 1`,
  expected: [{ value: 1 }],
};
export default attack;
