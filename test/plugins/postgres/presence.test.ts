import { describePresenceStore } from "../../contracts/presence.ts";
import { runSql } from "../../servers/postgres.ts";
import { useEngines } from "./engines.ts";

const engines = useEngines();

describePresenceStore("postgres", async () => {
  const url = await engines.server.createDatabase();
  const one = await engines.open({ url });
  const two = await engines.open({ url });
  return {
    presence: one.presence,
    other: two.presence,
    // Its clock is the server's: everything that was heard becomes older.
    async advance(ms) {
      await runSql(url, "update ccproxy.instances set heard_at = heard_at - $1 * interval '1 millisecond'", [ms]);
    },
  };
});
