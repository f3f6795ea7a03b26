/** One request and its reply, from the first header to the settlement: the value that flows through the chain. */

import { randomUUID } from "node:crypto";

import type { Json, RequestBody } from "../sdk/body.ts";
import type { BudgetStanding } from "../sdk/budget-standing.ts";
import type { HeaderList, Ingress, LocalReply, Operation, Received, ReplySummary, RequestHead } from "../sdk/dialect.ts";
import { ProxyError } from "../sdk/errors.ts";
import type { Facts, HeaderReader } from "../sdk/facts.ts";
import { hubDialect } from "../sdk/hub/dialect.ts";
import { MessagesFacts } from "../sdk/hub/facts.ts";
import type { Note } from "../sdk/wire.ts";
import { Annotations } from "./annotations.ts";
import { type RequestOptions, noRequestOptions } from "./attempts/request-options.ts";
import { createMadeBody } from "./body/made-body.ts";
import type { KeyHolder } from "./keys/access.ts";
import { type HeaderChanges, changeHeaders } from "./phases/header-changes.ts";
import type { Accounts } from "./ledger/accounts.ts";
import type { UserProgram } from "./phases/user-program.ts";
import type { Deployment } from "./routing/deployment.ts";
import type { Choice } from "./routing/choice.ts";
import type { Leg, PlannedTarget } from "./routing/leg.ts";
import type { Snapshot } from "./snapshot.ts";
import type { EventSource } from "./stream/event-source.ts";
import { Trace } from "./trace.ts";
import { TranslatedFacts } from "./translation/facts.ts";

const maxModelLength = 500;
const noHeaders: ExchangeInit["headers"] = { endToEnd: [], get: () => undefined };

/** Who calls, and what credential of their own they brought along. */
export interface Caller {
  readonly kind: "anonymous" | "local" | "master" | "key";
  /** Of a virtual key. */
  readonly holder?: KeyHolder | undefined;
  /** Headers that carry a credential as received (`authorization`, `x-api-key`, …), less the one that opened this proxy. */
  readonly credentials: HeaderList;
}

export interface Labelled {
  readonly label: string;
  /** As the configuration names it, or the file. */
  readonly rule: string;
}

/** Why an upstream was asked. */
export type AttemptReason = "first" | "retry" | "fallback" | "hedge" | "resume" | "check" | "sent again";

/** One request to one upstream. */
export interface Attempt {
  readonly deployment: Deployment;
  readonly model: string;
  readonly reason: AttemptReason;
  readonly startedAt: number;
  /** Undefined when no response came. */
  status: number | undefined;
}

/** What goes back to the caller. Stages may wrap `body`; only ingress drains it. */
export interface Reply {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: AsyncIterable<Uint8Array>;
  readonly isEventStream: boolean;
  /** Whose bytes these are; the same where the caller's dialect is the hub's. */
  readonly format: "hub" | "client";
  /** What the body is made of, where it was translated: either is read, never both. */
  readonly events?: EventSource | undefined;
  /** What the upstream itself said, where the reply was translated; ended after the last byte. */
  readonly reported?: { end(): ReplySummary } | undefined;
}

export type Outcome = "completed" | "client-gone" | "upstream-failed" | "refused" | "stopped";

/** How the exchange ended; handed to everyone who waits for the settlement. */
export interface Settlement {
  readonly outcome: Outcome;
  readonly status: number;
  readonly summary: ReplySummary | undefined;
  /** Of the reply's body, as far as it went out. */
  readonly bytes: number;
  /** ms from the request's first byte. */
  readonly firstByteMs: number | undefined;
  readonly totalMs: number;
  readonly error: unknown;
}

export interface ExchangeInit {
  readonly snapshot: Snapshot;
  readonly ingress: Ingress;
  /** Name of the dialect that `ingress` is the client's side of. Default: the hub's. */
  readonly dialect?: string;
  readonly operation: Operation;
  readonly path: string;
  readonly search: string;
  readonly headers: HeaderReader & { readonly endToEnd: HeaderList };
  /** Content hash of the trusted project file whose rules apply. */
  readonly project: string | undefined;
  readonly now: () => number;
  /** The exchange whose user code makes this request; none runs for it in turn. */
  readonly parent?: string;
}

export class Exchange {
  readonly id: string = createRequestId();
  readonly receivedAt: number;
  readonly snapshot: Snapshot;
  readonly ingress: Ingress;
  /** Name of the dialect the client speaks. */
  readonly dialect: string;
  readonly operation: Operation;
  readonly path: string;
  readonly search: string;
  /** As received; written anew where a hook changes headers. */
  headers: ExchangeInit["headers"];
  readonly project: string | undefined;
  /** Id of the exchange whose user code made this request. */
  readonly parent: string | undefined;
  readonly trace: Trace;
  readonly attempts: Attempt[] = [];
  readonly now: () => number;
  readonly #annotations = new Annotations();

  /** What it costs. Undefined where nothing is to be paid: tokens are counted for free. */
  accounts: Accounts | undefined;
  /** Written by limits: how its caller stands with the budget that is nearest to its end. */
  standing: BudgetStanding | undefined;
  /** Written by auth. */
  caller: Caller = { kind: "anonymous", credentials: [] };
  /** Hooks, rules and callbacks that run for it. Loaded until the exchange has settled. */
  readonly userProgram: UserProgram | undefined;
  /** Written by decode: what the caller says of how to route it. */
  options: RequestOptions = noRequestOptions;
  /** Written by router: the group that answers. */
  leg: Leg | undefined;
  /** Written by router: who of the group is asked first. */
  choice: Choice | undefined;
  /** Written by router, and by call with every attempt: where the request goes, or went last. */
  target: PlannedTarget | undefined;
  /** Written by call: how often another attempt was made in a group, and how often another group was asked. */
  retries = 0;
  fallbacks = 0;
  /** Written by call. */
  reply: Reply | undefined;
  /** Written where hooks may change or refuse what is sent: what the upstream itself said. Ended by ingress. */
  reported: { end(): ReplySummary } | undefined;

  readonly #release: (() => void) | undefined;
  #labelled: Labelled | undefined;
  #modelAsked: string | undefined;
  #headerChanges: HeaderChanges = new Map();
  #received: Received | undefined;
  #head: RequestHead | undefined;
  /** Of the hub: as received where the client speaks it, else translated when first asked for. */
  #request: RequestBody | undefined;
  #isEdited = false;
  #facts: Facts | undefined;
  #factsLeft: Pick<Facts, "client" | "session"> | undefined;
  readonly #abort = new AbortController();
  #settlement: Settlement | undefined;
  #waiting: ((settlement: Settlement) => void)[] = [];

  constructor(init: ExchangeInit) {
    this.now = init.now;
    this.receivedAt = init.now();
    this.snapshot = init.snapshot;
    this.ingress = init.ingress;
    this.dialect = init.dialect ?? hubDialect;
    this.operation = init.operation;
    this.path = init.path;
    this.search = init.search;
    this.headers = init.headers;
    this.project = init.project;
    this.parent = init.parent;
    this.trace = new Trace(this.receivedAt, init.now);
    this.userProgram = init.parent === undefined && init.operation !== "embeddings" ? init.snapshot.userProgram : undefined;
    this.#release = this.userProgram?.retain();
  }

  /**
   * Called once the body was read, and whenever an edit replaces it.
   * @throws ProxyError 400 for a model name of a length that no log, trace or header should have to carry
   */
  receive(request: RequestBody): void {
    const isFirst = this.#received === undefined;
    const received = (this.#received ??= {
      operation: this.operation,
      body: request,
      path: this.path,
      search: this.search,
      headers: this.headers,
    });
    const { translation } = this.ingress;
    const isTranslated = isFirst && translation !== undefined;
    if (isTranslated) this.#head = translation.head(received);
    const facts = isTranslated ? this.#translatedFacts() : new MessagesFacts(request, this.headers);
    const { length } = facts.model;
    if (length > maxModelLength) {
      const message = `The name of the model has ${length} characters; wanted at most ${maxModelLength}.`;
      throw new ProxyError(message, { status: 400, kind: "invalid_request_error" });
    }
    if (!isTranslated) this.#request = request;
    this.#isEdited ||= !isFirst;
    this.#facts = facts;
    this.#modelAsked ??= facts.model;
  }

  /** Headers as hooks want them, for everyone who reads them from here on and for what is sent upstream. */
  changeHeaders(changes: HeaderChanges): void {
    const { headers } = this;
    this.#headerChanges = new Map([...this.#headerChanges, ...changes]);
    this.headers = {
      endToEnd: changeHeaders(headers.endToEnd, changes),
      get: (name) => (changes.has(name) ? (changes.get(name) ?? undefined) : headers.get(name)),
    };
    // Some facts come from headers.
    if (this.#request !== undefined) this.#facts = new MessagesFacts(this.#request, this.headers);
    else if (this.#head !== undefined) this.#facts = this.#translatedFacts();
  }

  /** Until somebody asks for more than the head, nothing is translated. */
  #translatedFacts(): Facts {
    const { head, received } = this;
    return new TranslatedFacts(head, received.body.bytes.length, () => this.request, this.headers);
  }

  /** Given by the first rule that matched; undefined until then. */
  get label(): string | undefined {
    return this.#labelled?.label;
  }

  /** The rule that gave the label. */
  get labelledBy(): string | undefined {
    return this.#labelled?.rule;
  }

  labelBy(labelled: Labelled): void {
    this.#labelled = labelled;
  }

  /** What hooks changed in the headers so far. */
  get headerChanges(): HeaderChanges {
    return this.#headerChanges;
  }

  /** The model the client asked for, whatever a hook made of it. Empty before the body was read. */
  get modelAsked(): string {
    return this.#modelAsked ?? "";
  }

  /** As it came, in the client's own dialect. @throws Error before the body was read */
  get received(): Received {
    if (this.#received === undefined) throw new Error("the body has not been read yet");
    return this.#received;
  }

  /** What the client's dialect says first; of the hub's own facts elsewhere. */
  get head(): RequestHead {
    return this.#head ?? { model: this.facts.model, stream: this.facts.stream, session: this.facts.session };
  }

  /** Whether user code changed the request, so that what was received is not what is meant. */
  get isEdited(): boolean {
    return this.#isEdited;
  }

  /**
   * The request in the vocabulary of the hub.
   *
   * @throws Error before the body was read: a stage stands too early in the chain
   * @throws ProxyError 400 when the client's dialect cannot make one of what it sent
   */
  get request(): RequestBody {
    const { translation } = this.ingress;
    // Nothing of the hub's says it; it passes as it is.
    if (this.operation === "embeddings") return this.#request ?? this.received.body;
    if (this.#request === undefined && this.#head !== undefined && translation !== undefined) {
      this.#request = createMadeBody(translation.decode(this.received, this.note("ingress")));
    }
    if (this.#request === undefined) throw new Error("the body has not been read yet");
    return this.#request;
  }

  /** Writes into the trace what a translation dropped or put otherwise. */
  note(stage: "ingress" | "call"): Note {
    return (what, details) => this.trace.add(stage, what, details ?? {});
  }

  /** @throws Error before the body was read: a stage stands too early in the chain */
  get facts(): Facts {
    if (this.#facts === undefined) throw new Error("the body has not been read yet");
    return this.#facts;
  }

  /** For records of exchanges that may have ended before their body was read, or long after. */
  get knownFacts(): Pick<Facts, "client" | "session"> | undefined {
    return this.#facts ?? this.#factsLeft;
  }

  /** The request has been answered, and nobody will look at it again: a stream may go on for an hour. */
  letGoOfRequest(): void {
    const { client, session } = this.facts;
    this.#factsLeft = { client, session };
    this.#facts = undefined;
    this.#request = undefined;
    this.#received = undefined;
    this.#head = undefined;
    this.headers = noHeaders;
  }

  /** Fields that user code added, for the log line and whoever else tells of the exchange. At most 32, 16 KiB in all. */
  get annotations(): ReadonlyMap<string, Json> {
    return this.#annotations.values;
  }

  annotate(key: string, value: Json): void {
    this.#annotations.set(key, value);
  }

  /** Aborted when the client left or the proxy stops; the reason says which. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }

  /** Calls back once the exchange has ended, whatever way; at once when it already has. */
  onSettled(callback: (settlement: Settlement) => void): void {
    if (this.#settlement === undefined) this.#waiting.push(callback);
    else callback(this.#settlement);
  }

  /** Ends the exchange. Only the first call counts, so abort, error and stream end may all call it. */
  settle(settlement: Settlement): void {
    if (this.#settlement !== undefined) return;
    this.#settlement = settlement;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(settlement);
    // Whoever runs user code at the end has taken hold of it by now.
    this.#release?.();
  }
}

/** Random, and told apart from an upstream's own ids by nothing but its origin. */
export function createRequestId(): string {
  return `req_${randomUUID().replaceAll("-", "")}`;
}

/** A reply made here, as a reply to drain. */
export function replyOf(local: LocalReply, format: Reply["format"] = "client"): Reply {
  return {
    format,
    status: local.status,
    headers: local.headers,
    body: iterate(local.chunks),
    isEventStream: local.headers.some(([name, value]) => name === "content-type" && value.startsWith("text/event-stream")),
  };
}

async function* iterate(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
