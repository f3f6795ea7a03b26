/** Program of a further process of a server, see core/workers. */

import { runWorker } from "../core/workers/worker.ts";
import { startOrFail } from "./serve.ts";

runWorker({ environment: process.env, start: startOrFail });
