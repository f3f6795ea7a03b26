/** Callbacks in LiteLLM's form: its method names, arguments and meanings of what they return, as phases of ours. */

import type { Context } from "../../../sdk/context.ts";
import type { CallError, Completion, Deny } from "../../../sdk/define.ts";
import type { Phase } from "../protocol.ts";
import { requestData, sharedCache, anonymousCaller, logArguments } from "./callback-arguments.ts";
import { openCallbackStream } from "./callback-stream.ts";
import type { UnitInfo } from "./entry-format.ts";
import { describeError, describeValue, InvalidResult, SandboxError } from "./errors.ts";
import { type Handler, isThenable, type Method, type Methods, readMember } from "./unit.ts";

/** @throws SandboxError when nothing of a callback is there */
export function adaptCallback(info: UnitInfo, callback: unknown): Methods {
  const find = (...names: readonly string[]): Method | undefined => {
    for (const name of names.flatMap((name) => [name, camelCase(name)])) {
      const method = readMember(callback, name);
      if (typeof method === "function") return (...values) => Reflect.apply(method, callback, values) as unknown;
    }
    return undefined;
  };
  const handlers = new Map<Phase, Handler>();
  const before = find("async_pre_call_hook");
  if (before !== undefined) handlers.set("preCall", preCall(before));
  const success = find("async_post_call_success_hook");
  if (success !== undefined) handlers.set("postCall", postCall(success));
  const failure = find("async_post_call_failure_hook");
  if (failure !== undefined) handlers.set("onError", onError(failure));
  const logged = {
    success: find("async_log_success_event", "log_success_event"),
    failure: find("async_log_failure_event", "log_failure_event"),
  };
  if (logged.success !== undefined || logged.failure !== undefined) handlers.set("onComplete", onComplete(logged));
  const iterate = find("async_post_call_streaming_iterator_hook");
  const perChunk = find("async_post_call_streaming_hook");
  const openStream =
    iterate === undefined && perChunk === undefined ? undefined : (context: Context) => openCallbackStream({ iterate, perChunk }, context);
  if (handlers.size === 0 && openStream === undefined)
    throw new SandboxError(
      `${info.file}: the export ${info.exportName} is ${describeValue(callback)} without a method of a callback; ` +
        `known are async_pre_call_hook, async_post_call_success_hook, async_post_call_failure_hook, async_post_call_streaming_hook, ` +
        `async_post_call_streaming_iterator_hook, async_log_success_event and async_log_failure_event`,
    );
  return { handlers, openStream, events: iterate === undefined && perChunk !== undefined ? ["content_block_delta"] : undefined };
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Nothing: what was changed in place counts. An object takes the place of the data, a text refuses, an error fails the request. */
function preCall(method: Method): Handler {
  return (request, context) => {
    const callType = context.operation === "count_tokens" ? "acount_tokens" : "anthropic_messages";
    const data = requestData(request, context);
    return settle(
      () => method(anonymousCaller(), sharedCache(context), data, callType),
      (value) => {
        if (typeof value === "string") return deny(400, value);
        if (value instanceof Error) return refusal(value);
        if (value === data || value === undefined || value === null) return undefined;
        replaceMembers(request, value, "async_pre_call_hook");
        return undefined;
      },
      refusal,
    );
  };
}

/** What is returned takes the reply's place. */
function postCall(method: Method): Handler {
  return (reply, context) => {
    const data = { model: context.facts.model, stream: context.facts.stream, litellm_call_id: context.requestId, metadata: {} };
    return settle(
      () => method(data, anonymousCaller(), reply),
      (value) => {
        if (value instanceof Error) return refusal(value);
        if (value !== undefined && value !== null && value !== reply) replaceMembers(reply, value, "async_post_call_success_hook");
        return undefined;
      },
      refusal,
    );
  };
}

/** An error with a status, returned or thrown, takes the place of the one the caller would get; anything else changes nothing. */
function onError(method: Method): Handler {
  return (subject, context) => {
    const { status, type, message } = subject as CallError;
    const original = new Error(message);
    Object.defineProperty(original, "name", { value: type });
    for (const name of ["status", "status_code", "statusCode"]) Object.defineProperty(original, name, { value: status });
    const data = { model: context.facts.model, stream: context.facts.stream, litellm_call_id: context.requestId, metadata: {} };
    const read = (value: unknown): Deny | undefined => (statusOf(value) === undefined ? undefined : refusal(value));
    return settle(
      () => method(data, original, anonymousCaller(), ""),
      read,
      (thrown) => {
        const denied = read(thrown);
        if (denied === undefined) context.log("async_post_call_failure_hook threw", thrown);
        return denied;
      },
    );
  };
}

function onComplete({ success, failure }: { readonly success: Method | undefined; readonly failure: Method | undefined }): Handler {
  return (subject, context) => {
    const completion = subject as Completion;
    const method = completion.outcome === "completed" && completion.status < 400 ? success : failure;
    return method?.(...logArguments(completion, context));
  };
}

/** Calls, and reads what came of it now or once the promise is settled. Mistakes in the code stay errors: they are no decision. */
function settle(call: () => unknown, read: (value: unknown) => unknown, readThrown: (thrown: unknown) => unknown): unknown {
  const take = (thrown: unknown): unknown => {
    if (isMistake(thrown)) throw thrown;
    return readThrown(thrown);
  };
  let value: unknown;
  try {
    value = call();
  } catch (thrown) {
    return take(thrown);
  }
  return isThenable(value) ? new Promise((resolve) => resolve(value)).then(read, take) : read(value);
}

function isMistake(thrown: unknown): boolean {
  if (statusOf(thrown) !== undefined) return false;
  return [TypeError, ReferenceError, RangeError, SyntaxError, SandboxError].some((kind) => thrown instanceof kind);
}

/** As with a plain exception there, 500 when the error says no status. */
function refusal(thrown: unknown): Deny {
  const detail = readMember(thrown, "detail");
  const message =
    typeof detail === "string" ? detail : detail === undefined ? describeError(thrown).message : (JSON.stringify(detail) ?? "");
  return deny(statusOf(thrown) ?? 500, message);
}

function statusOf(thrown: unknown): number | undefined {
  for (const name of ["status_code", "statusCode", "status"]) {
    const status = readMember(thrown, name);
    if (typeof status === "number" && Number.isInteger(status) && status >= 400 && status <= 599) return status;
  }
  return undefined;
}

function deny(status: number, message: string): Deny {
  return { kind: "deny", status, message };
}

/** Makes a view hold exactly the members of another object; those that are the same are not touched. */
function replaceMembers(view: unknown, members: unknown, where: string): void {
  if (typeof members !== "object" || members === null || Array.isArray(members))
    throw new InvalidResult(`${where} returned ${describeValue(members)}; wanted nothing, a text or an object`);
  if (typeof view !== "object" || view === null) return;
  for (const key of Object.keys(view)) if (!Object.hasOwn(members, key)) Reflect.deleteProperty(view, key);
  for (const [key, member] of Object.entries(members)) if (Reflect.get(view, key) !== member) Reflect.set(view, key, member);
}
