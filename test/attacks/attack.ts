/** What an attack is: hostile code, the place where it runs, and the outcome that is right. */

import type { Json } from "../../sdk/body.ts";
import type { Operation, UnitManifest } from "../../core/sandbox/protocol.ts";
import type { PhaseOutcome, StreamResult } from "../../core/sandbox/sandbox.ts";

export interface Attack {
  /** Plain words, or the name under which the snippet is known elsewhere. */
  readonly name: string;
  readonly where: "rule" | "preCall" | "postCall" | "onEvent" | "onComplete" | "load";
  /**
   * Body of `function attack(request, context)`, which has `log`, `hostAsync` (asks the proxy for something) and
   * `href.apply` (the same) at hand. What it returns is told as the annotation `value` when it is short and simple,
   * and else returned to the runtime.
   */
  readonly body?: string;
  /** In place of a body: the expression that the file exports, for attacks on how exports are used. Says `context.log("reached")`. */
  readonly module?: string;
  readonly kind?: "callback";
  /** Without an operation awaited before: the attack is the first thing that runs, and has to be seen in its outcome. */
  readonly isDirect?: true;
  /** What it returns is returned to the runtime as it is. */
  readonly isRaw?: true;
  /** What is right for the last call; several where the engine decides, and `why` says so. */
  readonly expected: readonly Expected[];
  readonly why?: string;
  /** More has to be true of everything that was seen. */
  readonly check?: (seen: Seen) => boolean;
  /** How often it is called; default once. */
  readonly calls?: number;
  /** Default 100. */
  readonly sliceMs?: number;
  /** For everything that is waited for; default 5,000. */
  readonly timeoutMs?: number;
  /** Files of its kind that run beside it, in place of the ordinary ones: expressions to export. */
  readonly neighbours?: readonly [before: string, after: string];
  /** Where the outcome rests on a limit that only this system has. */
  readonly platform?: "linux";
}

export type Expected =
  /** Ended by V8 within its slice, or with the time for everything it waited for. */
  | "timeout"
  /** Its host was killed, or died of it, and was replaced. */
  | "kill"
  /** Its isolate was thrown away at its limit. */
  | "memory"
  | { readonly error: RegExp }
  /** Nothing came of it. */
  | { readonly harmless: true }
  /** It told this. */
  | { readonly value: Json };

/** What an attack left behind. */
export interface Seen {
  readonly manifest: UnitManifest;
  /** Of the attacker, one for each call. */
  readonly outcomes: readonly PhaseOutcome[];
  readonly neighbours: readonly PhaseOutcome[];
  /** What became of the events, for each call. */
  readonly events: readonly StreamResult["events"][];
  /** Asked for by the attacker. */
  readonly operations: readonly Operation[];
}
