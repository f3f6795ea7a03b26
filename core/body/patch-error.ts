/** The refusal of a patch, and the names of places in it. */

const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/;
/** Keys come from anywhere; a path is for reading. */
const LONGEST_KEY = 80;

/** A patch that cannot be applied: the message names the JSON path and holds no text of the body or the patch. */
export class PatchError extends Error {
  override readonly name = "PatchError";
  /** E.g. `messages[3].content`; empty for the document itself. */
  readonly path: string;

  constructor(path: string, found: string) {
    super(`The change of ${path === "" ? "the document" : path} was refused: ${found}.`);
    this.path = path;
  }
}

/** `messages`, `metadata.user_id`, `metadata["user id"]`. */
export function memberPath(path: string, key: string): string {
  if (!PLAIN_NAME.test(key) || key.length > LONGEST_KEY) return `${path}[${JSON.stringify(key.slice(0, LONGEST_KEY))}]`;
  return path === "" ? key : `${path}.${key}`;
}
