/** What user code returned cannot be taken: its outcome is void and its policy decides. */
export class RefusedResult extends Error {
  override readonly name = "RefusedResult";
  /** Where, e.g. `messages[3].content`; empty for the whole. */
  readonly path: string;

  /** @param message says what it is that cannot be taken */
  constructor(message: string, path: string = "", options?: ErrorOptions) {
    super(path === "" ? message : `${path}: ${message}`, options);
    this.path = path;
  }
}
