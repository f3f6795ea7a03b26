/** A program that opens an engine over the database of its first argument. */

import { openPostgres } from "../../../plugins/postgres/index.ts";

const engine = await openPostgres({ url: process.argv[2] ?? "" });
await engine.close();
