/** The hook host: the child process in which user code runs. Reads messages from file descriptor 3, answers them in order. */

import { setImmediate } from "node:timers/promises";
import { createFrameDecoder } from "../frames.ts";
import { openChannel } from "./channel.ts";
import { createHost } from "./host.ts";

const channel = openChannel(3);
const host = createHost((json) => channel.write(json));
const decoder = createFrameDecoder((message, payload) => host.handle(message, payload));

channel.write(JSON.stringify({ type: "ready", pid: process.pid }));
for (;;) {
  const bytes = channel.read();
  if (bytes === undefined) break;
  decoder.push(bytes);
  // What isolates leave behind is released by the event loop.
  if (host.takeLeftovers()) await setImmediate();
}
host.dispose();
