/** A refusal or failure of an operation in words that user code may see: short, and without secrets. */
export class CapabilityError extends Error {
  override readonly name = "CapabilityError";
}
