/** The operations that one run asks for: each is performed once, however often the run is repeated. */

import { isRecord } from "./check-manifest.ts";
import type { Operation, OperationResult } from "./protocol.ts";
import type { OperationRunner } from "./sandbox.ts";

/** In one run of one unit. */
const maxOperations = 64;
const maxTextLength = 4 * 1024 * 1024;

interface Entry {
  readonly text: string;
  readonly result: Promise<OperationResult>;
}

export interface OperationDesk {
  /**
   * Begins those that are new, and takes the results of the others from before.
   * @returns what is wrong with them, if anything is
   */
  ask(unit: number, operations: unknown): string | undefined;
  /** Results that have come since the last time. */
  take(): readonly OperationResult[];
  /** Whether there is anything to wait for. */
  readonly isWaiting: boolean;
  /** The run begins again, on this host or another. */
  restart(): void;
  /** Whatever is still on its way is of no use. */
  abort(reason: unknown): void;
}

/**
 * @param keyOf the key of an operation, the same whenever the run is repeated
 * @param onResult there is something to take
 */
export function createOperationDesk(
  runner: OperationRunner,
  keyOf: (unit: number, seq: number) => string,
  onResult: () => void,
): OperationDesk {
  const journal = new Map<string, Entry>();
  const controller = new AbortController();
  let attempt = 0;
  let pending = 0;
  let results: OperationResult[] = [];

  const perform = async (unit: number, operation: Operation, key: string): Promise<OperationResult> => {
    const { seq } = operation;
    try {
      const result = await runner.run(unit, operation, key, controller.signal);
      return result.ok ? { seq, ok: true, value: result.value } : { seq, ok: false, message: result.message };
    } catch (error) {
      return { seq, ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  };
  const deliver = async (entry: Entry): Promise<void> => {
    const asked = attempt;
    pending++;
    const result = await entry.result;
    if (asked !== attempt) return;
    pending--;
    results.push(result);
    onResult();
  };

  return {
    ask(unit, operations) {
      if (!Array.isArray(operations)) return "operations is no list";
      for (const operation of operations) {
        const fault = checkOperation(operation);
        if (fault !== undefined) return fault;
        if (!isOperation(operation)) return "operations holds something else";
        const key = keyOf(unit, operation.seq);
        const text = JSON.stringify(operation);
        let entry = journal.get(key);
        if (entry === undefined) {
          if (journal.size >= maxOperations) return `more than ${maxOperations} operations were asked for`;
          entry = { text, result: perform(unit, operation, key) };
          journal.set(key, entry);
        } else if (entry.text !== text) {
          return `its host was lost, and when it was repeated it asked for ${describe(text)} where it had asked for ${describe(entry.text)}`;
        }
        void deliver(entry);
      }
      return undefined;
    },
    take() {
      const taken = results;
      results = [];
      return taken;
    },
    get isWaiting() {
      return pending > 0 || results.length > 0;
    },
    restart() {
      attempt++;
      pending = 0;
      results = [];
    },
    abort(reason) {
      attempt++;
      controller.abort(reason);
    },
  };
}

function describe(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function isOperation(value: unknown): value is Operation {
  return isRecord(value);
}

/** What is wrong with an operation as it came from a host. What it may reach is decided by whoever performs it. */
function checkOperation(value: unknown): string | undefined {
  if (!isRecord(value)) return "operations holds something that is no operation";
  const { seq, op, key } = value;
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 0) return "an operation has no number";
  switch (op) {
    case "fetch": {
      const { url, method, headers, body } = value;
      if (!isText(url) || !isText(method)) return "a fetch has no url or method";
      if (body !== null && !isText(body)) return `the body of a fetch is no text of at most ${maxTextLength} characters`;
      return isRecord(headers) && Object.values(headers).every(isText) ? undefined : "the headers of a fetch are not texts by name";
    }
    case "callModel":
      return isRecord(value["request"]) ? undefined : "a callModel has no request";
    case "kv.get":
      return isText(key) ? undefined : "a kv.get has no key";
    case "kv.lines":
      return isText(key) && typeof value["last"] === "number" ? undefined : "a kv.lines has no key or number";
    default:
      return "an operation is of no known kind";
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxTextLength;
}
