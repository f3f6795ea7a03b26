/** Brings what user code logs into the log of the proxy: with its file and request, and never more than the log can bear. */

import type { Logger } from "../../sdk/log.ts";
import type { Writes } from "../sandbox/protocol.ts";

export interface UserLog {
  write(file: string, requestId: string, logs: NonNullable<Writes["logs"]>): void;
  /** Says at once what was dropped so far. */
  flush(): void;
}

export interface UserLogLimits {
  /** Per file within one window. */
  readonly bytes: number;
  readonly windowMs: number;
  /** Of one line; the rest is cut off. */
  readonly lineCharacters: number;
}

const defaultLimits: UserLogLimits = { bytes: 64 * 1024, windowMs: 1_000, lineCharacters: 8 * 1024 };
/** What a line costs besides its text: time, names, level. */
const lineOverheadBytes = 150;

interface Window {
  bytes: number;
  droppedLines: number;
  droppedBytes: number;
}

/** What goes beyond the limit is dropped; one line at the end of the window says how much that was. */
export function createUserLog(logger: Logger, limits: UserLogLimits = defaultLimits): UserLog {
  const windows = new Map<string, Window>();

  function open(file: string): Window {
    const window: Window = { bytes: 0, droppedLines: 0, droppedBytes: 0 };
    windows.set(file, window);
    setTimeout(() => {
      windows.delete(file);
      tellDropped(file, window);
    }, limits.windowMs).unref();
    return window;
  }

  function tellDropped(file: string, window: Window): void {
    const { droppedLines, droppedBytes } = window;
    if (droppedLines === 0) return;
    window.droppedLines = 0;
    window.droppedBytes = 0;
    const most = `at most ${limits.bytes} bytes per file in ${limits.windowMs} ms are kept`;
    logger.warn({ file, droppedLines, droppedBytes }, `user code logged too much: ${most}`);
  }

  return {
    write(file, requestId, logs) {
      const window = windows.get(file) ?? open(file);
      for (const { level, text } of logs) {
        const line = cut(text, limits.lineCharacters);
        const bytes = Buffer.byteLength(line, "utf8") + lineOverheadBytes;
        if (window.bytes + bytes > limits.bytes) {
          window.droppedLines++;
          window.droppedBytes += text.length;
          continue;
        }
        window.bytes += bytes;
        // The text is the message, not the shape of the line: user code cannot pass for the proxy itself.
        logger[level]({ file, requestId, text: line }, "user code");
      }
    },
    flush() {
      for (const [file, window] of windows) tellDropped(file, window);
    },
  };
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}… (${text.length - characters} more characters)`;
}
