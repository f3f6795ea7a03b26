/** What is held against user files that took a host down, by the hash of their content. */

import type { Logger } from "../../sdk/log.ts";

/** So many within the window put a file out of use. */
const maxStrikes = 3;
const windowMs = 10 * 60_000;
/** Of files long gone. */
const maxRemembered = 1000;

export interface Strikes {
  /** Nothing is held against any file: the usual case, to be found out at no cost. */
  readonly isClean: boolean;
  /** @param what e.g. `was killed in preCall` */
  add(file: string, hash: string, what: string): void;
  /** Puts a file out of use at once: hosts do not survive loading it. */
  exclude(file: string, hash: string, reason: string): void;
  isUnloadable(hash: string): boolean;
  /** It has a strike, so nothing runs together with it. */
  isSuspect(hash: string): boolean;
  /** Why it is out of use. */
  reason(hash: string): string | undefined;
  list(): readonly { readonly file: string; readonly until: string; readonly reason: string }[];
}

interface FileRecord {
  readonly file: string;
  times: readonly number[];
  reason: string | undefined;
  isUnloadable: boolean;
}

/** @param now ms, of any clock that only goes forward */
export function createStrikes(logger: Logger, now: () => number): Strikes {
  const records = new Map<string, FileRecord>();

  const recordOf = (file: string, hash: string): FileRecord => {
    const record = records.get(hash) ?? { file, times: [], reason: undefined, isUnloadable: false };
    // Those last heard of stand last.
    records.delete(hash);
    records.set(hash, record);
    for (const oldest of records.keys()) {
      if (records.size <= maxRemembered) break;
      records.delete(oldest);
    }
    return record;
  };
  const quarantine = (record: FileRecord, reason: string): void => {
    if (record.reason !== undefined) return;
    record.reason = reason;
    logger.error({ file: record.file, reason }, "a user file is out of use until it changes");
  };

  return {
    get isClean() {
      return records.size === 0;
    },
    add(file, hash, what) {
      const record = recordOf(file, hash);
      const at = now();
      record.times = [...record.times.filter((time) => time > at - windowMs), at].slice(-maxStrikes);
      logger.warn({ file, strikes: record.times.length, of: maxStrikes }, `a user file ${what}`);
      if (record.times.length >= maxStrikes) quarantine(record, `it ${what}, for the third time within ten minutes`);
    },
    exclude(file, hash, reason) {
      const record = recordOf(file, hash);
      record.isUnloadable = true;
      quarantine(record, reason);
    },
    isUnloadable: (hash) => records.get(hash)?.isUnloadable === true,
    isSuspect(hash) {
      const record = records.get(hash);
      if (record === undefined) return false;
      if (record.reason !== undefined || record.times.some((time) => time > now() - windowMs)) return true;
      records.delete(hash);
      return false;
    },
    reason: (hash) => records.get(hash)?.reason,
    list: () =>
      [...records.values()].flatMap(({ file, reason }) =>
        reason === undefined ? [] : [{ file, until: "the file changes", reason: `${file} is out of use until it changes: ${reason}` }],
      ),
  };
}
