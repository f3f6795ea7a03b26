/** Facts of a request in a client's dialect that is not the hub's: its head is known at once, the rest costs the translation. */

import type { RequestBody } from "../../sdk/body.ts";
import type { RequestHead } from "../../sdk/dialect.ts";
import type { ClientKind, Facts, HeaderReader, RequestClass, ThinkingMode } from "../../sdk/facts.ts";
import { MessagesFacts, clientKind } from "../../sdk/hub/facts.ts";

export class TranslatedFacts implements Facts {
  readonly #head: RequestHead;
  readonly #translate: () => RequestBody;
  readonly #headers: HeaderReader;
  /** As it came, not as translated. */
  readonly bodyBytes: number;
  #known: MessagesFacts | undefined;

  constructor(head: RequestHead, bodyBytes: number, translate: () => RequestBody, headers: HeaderReader) {
    this.#head = head;
    this.bodyBytes = bodyBytes;
    this.#translate = translate;
    this.#headers = headers;
  }

  get model(): string {
    return this.#head.model;
  }

  get stream(): boolean {
    return this.#head.stream;
  }

  get session(): string | undefined {
    return this.#head.session;
  }

  get client(): ClientKind {
    return clientKind(this.#headers);
  }

  get requestClass(): RequestClass {
    return this.#all.requestClass;
  }

  get agentId(): string | undefined {
    return this.#headers.get("x-claude-code-agent-id");
  }

  get agentType(): string | undefined {
    return this.#headers.get("x-claude-code-agent-type");
  }

  get thinking(): ThinkingMode {
    return this.#all.thinking;
  }

  get effort(): string | undefined {
    return this.#all.effort;
  }

  get toolNames(): readonly string[] {
    return this.#all.toolNames;
  }

  get toolTypes(): readonly string[] {
    return this.#all.toolTypes;
  }

  get usedToolNames(): readonly string[] {
    return this.#all.usedToolNames;
  }

  get messageCount(): number {
    return this.#all.messageCount;
  }

  get hasImage(): boolean {
    return this.#all.hasImage;
  }

  get #all(): MessagesFacts {
    return (this.#known ??= new MessagesFacts(this.#translate(), this.#headers));
  }
}
