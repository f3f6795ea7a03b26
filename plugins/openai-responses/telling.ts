/** What the tellers of items share while one reply is told. */

import type { JsonObject } from "../../sdk/events.ts";
import type { JsonRecord } from "../../sdk/hub/json.ts";
import type { MessageWriter } from "../../sdk/hub/message-writer.ts";
import type { ToolNames } from "../../sdk/hub/tool-names.ts";
import type { Note } from "../../sdk/wire.ts";
import type { StopSequences } from "./stop-sequences.ts";

export interface Telling {
  readonly writer: MessageWriter;
  readonly names: ToolNames;
  readonly producer: string;
  readonly stops: StopSequences;
  /** Notes the same thing once. */
  readonly note: Note;
  /** The model declined to answer. */
  readonly refuse: () => void;
  /** A stop sequence was found: nothing is told from here on. */
  readonly cut: (sequence: string) => void;
  /** A search was made. */
  readonly searched: () => void;
}

/** Tells one item as its events come. */
export interface ItemTeller {
  push(type: string, event: JsonObject): void;
  /**
   * Ends the item; what no event told of is told now.
   * @param item as it is in the end; undefined where nobody said
   */
  close(item: JsonRecord | undefined): void;
}

/** What of a whole text is yet to be told, by how much of it was. */
export function rest(whole: string | undefined, told: number): string {
  return whole === undefined || whole.length <= told ? "" : whole.slice(told);
}
