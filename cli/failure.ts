/** The error a command ends with on purpose: its message is all that the user sees. */

export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
