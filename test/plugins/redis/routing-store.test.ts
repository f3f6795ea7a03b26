import { describeRoutingStore } from "../../contracts/routing-store.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();

describeRoutingStore("redis", async () => {
  let time = Math.ceil(Date.now() / 60_000) * 60_000;
  const [one] = await engines.openTwo({ wallClock: () => time, commandTimeoutMs: 5000 });
  return {
    store: one.routing,
    advance: (ms) => {
      time += ms;
    },
  };
});
