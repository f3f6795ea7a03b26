/** `ccproxy explain`: which rules and hooks act on a request, what each returned or changed, and where the request goes. */

import type { Command, CommonOptions } from "../context.ts";
import { CliFailure } from "../failure.ts";

interface ExplainOptions extends CommonOptions {
  readonly request: string;
  readonly json?: boolean;
}

const explain: Command<ExplainOptions> = async () => {
  throw new CliFailure("explain is not there yet");
};
export default explain;
