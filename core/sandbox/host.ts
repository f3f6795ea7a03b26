/** A hook host as its clients see it: questions go in, answers come back in the same order, and its end is told to all. */

import type { Logger } from "../../sdk/log.ts";
import { type HostProgram, startHostProcess } from "./host-process.ts";
import type { FromHost, ToHost } from "./protocol.ts";
import { createWatchdog } from "./watchdog.ts";

/** Answers to questions; the payload of each is not checked. */
export type HostAnswer = Exclude<FromHost, { readonly type: "ready" | "progress" }>;

export interface HostClient {
  /** @param bytes length of the answer */
  answered(answer: HostAnswer, bytes: number): void;
  /** The host is gone; told last to the one it was at work on. */
  lost(loss: HostLoss): void;
}

export interface HostLoss {
  /**
   * `killed` for taking too long, `crashed` by itself, `ended` as if by somebody else's SIGKILL, which nothing that
   * runs in it can cause but by using up the machine's memory, `dismissed` for no fault of anyone.
   */
  readonly by: "killed" | "crashed" | "ended" | "dismissed";
  /** Whether the host was at work on what this client had asked. */
  readonly isHead: boolean;
  /** The unit last said to have begun; undefined: the first one of the message. */
  readonly unit: number | undefined;
}

export interface Host {
  readonly pid: number;
  /** ms since 1970. */
  readonly startedAt: number;
  /** Questions asked so far. */
  readonly asked: number;
  /** False from the moment at which it is lost, killed or dismissed. */
  readonly isOpen: boolean;
  /** Something waits for its answer. */
  readonly isBusy: boolean;
  newId(): number;
  ask(message: ToHost & { readonly id: number }, terms: Terms, client: HostClient, payload?: readonly Uint8Array[]): void;
  /** What has no answer. */
  tell(message: ToHost): void;
  /** A client that waits for something else, and wants to hear if the host is lost. */
  attach(client: HostClient): void;
  detach(client: HostClient): void;
  /** It does not keep to the protocol. @param client whose answer shows it; told of the loss like one whose question is open */
  distrust(why: string, client?: HostClient): void;
  /** Ends it for using too much, which is laid to what it is at work on. */
  condemn(why: string): void;
  /** Takes no new work, ends once it has none. */
  dismiss(): void;
  /** Ends it at once. */
  close(): void;
  readonly exited: Promise<void>;
}

/** What a question may take. */
export interface Terms {
  /** From the moment at which everything before has been answered, and anew from each unit that begins. */
  readonly limitMs: number;
  /** How many of these there are at most: one that is always beginning something would never be found. */
  readonly maxBegins: number;
  /** The one that begins or goes on first; undefined: the first of the message. */
  readonly unit?: number;
}

export interface HostOptions {
  readonly program: HostProgram;
  readonly logger: Logger;
  readonly wallClock: () => number;
  readonly onReady: () => void;
  /** Before the clients are told. */
  readonly onLost: (by: HostLoss["by"], why: string) => void;
}

interface Question {
  readonly id: number;
  readonly terms: Terms;
  readonly client: HostClient;
  unit: number | undefined;
  begins: number;
}

const answerTypes: ReadonlySet<unknown> = new Set([
  "loaded",
  "done",
  "need",
  "operations",
  "aborted",
  "events-done",
] satisfies HostAnswer["type"][]);

export function createHost({ program, logger, wallClock, onReady, onLost }: HostOptions): Host {
  /** In the order in which they were asked; the first `answered` ones have been. */
  let questions: Question[] = [];
  let answered = 0;
  const attached = new Set<HostClient>();
  let lastId = 0;
  let asked = 0;
  let isOpen = true;
  let isDismissed = false;
  let isGone = false;
  let verdict: { readonly by: HostLoss["by"]; readonly why: string; readonly culprit: Question | undefined } | undefined;
  const distrustedBy = new Set<HostClient>();

  const head = (): Question | undefined => questions[answered];
  const end = (by: HostLoss["by"], why: string, culprit: Question | undefined): void => {
    if (verdict !== undefined) return;
    verdict = { by, why, culprit };
    isOpen = false;
    watchdog.stop();
    hostProcess.kill();
  };
  const endIfIdle = (): void => {
    if (isDismissed && head() === undefined && attached.size === 0) end("dismissed", "it was dismissed", undefined);
  };

  const onMessage = (message: unknown, bytes: number): void => {
    if (!isMessage(message)) return end("crashed", "it sent something that is no message", head());
    if (message.type === "ready") return onReady();
    const question = head();
    // It may have been on its way when the host was condemned, and counts all the same.
    if (question === undefined || message.id !== question.id) return end("crashed", `it answered ${message.type} to nothing`, question);
    if (message.type === "progress") {
      question.unit = message.unit;
      question.begins++;
      if (question.begins > question.terms.maxBegins) return end("crashed", "it began more units than there are", question);
      if (isOpen) watchdog.begin(question.terms.limitMs);
      return;
    }
    answered++;
    if (answered === questions.length) {
      questions = [];
      answered = 0;
    } else if (answered > 1000) {
      questions = questions.slice(answered);
      answered = 0;
    }
    const next = head();
    if (isOpen && next !== undefined) watchdog.begin(next.terms.limitMs);
    else watchdog.rest();
    try {
      question.client.answered(message, bytes);
    } catch (error) {
      // It has been answered, so its client would never hear of the loss that follows.
      distrustedBy.add(question.client);
      end("crashed", `its answer could not be read: ${error instanceof Error ? error.message : String(error)}`, undefined);
    }
    if (isDismissed) endIfIdle();
  };

  const onClose = (why: string, mayBeFromOutside: boolean): void => {
    isOpen = false;
    isGone = true;
    watchdog.stop();
    const {
      by,
      culprit,
      why: reason,
    } = verdict ?? { by: mayBeFromOutside ? ("ended" as const) : ("crashed" as const), culprit: head(), why };
    const open = questions.slice(answered);
    questions = [];
    answered = 0;
    const idle = [...attached];
    attached.clear();
    onLost(by, reason);
    for (const client of idle) client.lost({ by, isHead: false, unit: undefined });
    for (const question of open) if (question !== culprit) question.client.lost({ by, isHead: false, unit: undefined });
    for (const client of distrustedBy) client.lost({ by, isHead: true, unit: undefined });
    if (culprit !== undefined && open.includes(culprit)) culprit.client.lost({ by, isHead: true, unit: culprit.unit });
  };

  const hostProcess = startHostProcess({ program, logger, onMessage, onClose });
  const watchdog = createWatchdog(hostProcess.pid, () => end("killed", "it did not answer in time", head()));

  return {
    pid: hostProcess.pid,
    startedAt: wallClock(),
    get asked() {
      return asked;
    },
    get isOpen() {
      return isOpen && !isDismissed;
    },
    get isBusy() {
      return head() !== undefined;
    },
    newId: () => ++lastId,
    ask(message, terms, client, payload) {
      if (isGone) {
        setImmediate(() => client.lost({ by: "dismissed", isHead: false, unit: undefined }));
        return;
      }
      asked++;
      if (head() === undefined) watchdog.begin(terms.limitMs);
      questions.push({ id: message.id, terms, client, unit: terms.unit, begins: 0 });
      hostProcess.send(message, payload);
    },
    tell: (message) => hostProcess.send(message),
    attach: (client) => void attached.add(client),
    detach(client) {
      attached.delete(client);
      if (isDismissed) setImmediate(endIfIdle);
    },
    distrust(why, client) {
      if (client !== undefined) distrustedBy.add(client);
      end("crashed", why, client === undefined ? head() : undefined);
    },
    condemn: (why) => end("killed", why, head()),
    dismiss() {
      isDismissed = true;
      setImmediate(endIfIdle);
    },
    close: () => end("dismissed", "the sandbox was closed", undefined),
    exited: hostProcess.exited,
  };
}

function isMessage(value: unknown): value is FromHost {
  if (typeof value !== "object" || value === null || !("type" in value)) return false;
  if (value.type === "ready") return true;
  if (!("id" in value) || typeof value.id !== "number") return false;
  if (value.type === "progress") return "unit" in value && typeof value.unit === "number";
  return answerTypes.has(value.type);
}
