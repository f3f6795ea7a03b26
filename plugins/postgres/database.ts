/** The connections to one database, and what every statement has in common. */

import { Pool, type PoolClient, type QueryConfig, type QueryResult, types } from "pg";

import { readAddress } from "./address.ts";
import { type Explain, PostgresError, explainer } from "./errors.ts";
import { decodeTexts } from "./text.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface Connection {
  /**
   * @param waitMs after which it rejects and its connection is given up, whatever becomes of the statement. Default: half a minute
   * @returns the rows, texts decoded
   * @throws PostgresError
   */
  query(sql: string, values?: readonly unknown[], waitMs?: number): Promise<readonly Row[]>;
}

type Query = Parameters<Connection["query"]>;

export interface Database extends Connection {
  /** Where the tables are, in quotes. */
  readonly schema: string;
  readonly explain: Explain;
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result>;
  /** May be called again. */
  close(): Promise<void>;
}

const connectMs = 10_000;
/** Of a connection that says nothing any more; requests wait for most statements. */
const statementMs = 30_000;
/** Of reports and migrations over everything that is there. */
export const longMs = 600_000;
const idleMs = 300_000;
const bigintType = 20;

/** Opens nothing yet. @throws PostgresError when the url or the name of the schema is none */
export function createDatabase(url: string, schema: string, poolSize: number): Database {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw new PostgresError(`"${schema}" cannot be the name of a schema: lower case letters, digits and _ are, at most 63 of them`);
  const { where, secrets } = readAddress(url);
  const explain = explainer(where, secrets);
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: idleMs,
    keepAlive: true,
    application_name: "ccproxy",
    types: { getTypeParser: ((type: number, format: "text" | "binary") => parserOf(type, format)) as typeof types.getTypeParser },
  });
  // What breaks while nobody uses it concerns nobody: the pool opens another one. Without listeners it would end the process.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  let closing: Promise<void> | undefined;

  const run = async (target: Pool | PoolClient, ...[sql, values = [], waitMs = statementMs]: Query): Promise<readonly Row[]> => {
    // The types know of this limit for whole connections only.
    const statement: QueryConfig & { readonly query_timeout: number } = { text: sql, values: [...values], query_timeout: waitMs };
    const result: QueryResult<Record<string, unknown>> | readonly unknown[] = await target
      .query<Record<string, unknown>>(statement)
      .catch((error: unknown) => {
        throw explain(error);
      });
    // Of a script of several statements there is a list of results, whatever the types say.
    return "rows" in result ? result.rows.map(decodeTexts) : [];
  };

  return {
    schema: `"${schema}"`,
    explain,
    query: async (...query) => run(pool, ...query),
    async transaction(work) {
      const client = await pool.connect().catch((error: unknown) => {
        throw explain(error);
      });
      const query: Connection["query"] = async (...query) => run(client, ...query);
      let isClean = false;
      try {
        await query("begin");
        const result = await work({ query });
        await query("commit");
        isClean = true;
        return result;
      } finally {
        // The server rolls back what a closed connection leaves open, whatever state it is in.
        client.release(!isClean);
      }
    },
    async close() {
      closing ??= pool.end();
      await closing;
    },
  };
}

function parserOf(type: number, format: "text" | "binary"): (text: string) => unknown {
  return type === bigintType
    ? toExactNumber
    : (types.getTypeParser as (type: number, format: string) => (text: string) => unknown)(type, format);
}

/** @throws RangeError rather than round money */
function toExactNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${text} is too large to be exact`);
  return number;
}
