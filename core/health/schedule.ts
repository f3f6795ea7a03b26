/** When each of several things is due, so that they do not fall on the same moment. */

export interface Schedule {
  /** Which of these are due; they are due again after the interval, a tenth more or less. Others are forgotten. */
  due(ids: readonly string[], intervalMs: number): readonly string[];
  /** Calls when the next one is due. Keeps no process alive. */
  wake(callback: () => void): void;
  stop(): void;
}

export interface ScheduleInit {
  /** Monotonic ms. */
  readonly now: () => number;
  /** 0 to 1 */
  readonly random: () => number;
}

/** What is new has its first turn within this share of the interval. */
const firstShare = 0.1;
/** More than a timer can hold would fire at once. */
const longestMs = 2 ** 31 - 1;

export function createSchedule({ now, random }: ScheduleInit): Schedule {
  const dueAt = new Map<string, { readonly at: number; readonly intervalMs: number }>();
  let timer: NodeJS.Timeout | undefined;
  return {
    due(ids, intervalMs) {
      const wanted = new Set(ids);
      for (const id of dueAt.keys()) if (!wanted.has(id)) dueAt.delete(id);
      return [...wanted].filter((id) => {
        const known = dueAt.get(id);
        // Another interval is another plan.
        const at = known?.intervalMs === intervalMs ? known.at : now() + random() * intervalMs * firstShare;
        const isDue = at <= now();
        dueAt.set(id, { at: isDue ? now() + intervalMs * (0.9 + random() * 0.2) : at, intervalMs });
        return isDue;
      });
    },
    wake(callback) {
      clearTimeout(timer);
      if (dueAt.size === 0) return;
      const next = Math.min(...[...dueAt.values()].map(({ at }) => at));
      timer = setTimeout(callback, Math.min(Math.max(0, next - now()), longestMs)).unref();
    },
    stop: () => clearTimeout(timer),
  };
}
