/** Where the server of a configuration folder writes its log. */

import { join } from "node:path";

export function logFilePath(directory: string): string {
  return join(directory, "ccproxy.log");
}
