import type { Attack } from "../../attack.ts";

const attack: Attack = {
  name: "atomicsWaitAsyncLoop",
  where: "preCall",
  body: String.raw`Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(8)),0,0,5).value.then(()=>{for(;;);});return 1`,
  expected: [{ error: /Atomics is not defined/ }],
};
export default attack;
