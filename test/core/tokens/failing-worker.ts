/** Stands in for the counting worker and dies when told to. */

import { parentPort } from "node:worker_threads";
import type { CountReply, CountRequest } from "../../../core/tokens/count-worker-client.ts";

parentPort?.on("message", (request: CountRequest) => {
  const text = Buffer.from(request.bytes).toString();
  if (text.includes("exit")) process.exit(3);
  if (text.includes("throw")) throw new Error("as told");
  const reply: CountReply = { id: request.id, counts: request.lengths.map((plain) => ({ plain, older: plain, newer: plain })) };
  parentPort?.postMessage(reply, []);
});
