/** Where each number of the catalogue of attacks on sandboxes has its home. */

export interface Home {
  /** Relative to cases/; or to the root of the project, with what stands there for it. */
  readonly file: string;
  readonly text?: string;
}

const attack = (file: string): Home => ({ file: `${file}.ts` });
const dataPlane = (text: string): Home => ({ file: "test/security/data-plane.test.ts", text });
const operations = (text: string): Home => ({ file: "test/security/granted-operations.test.ts", text });
const toolchain = (text: string): Home => ({ file: "test/core/user-code/toolchain-attacks.test.ts", text });

export const catalogue: Readonly<Record<number, Home>> = {
  // The realm.
  1: attack("catalogue/realm-of-this"),
  2: attack("catalogue/realm-of-functions"),
  3: attack("catalogue/async-constructor-imports"),
  4: attack("catalogue/realm-of-a-sloppy-this"),
  5: attack("catalogue/reflect-construct"),
  6: attack("catalogue/methods-of-the-context-on-others"),
  7: attack("catalogue/methods-of-the-context-on-others"),
  8: attack("catalogue/methods-of-the-context-on-others"),
  9: attack("catalogue/realm-of-the-context"),
  10: attack("catalogue/realm-of-the-context"),
  11: attack("catalogue/realm-of-thrown-errors"),
  12: attack("catalogue/arguments-callee-caller"),
  // Handles of the host.
  13: attack("catalogue/handles-in-globals"),
  14: attack("catalogue/handles-in-globals"),
  15: attack("catalogue/handles-in-globals"),
  16: attack("catalogue/handles-in-globals"),
  17: attack("catalogue/realm-of-rejections"),
  18: attack("catalogue/native-module"),
  19: attack("catalogue/native-module"),
  20: attack("catalogue/handles-by-pollution"),
  // What is waited for.
  21: attack("given/async-return-never"),
  22: attack("given/microtask-bomb"),
  23: attack("catalogue/for-await-loop"),
  24: attack("catalogue/then-patched"),
  25: attack("catalogue/species"),
  26: attack("given/ret-thenable"),
  27: attack("catalogue/reject-proxy"),
  28: attack("catalogue/call-after-the-end"),
  // Errors.
  29: attack("given/throw-proxy"),
  30: attack("given/throw-error-getters"),
  31: attack("own/load-throws-getters"),
  32: attack("given/prepare-stack-trace-loop"),
  33: attack("catalogue/throw-primitives"),
  34: attack("catalogue/cyclic-causes"),
  35: attack("catalogue/hundred-megabytes-of-message"),
  36: attack("catalogue/suppressed-errors"),
  37: attack("catalogue/error-of-another-prototype"),
  // Time.
  38: attack("given/loop"),
  39: attack("given/regex-bomb"),
  40: attack("catalogue/lookbehind"),
  41: attack("given/array-fill27"),
  42: attack("given/array-from-len"),
  43: attack("catalogue/bigint-to-text"),
  44: attack("given/normalize-huge"),
  45: attack("catalogue/segmenter"),
  46: attack("given/sort-lie"),
  47: attack("catalogue/json-nested-a-million-deep"),
  48: attack("catalogue/regexp-of-30000-groups"),
  // Memory.
  49: attack("given/array-push"),
  50: attack("catalogue/join-500-megabytes"),
  51: attack("catalogue/wasm-memory"),
  52: attack("given/map-bomb"),
  53: attack("catalogue/array-buffer-of-a-gigabyte"),
  54: attack("given/sab-memory"),
  55: attack("given/resizable-ab"),
  56: attack("given/string-keep-flat"),
  57: attack("given/finalization-loop"),
  58: attack("catalogue/return-100-megabytes"),
  59: attack("catalogue/ten-thousand-megabyte-logs"),
  // What the language could reach.
  60: attack("given/dyn-import"),
  61: attack("catalogue/static-import"),
  62: attack("catalogue/what-is-there"),
  63: attack("catalogue/eval-and-function"),
  64: attack("catalogue/wasm-compile"),
  65: attack("catalogue/console-methods"),
  66: attack("given/atomics-wait"),
  67: attack("catalogue/clocks"),
  // What comes back, against the running proxy.
  68: dataPlane("an assigned prototype"),
  69: dataPlane("a line break in a header"),
  70: operations("169.254.169.254"),
  71: dataPlane("another host"),
  72: dataPlane("a credential of its own"),
  73: dataPlane("a cycle"),
  74: dataPlane("a getter"),
  75: dataPlane("toJSON"),
  76: dataPlane("lone surrogates"),
  77: dataPlane("keys of Object.prototype"),
  78: operations("of another group"),
  79: { file: "test/security/reply-plane.test.ts", text: "without the grant" },
  80: attack("catalogue/sparse-list-in-the-request"),
  // Those who compile.
  81: toolchain("81: "),
  82: toolchain("82: "),
  83: toolchain("83: "),
  84: toolchain("84: "),
  85: toolchain("85: "),
  86: toolchain("86: "),
  87: toolchain("87: "),
  88: toolchain("88: "),
};
