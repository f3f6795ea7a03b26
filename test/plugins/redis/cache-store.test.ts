import { describeCacheStore } from "../../contracts/cache-store.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();

describeCacheStore("redis", async () => {
  let time = Date.now();
  const [one] = await engines.openTwo({ wallClock: () => time, commandTimeoutMs: 5000 });
  return {
    store: one.cache,
    advance: (ms) => {
      time += ms;
    },
  };
});
