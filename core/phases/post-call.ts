/** Runs `postCall` on a whole reply: what its hooks change, one after the other, and the answer one may give instead. */

import { events as hubEvents } from "../../sdk/hub/events.ts";
import { createRequestBody } from "../body/request-body.ts";
import type { Exchange, Reply } from "../exchange.ts";
import { patchBody } from "./body-parts.ts";
import { RefusedResult } from "./refused-result.ts";
import { hasToolGrant } from "./reply-grants.ts";
import { checkDecision, replyOfDecision } from "./request-decision.ts";
import type { RequestHookServices } from "./request-hooks.ts";
import { type AcceptedResult, runPhase } from "./run-phase.ts";
import { type LoadedUnit, type UserProgram, unitName } from "./user-program.ts";

/** A longer reply is shown to no hook. */
export const maxHeldBytes: number = 32 * 1024 * 1024;

export interface PostCallResult {
  /** JSON text of the reply; the same text when nothing was changed. */
  readonly message: string;
  /** Of a hook that answered instead. */
  readonly reply: Reply | undefined;
}

/** @throws HookRefusal when a hook denies the reply, or fails and its failure does */
export async function runPostCall(
  exchange: Exchange,
  services: RequestHookServices,
  program: UserProgram,
  hooks: readonly LoadedUnit[],
  original: string,
): Promise<PostCallResult> {
  let message = original;
  let units = hooks;
  while (units.length > 0) {
    const accept = ({ by, decision, patch }: AcceptedResult): readonly string[] => {
      checkDecision(by, decision);
      if (patch === undefined) return [];
      const patched = patchMessage(by, message, patch);
      ({ message } = patched);
      return patched.changed;
    };
    const { by, decision, rest } = await runPhase(exchange, services, { program, phase: "postCall", units, subject: message, accept });
    if (by !== undefined && decision !== undefined) {
      return { message, reply: await replyOfDecision(exchange, services, by, decision) };
    }
    units = rest;
  }
  return { message, reply: undefined };
}

const toldOfLateChanges = new WeakSet<LoadedUnit>();

/** Shows a reply that has left already: nothing can be changed any more. */
export async function observePostCall(
  exchange: Exchange,
  services: RequestHookServices,
  program: UserProgram,
  hooks: readonly LoadedUnit[],
  message: string,
  signal: AbortSignal,
): Promise<void> {
  let units = hooks;
  while (units.length > 0) {
    const { by, decision, patch, rest } = await runPhase(exchange, services, {
      program,
      phase: "postCall",
      units,
      subject: message,
      signal,
      observesOnly: true,
    });
    units = rest;
    if (by === undefined || (decision === undefined && patch === undefined) || toldOfLateChanges.has(by)) continue;
    toldOfLateChanges.add(by);
    const what = "a hook changed a reply in postCall that had been streamed already; with `buffer: true` the reply waits for it";
    services.logger.warn({ requestId: exchange.id, file: unitName(by), phase: "postCall" }, what);
  }
}

function patchMessage(
  unit: LoadedUnit,
  message: string,
  patch: NonNullable<AcceptedResult["patch"]>,
): { readonly message: string; readonly changed: readonly string[] } {
  const { body, changed } = patchBody(createRequestBody(Buffer.from(message)), patch, maxHeldBytes);
  const { bytes } = body;
  const patched = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
  if (!hubEvents.isMessage(patched)) throw new RefusedResult('is no reply any more: "type" must be "message"', "type");
  const touched = hasToolGrant(unit) ? undefined : hubEvents.toolChange(message, patched);
  if (touched !== undefined) throw new RefusedResult(`${touched}; that needs the grant "reply:tools"`);
  return { message: patched, changed };
}
