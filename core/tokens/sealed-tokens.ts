/** Guesses the tokens behind encrypted content, of which only the size is known. */

/** Keys, hashes and framing around the ciphertext of a signature. */
const ENVELOPE_BYTES = 250;
/** English thinking, measured with the calibrated tokenizers: 3.3 (newer) to 4.6 (older) bytes a token. */
const BYTES_A_TOKEN = 4;

/**
 * Three bytes stand behind four characters of base64, and ciphertext is as long as the text it hides.
 * A guess by nature: the tokens of sealed text cannot be counted by anyone but the provider.
 *
 * @param base64Bytes characters of the sealed value
 */
export function sealedTokens(base64Bytes: number): number {
  return Math.round(Math.max(0, base64Bytes * 0.75 - ENVELOPE_BYTES) / BYTES_A_TOKEN);
}
