import { describeLimitStore } from "../../contracts/limit-store.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();

describeLimitStore("redis", async () => {
  let time = Date.now();
  const [one, two] = await engines.openTwo({ wallClock: () => time, commandTimeoutMs: 5000 });
  return {
    store: one.limits,
    other: two.limits,
    advance: (ms) => {
      time += ms;
    },
  };
});
