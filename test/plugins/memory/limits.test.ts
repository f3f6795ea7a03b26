import { createMemoryLimits } from "../../../plugins/memory/limits.ts";
import { describeLimitStore } from "../../contracts/limit-store.ts";

describeLimitStore("memory", async () => {
  let time = 0;
  return {
    store: createMemoryLimits(() => time),
    advance: (ms) => {
      time += ms;
    },
  };
});
