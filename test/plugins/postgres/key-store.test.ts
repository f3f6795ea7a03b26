import { describeKeyStore } from "../../contracts/key-store.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();

describeKeyStore("postgres", async () => {
  const [one, two] = await engines.openTwo();
  return { store: one.keys, other: two.keys };
});
