/** Questions to another process, which may not answer any more. */

import type { FoundTrace } from "./messages.ts";

const longestMs = 1000;

export class Questions {
  readonly #open = new Map<number, (found: FoundTrace | undefined) => void>();
  #last = 0;

  /** @returns undefined, too, when no answer comes in time */
  ask(send: (question: number) => void): Promise<FoundTrace | undefined> {
    const question = (this.#last += 1);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answer(question, undefined), longestMs);
      this.#open.set(question, (found) => {
        clearTimeout(timer);
        resolve(found);
      });
      send(question);
    });
  }

  answer(question: number, found: FoundTrace | undefined): void {
    this.#open.get(question)?.(found);
    this.#open.delete(question);
  }
}
