/** The JSON body of a management request. */

import type { Context } from "koa";

import { ProxyError } from "../../sdk/errors.ts";
import { collectBody } from "../body/collect.ts";
import { quote } from "../config/describe.ts";
import { badRequest } from "../keys/read-body.ts";

const maxBytes = 1 << 20;
/** What is written down is written and read recursively. */
const deepest = 64;

/** @throws ProxyError 400, 413 or 415 @throws ClientGone */
export async function readAdminBody(ctx: Context): Promise<unknown> {
  const type = ctx.get("content-type").split(";")[0]?.trim().toLowerCase() ?? "";
  // A form is what a web page can send without asking.
  if (type !== "application/json") {
    const found = type === "" ? "absent" : quote(type);
    throw new ProxyError(`The content-type must be application/json, not ${found}.`, { status: 415, kind: "invalid_request_error" });
  }
  const bytes = await collectBody(ctx.req, { maxBytes });
  const body = parse(bytes);
  if (isDeeper(body, deepest)) throw badRequest(`The body is nested more than ${deepest} levels deep.`);
  return body;
}

/** What a parser says of faults quotes them, and a fault may stand beside a key. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw badRequest(bytes.length === 0 ? "The body is empty; wanted a JSON object." : "The body is no JSON.");
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
