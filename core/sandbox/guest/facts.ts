/** Facts as user code reads them. */

import type { FactValues } from "../../../sdk/context.ts";
import type { CallFacts, LateFact } from "../late-facts.ts";

/** Facts of a call as JSON, or parsed already for several units: then it holds plain values only, and belongs to another context. */
export type FactsSource = string | SharedFacts;

/** Not to be seen by user code: with it would come the constructors of its context. */
export type SharedFacts = Omit<FactValues, LateFact> & { readonly [Late in LateFact]?: undefined };

type ReadLate = (name: LateFact) => unknown;

/** @param readLate gives a fact that is not among them, in phases that see the request; may throw */
export function readFacts(source: FactsSource, readLate: ReadLate | undefined): FactValues {
  const facts = typeof source === "string" ? (JSON.parse(source) as CallFacts) : source;
  if (readLate === undefined) return facts as FactValues;
  return new Facts(facts, (name) => facts[name] ?? readLate(name));
}

/**
 * This run's own copy, not frozen: that would take longer than making it. The late ones are getters of the class,
 * since getters of each object would take several times as long as everything else about it.
 */
class Facts implements FactValues {
  readonly model: string;
  readonly stream: boolean;
  readonly session: string | undefined;
  readonly client: FactValues["client"];
  readonly requestClass: FactValues["requestClass"];
  readonly agentId: string | undefined;
  readonly agentType: string | undefined;
  readonly thinking: FactValues["thinking"];
  readonly effort: string | undefined;
  readonly messageCount: number;
  readonly bodyBytes: number;
  readonly #late: ReadLate;

  constructor(facts: Omit<FactValues, LateFact>, late: ReadLate) {
    this.model = facts.model;
    this.stream = facts.stream;
    this.session = facts.session;
    this.client = facts.client;
    this.requestClass = facts.requestClass;
    this.agentId = facts.agentId;
    this.agentType = facts.agentType;
    this.thinking = facts.thinking;
    this.effort = facts.effort;
    this.messageCount = facts.messageCount;
    this.bodyBytes = facts.bodyBytes;
    this.#late = late;
  }

  get toolNames(): readonly string[] {
    return this.#late("toolNames") as readonly string[];
  }
  get toolTypes(): readonly string[] {
    return this.#late("toolTypes") as readonly string[];
  }
  get usedToolNames(): readonly string[] {
    return this.#late("usedToolNames") as readonly string[];
  }
  get hasImage(): boolean {
    return this.#late("hasImage") as boolean;
  }

  /** All of them, so that they can be logged. */
  toJSON(): FactValues {
    const { toolNames, toolTypes, usedToolNames, hasImage } = this;
    return { ...Object.fromEntries(Object.entries(this)), toolNames, toolTypes, usedToolNames, hasImage } as FactValues;
  }
}
Object.freeze(Facts);
Object.freeze(Facts.prototype);

/** @param text JSON of the facts. @returns the text where sharing them would hand over more than plain values */
export function shareFacts(text: string): FactsSource {
  const facts: unknown = JSON.parse(text);
  return hasPlainValues(facts) ? facts : text;
}

function hasPlainValues(facts: unknown): facts is SharedFacts {
  return Object.values(facts as object).every((value) => typeof value !== "object" || value === null);
}
