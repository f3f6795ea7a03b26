/** The error that tells a refusal by user code from a failure of an upstream. */

import { ProxyError } from "../../sdk/errors.ts";

/** User code refused the request, or its failure did: no upstream is to blame, whatever the status. */
export class HookRefusal extends ProxyError {}
