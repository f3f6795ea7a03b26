import { ProxyError } from "../../sdk/errors.ts";

/** User code refused the request, or its failure did: no upstream is to blame, whatever the status. */
export class HookRefusal extends ProxyError {}
