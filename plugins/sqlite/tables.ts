/** The tables of version 1. Money and counts are whole numbers, exact in JavaScript, too; times are ms since 1970. */

const mostExact = String(Number.MAX_SAFE_INTEGER);

function whole(...columns: readonly string[]): string {
  return columns.map((name) => `${name} INTEGER CHECK (${name} BETWEEN -${mostExact} AND ${mostExact})`).join(", ");
}

const tokens = whole("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "server_tools");

const ledgerTables = `
  CREATE TABLE exchange (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, instance TEXT NOT NULL, started_at REAL NOT NULL, operation TEXT NOT NULL,
    caller_kind TEXT NOT NULL, key_id TEXT, key_alias TEXT, user_id TEXT, team_id TEXT, end_user TEXT, address TEXT,
    session TEXT, agent TEXT, request_class TEXT, client TEXT, label TEXT NOT NULL, model_asked TEXT NOT NULL,
    tags TEXT NOT NULL, metadata TEXT,
    ended_at REAL, outcome TEXT, status INTEGER, model_served TEXT, provider TEXT, deployment_id TEXT, is_cache_hit INTEGER,
    first_byte_ms REAL, ms REAL, ${tokens}, ${whole("cost", "cost_check", "cost_as_asked")}
  ) STRICT;
  CREATE INDEX exchange_started ON exchange (started_at, id);
  CREATE INDEX exchange_key ON exchange (key_id, started_at) WHERE key_id IS NOT NULL;
  CREATE INDEX exchange_user ON exchange (user_id, started_at) WHERE user_id IS NOT NULL;
  CREATE INDEX exchange_team ON exchange (team_id, started_at) WHERE team_id IS NOT NULL;
  CREATE INDEX exchange_session ON exchange (session, started_at) WHERE session IS NOT NULL;
  CREATE INDEX exchange_open ON exchange (instance) WHERE ended_at IS NULL;
  CREATE TABLE exchange_tag (exchange INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (exchange, tag)) STRICT, WITHOUT ROWID;
  CREATE INDEX exchange_tag_tag ON exchange_tag (tag, exchange);
  CREATE TABLE attempt (
    exchange_id TEXT NOT NULL, number INTEGER NOT NULL, instance TEXT NOT NULL, started_at REAL NOT NULL, deployment_id TEXT NOT NULL,
    model_group TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, api_base TEXT NOT NULL, reason TEXT NOT NULL,
    ${whole("estimate")}, state TEXT NOT NULL DEFAULT 'reserved',
    ended_at REAL, status INTEGER, ${tokens}, ${whole("cost")}, is_estimate INTEGER, first_content_ms REAL, failure TEXT,
    UNIQUE (exchange_id, number)
  ) STRICT;
  CREATE INDEX attempt_reserved ON attempt (instance) WHERE state = 'reserved';
`;

/** Whatever changes a record, and whoever, makes another version; the epoch tells a new file from the one before. */
const keyTables = `
  CREATE TABLE record (
    kind TEXT NOT NULL, id TEXT NOT NULL, alias TEXT, user_id TEXT, team_id TEXT, created_at REAL NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX record_alias ON record (alias) WHERE alias IS NOT NULL;
  CREATE INDEX record_created ON record (kind, created_at, id);
  CREATE INDEX record_user ON record (user_id) WHERE user_id IS NOT NULL;
  CREATE INDEX record_team ON record (team_id) WHERE team_id IS NOT NULL;
  CREATE TABLE record_version (epoch TEXT NOT NULL, number INTEGER NOT NULL) STRICT;
  INSERT INTO record_version VALUES (lower(hex(randomblob(8))), 0);
  CREATE TRIGGER record_inserted AFTER INSERT ON record BEGIN UPDATE record_version SET number = number + 1; END;
  CREATE TRIGGER record_updated AFTER UPDATE ON record BEGIN UPDATE record_version SET number = number + 1; END;
  CREATE TRIGGER record_deleted AFTER DELETE ON record BEGIN UPDATE record_version SET number = number + 1; END;
`;

/** Numbers of counters are never used again: a reservation finds the one it took from, not the next one of that name. */
const limitTables = `
  CREATE TABLE counter (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, used INTEGER NOT NULL, ends_at REAL, period TEXT
  ) STRICT;
  CREATE INDEX counter_ends ON counter (ends_at) WHERE ends_at IS NOT NULL;
  CREATE TABLE reservation (id TEXT PRIMARY KEY NOT NULL, lease_ends_at REAL NOT NULL, taken TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX reservation_lease ON reservation (lease_ends_at);
  CREATE TABLE slot (
    key TEXT NOT NULL, reservation TEXT NOT NULL, lease_ends_at REAL NOT NULL, PRIMARY KEY (key, reservation)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX slot_reservation ON slot (reservation);
  CREATE INDEX slot_lease ON slot (lease_ends_at);
`;

const cacheTables = `
  CREATE TABLE cached (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, stored_at REAL NOT NULL, expires_at REAL NOT NULL, bytes INTEGER NOT NULL,
    head TEXT NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX cached_expires ON cached (expires_at, bytes);
  CREATE TABLE cached_total (entries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO cached_total VALUES (0, 0);
  CREATE TRIGGER cached_inserted AFTER INSERT ON cached BEGIN UPDATE cached_total SET entries = entries + 1, bytes = bytes + new.bytes; END;
  CREATE TRIGGER cached_deleted AFTER DELETE ON cached BEGIN UPDATE cached_total SET entries = entries - 1, bytes = bytes - old.bytes; END;
`;

const routingTables = `
  CREATE TABLE deployment (
    id TEXT PRIMARY KEY NOT NULL, minute INTEGER NOT NULL, requests INTEGER NOT NULL, tokens REAL NOT NULL, successes INTEGER NOT NULL,
    failures INTEGER NOT NULL, latencies TEXT NOT NULL, first_contents TEXT NOT NULL, touched_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deployment_touched ON deployment (touched_at);
  CREATE TABLE in_flight (
    deployment TEXT NOT NULL, owner TEXT NOT NULL, attempts INTEGER NOT NULL, touched_at REAL NOT NULL, PRIMARY KEY (deployment, owner)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX in_flight_touched ON in_flight (touched_at);
  CREATE TABLE failures (id TEXT PRIMARY KEY NOT NULL, count INTEGER NOT NULL, until REAL NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX failures_until ON failures (until);
  CREATE TABLE cooldown (key TEXT PRIMARY KEY NOT NULL, until REAL NOT NULL, reason TEXT NOT NULL, status INTEGER) STRICT, WITHOUT ROWID;
  CREATE INDEX cooldown_until ON cooldown (until);
  CREATE TABLE session (session TEXT PRIMARY KEY NOT NULL, deployment TEXT NOT NULL, until REAL NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX session_until ON session (until);
`;

const processTables = `
  CREATE TABLE instance (id TEXT PRIMARY KEY NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, heard_at REAL NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, writes TEXT NOT NULL) STRICT;
`;

export const tables: string = [ledgerTables, keyTables, limitTables, cacheTables, routingTables, processTables].join("");
