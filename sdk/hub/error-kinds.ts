/** Kinds of errors by their names, and the status that the hub's vendor gives each: what an error within a stream leaves out. */

import type { ErrorKind } from "../errors.ts";

const statuses: Readonly<Record<ErrorKind, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  not_supported: 501,
  timeout_error: 504,
  overloaded_error: 529,
};

export function statusOfKind(kind: ErrorKind): number {
  return statuses[kind];
}

/** The kind of this name; `api_error` where there is none. */
export function kindNamed(name: string | undefined): ErrorKind {
  return name !== undefined && isKind(name) ? name : "api_error";
}

function isKind(name: string): name is ErrorKind {
  return Object.hasOwn(statuses, name);
}
