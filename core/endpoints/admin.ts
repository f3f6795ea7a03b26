/** What the endpoints of keys, users, teams and budgets share: who asks, with what, and what an answer may hold. */

import type { Context } from "koa";

import type { Json } from "../../sdk/body.ts";
import type { Logger } from "../../sdk/log.ts";
import type { OpenedStores } from "../stores/opened.ts";
import type { Admin } from "./require-caller.ts";

export interface KeyEndpointServices {
  readonly stores: Pick<OpenedStores, "keys" | "ledger" | "limits">;
  readonly logger: Pick<Logger, "info" | "warn">;
  redact(text: string): string;
  /** ms since 1970. */
  wallClock(): number;
  /** Names that models are asked for by. */
  modelGroups(): readonly string[];
  /** Names of groups of models; default: there are none. */
  accessGroups?(): readonly string[];
  /** Whose request it is; keys with their budgets, as a `KeyRing` finds them. @throws ProxyError 401 */
  adminOf(ctx: Context): Promise<Admin>;
}

/** A request, once it is known that its sender may ask here. */
export interface Asking {
  readonly services: KeyEndpointServices;
  readonly ctx: Context;
  readonly admin: Admin;
  /** JSON; undefined for a GET. */
  readonly body: unknown;
  /** ms since 1970. */
  readonly now: number;
}

export interface AdminReply {
  readonly body: Json;
  /** A new key, for whoever has made it; shown as `key` beside the rest of the body. */
  readonly secret?: string | undefined;
  /** Fields that had no effect, and what else may surprise. */
  readonly notes?: readonly string[] | undefined;
  /** For the log: whom it was about. */
  readonly about?: readonly string[] | undefined;
}

export type AdminAnswer = (asking: Asking) => Promise<AdminReply>;

export interface AdminRoute {
  readonly method: "get" | "post";
  readonly path: string;
  readonly answer: AdminAnswer;
  /** Whether it changes nothing, which is all that a viewer may ask for. */
  readonly isReading: boolean;
}

export function reading(path: string, answer: AdminAnswer, method: AdminRoute["method"] = "get"): AdminRoute {
  return { method, path, answer, isReading: true };
}

export function changing(path: string, answer: AdminAnswer): AdminRoute {
  return { method: "post", path, answer, isReading: false };
}
