/** For authors of rules and hooks: `import { defineRule, defineHook } from "ccproxy/sdk"`. Runs inside the sandbox. */

export type { Json } from "./body.ts";
export type * from "./context.ts";
export * from "./define.ts";
export type { ClientKind, RequestClass, ThinkingMode } from "./facts.ts";
export type * from "./messages.ts";
export { matchesName, matchesTarget } from "./match.ts";
export { param, type Param, type ParamShape, type ParamsOf } from "./params.ts";
export { lastUserText, mapStrings, mapText, textOf, type MapTextOptions } from "./text.ts";
