/** The phases in which hooks see a request: before it is routed, and before each attempt. */

import type { RequestBody } from "../../sdk/body.ts";
import type { HeaderList } from "../../sdk/dialect.ts";
import { ProxyError } from "../../sdk/errors.ts";
import type { Exchange, Reply } from "../exchange.ts";
import type { PlannedTarget } from "../routing/leg.ts";
import { partsOf, patchBody } from "./body-parts.ts";
import { type HeaderChanges, changeHeaders, readHeaderChanges } from "./header-changes.ts";
import type { PhaseServices } from "./phase-services.ts";
import { RefusedResult } from "./refused-result.ts";
import { checkDecision, replyOfDecision } from "./request-decision.ts";
import { checkChangedRequest } from "./request-types.ts";
import { type AcceptedResult, runPhase } from "./run-phase.ts";
import { type LoadedUnit, type UserProgram, unitName } from "./user-program.ts";

export interface RequestHookServices extends PhaseServices {
  countTokens(exchange: Exchange): Promise<number>;
}

/**
 * Runs `preCall` of neighbouring hooks. What one changes is in the request that the next one sees.
 *
 * @returns the reply of the hook that answers in place of a model
 * @throws ProxyError when a hook denies the request, or fails and its failure does
 */
export async function runPreCall(
  exchange: Exchange,
  services: RequestHookServices,
  program: UserProgram,
  hooks: readonly LoadedUnit[],
): Promise<Reply | undefined> {
  let units = hooks;
  while (units.length > 0) {
    const accept = (result: AcceptedResult): readonly string[] => takeChanges(exchange, result);
    const { by, decision, rest } = await runPhase(exchange, services, {
      program,
      phase: "preCall",
      units,
      body: partsOf(exchange.request, exchange.facts),
      accept,
    });
    if (by !== undefined && decision !== undefined) return replyOfDecision(exchange, services, by, decision);
    units = rest;
  }
  return undefined;
}

function takeChanges(exchange: Exchange, result: AcceptedResult): readonly string[] {
  const { by, decision, patch, headers } = result;
  checkDecision(by, decision);
  const changes = headers === undefined ? undefined : readHeaderChanges(headers);
  let changed: readonly string[] = [];
  if (patch !== undefined) {
    const before = exchange.facts.model;
    const patched = patchBody(exchange.request, patch, exchange.snapshot.config.server.maxBodyBytes);
    ({ changed } = patched);
    checkChangedRequest(exchange.request, patched.body);
    try {
      exchange.receive(patched.body);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      throw new RefusedResult(error.message, "model", { cause: error });
    }
    const { model } = exchange.facts;
    if (model !== before) exchange.trace.add("hooks", "another model is asked for", { file: unitName(by), from: before, to: model });
  }
  if (changes !== undefined) exchange.changeHeaders(changes);
  return changed;
}

/** What one attempt is about to send. */
export interface Outgoing {
  readonly target: PlannedTarget;
  readonly body: RequestBody;
  /** As they leave, credentials apart. */
  readonly headers: HeaderList;
}

export interface ChangedAttempt {
  readonly body: RequestBody;
  readonly headerChanges: HeaderChanges;
  /** Of a hook that answers in place of the upstream. */
  readonly reply: Reply | undefined;
}

/**
 * Runs `preUpstream` for one attempt; nothing of it outlives the attempt.
 *
 * @throws ProxyError when a hook denies the request, or fails and its failure does
 */
export async function runPreUpstream(
  exchange: Exchange,
  services: RequestHookServices,
  program: UserProgram,
  { target, ...outgoing }: Outgoing,
): Promise<ChangedAttempt> {
  let { body } = outgoing;
  let headerChanges: HeaderChanges = new Map();
  let units = program.hooks("preUpstream");
  while (units.length > 0) {
    const accept = ({ by, decision, patch, headers }: AcceptedResult): readonly string[] => {
      checkDecision(by, decision);
      const changes = headers === undefined ? undefined : readHeaderChanges(headers);
      let changed: readonly string[] = [];
      if (patch !== undefined) {
        const patched = patchBody(body, patch, exchange.snapshot.config.server.maxBodyBytes);
        checkChangedRequest(body, patched.body);
        ({ body, changed } = patched);
      }
      if (changes !== undefined) headerChanges = new Map([...headerChanges, ...changes]);
      return changed;
    };
    const { by, decision, rest } = await runPhase(exchange, services, {
      program,
      phase: "preUpstream",
      units,
      body: partsOf(body, exchange.facts),
      headers: changeHeaders(outgoing.headers, headerChanges),
      target,
      accept,
    });
    if (by !== undefined && decision !== undefined) {
      return { body, headerChanges, reply: await replyOfDecision(exchange, services, by, decision) };
    }
    units = rest;
  }
  return { body, headerChanges, reply: undefined };
}
