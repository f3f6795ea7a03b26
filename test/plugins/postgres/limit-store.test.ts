import { describeLimitStore } from "../../contracts/limit-store.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();

describeLimitStore("postgres", async () => {
  let time = Date.now();
  const [one, two] = await engines.openTwo({ wallClock: () => time });
  return {
    store: one.limits,
    other: two.limits,
    advance: (ms) => {
      time += ms;
    },
  };
});
