/** Reads something until enough of it is known, and gives it on as though nobody had read it. */

/** What is read piece by piece. Single consumer. */
export interface Holdable<Piece, Rest> {
  /**
   * Hands over piece by piece until told that it is enough, each in the turn in which it comes.
   * @param finish told once: the end, or why there will be none. Not after `take` has said that it is enough.
   */
  read(take: (piece: Piece) => "more" | "enough", finish: (error?: unknown) => void): void;
  /** What is left to be read, beginning with what was handed over. Ends the reading, if it still goes on. */
  handOn(taken: readonly Piece[]): Rest;
  /** Nobody wants the rest: everything behind it is let go. */
  letGo(): void;
}

/** Looks at the pieces of one reply. */
export interface Judge<Piece, Verdict> {
  /** Undefined as long as it cannot be said. */
  push(piece: Piece): Verdict | undefined;
  /** @param error why there is no proper end */
  end(error: unknown): Verdict;
}

export interface HoldOptions {
  /** Undefined: until it is known. */
  readonly holdMs: number | undefined;
  readonly signal: AbortSignal;
}

export interface Held<Piece, Verdict> {
  /** Undefined where the time was over first. */
  readonly verdict: Verdict | undefined;
  readonly taken: readonly Piece[];
}

/** Resolves in the turn in which it is known. @throws the reason of the signal, and lets everything go */
export function hold<Piece, Rest, Verdict>(
  source: Holdable<Piece, Rest>,
  judge: Judge<Piece, Verdict>,
  { holdMs, signal }: HoldOptions,
): Promise<Held<Piece, Verdict>> {
  return new Promise((resolve, reject) => {
    const taken: Piece[] = [];
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    const decide = (verdict: Verdict | undefined): void => {
      stop();
      resolve({ verdict, taken });
    };
    const fail = (reason: unknown): void => {
      stop();
      source.letGo();
      reject(reason);
    };
    const onAbort = (): void => fail(signal.reason);
    if (signal.aborted) {
      fail(signal.reason);
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    source.read(
      (piece) => {
        if (isOver) return "enough";
        taken.push(piece);
        let verdict: Verdict | undefined;
        try {
          verdict = judge.push(piece);
        } catch (error) {
          fail(error);
          return "enough";
        }
        if (verdict === undefined) return "more";
        decide(verdict);
        return "enough";
      },
      (error) => {
        if (isOver) return;
        // The failure of a body that was aborted is the reason of the signal.
        if (signal.aborted) fail(signal.reason);
        else decide(judge.end(error));
      },
    );
    if (!isOver && holdMs !== undefined) timer = setTimeout(() => decide(undefined), holdMs);
  });
}
