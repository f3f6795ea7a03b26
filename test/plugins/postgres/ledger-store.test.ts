import { describeLedgerStore } from "../../contracts/ledger-store.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();

describeLedgerStore("postgres", async () => {
  const [one, two] = await engines.openTwo();
  return { store: one.ledger, other: two.ledger };
});
