/** Which processes share the file. */

import type { PresenceStore } from "../../sdk/presence.ts";
import type { Database } from "./database.ts";

const dayMs = 86_400_000;

const beat = `INSERT INTO instance (id, host, pid, heard_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET heard_at = excluded.heard_at`;

export function createSqlitePresence(database: Database, wallClock: () => number): PresenceStore {
  return {
    beat: ({ id, host, pid }) => database.transaction(() => void database.run(beat, id, host, pid, wallClock())),
    leave: (id) => database.transaction(() => void database.run("DELETE FROM instance WHERE id = ?", id)),
    heardOf: (withinMs) =>
      database.transaction(() => {
        database.run("DELETE FROM instance WHERE heard_at < ?", wallClock() - dayMs);
        const rows = database.all("SELECT id, host, pid FROM instance WHERE heard_at >= ? ORDER BY id", wallClock() - withinMs);
        return rows.map(({ id, host, pid }) => ({ id: String(id), host: String(host), pid: Number(pid) }));
      }),
  };
}
