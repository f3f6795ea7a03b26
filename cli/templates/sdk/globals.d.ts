/** What rules and hooks find in their sandbox besides the language itself. */

interface Console {
  debug(...values: unknown[]): void;
  error(...values: unknown[]): void;
  info(...values: unknown[]): void;
  /** Goes to the log of ccproxy, with the name of the file and the id of the request. */
  log(...values: unknown[]): void;
  warn(...values: unknown[]): void;
}

declare const console: Console;
declare function atob(text: string): string;
declare function btoa(text: string): string;
declare function queueMicrotask(task: () => void): void;
declare function structuredClone<Value>(value: Value): Value;

declare class TextEncoder {
  encode(text?: string): Uint8Array;
}

declare class TextDecoder {
  decode(bytes?: Uint8Array | ArrayBuffer): string;
}
