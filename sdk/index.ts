/** For authors of rules and hooks. */

export type { Change, Json, RequestBody, Span } from "./body.ts";
export { ProxyError, type ErrorKind } from "./errors.ts";
export type { ClientKind, Facts, HeaderReader, RequestClass, ThinkingMode } from "./facts.ts";
export type { Rule, RuleRequest, RuleVerdict, TokenCounter, TokenCountMode } from "./rule.ts";
