/** SHA-256 and HMAC, for pseudonyms: an isolate has no crypto of its own. */

/** Made when first used: most contexts never hash. */
let tables: { readonly roundConstants: Uint32Array; readonly initialState: Uint32Array } | undefined;

function getTables(): NonNullable<typeof tables> {
  tables ??= {
    roundConstants: Uint32Array.from({ length: 64 }, (_, index) => fraction(Math.cbrt(prime(index)))),
    initialState: Uint32Array.from({ length: 8 }, (_, index) => fraction(Math.sqrt(prime(index)))),
  };
  return tables;
}

const blockBytes = 64;

/** The state after the key's own block, to which a message is added. */
export interface HmacKey {
  readonly inner: Uint32Array;
  readonly outer: Uint32Array;
}

/** @param key at most 64 bytes */
export function hmacKey(key: Uint8Array): HmacKey {
  const block = (mask: number): Uint32Array => {
    const bytes = new Uint8Array(blockBytes).fill(mask);
    for (let index = 0; index < key.length; index += 1) bytes[index] = (key[index] ?? 0) ^ mask;
    const state = getTables().initialState.slice();
    compress(state, bytes, 0);
    return state;
  };
  return { inner: block(0x36), outer: block(0x5c) };
}

/** HMAC-SHA-256. @returns 32 bytes */
export function hmac(key: HmacKey, message: Uint8Array): Uint8Array {
  return finish(key.outer.slice(), finish(key.inner.slice(), message));
}

/** Adds the message and the padding to a state that has seen one block. */
function finish(state: Uint32Array, message: Uint8Array): Uint8Array {
  const whole = message.length - (message.length % blockBytes);
  for (let at = 0; at < whole; at += blockBytes) compress(state, message, at);
  const rest = message.length - whole;
  const tail = new Uint8Array(rest < 56 ? blockBytes : 2 * blockBytes);
  tail.set(message.subarray(whole));
  tail[rest] = 0x80;
  const bits = (blockBytes + message.length) * 8;
  const view = new DataView(tail.buffer);
  view.setUint32(tail.length - 8, Math.floor(bits / 0x1_0000_0000));
  view.setUint32(tail.length - 4, bits >>> 0);
  for (let at = 0; at < tail.length; at += blockBytes) compress(state, tail, at);
  const digest = new Uint8Array(32);
  const digestView = new DataView(digest.buffer);
  for (let index = 0; index < 8; index += 1) digestView.setUint32(index * 4, state[index] ?? 0);
  return digest;
}

const schedule = new Uint32Array(64);

function compress(state: Uint32Array, bytes: Uint8Array, at: number): void {
  const { roundConstants } = getTables();
  const w = schedule;
  for (let i = 0; i < 16; i += 1) {
    const byte = at + i * 4;
    w[i] = ((bytes[byte] ?? 0) << 24) | ((bytes[byte + 1] ?? 0) << 16) | ((bytes[byte + 2] ?? 0) << 8) | (bytes[byte + 3] ?? 0);
  }
  for (let i = 16; i < 64; i += 1) {
    const early = w[i - 15] ?? 0;
    const late = w[i - 2] ?? 0;
    const s0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const s1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    w[i] = (w[i - 16] ?? 0) + s0 + (w[i - 7] ?? 0) + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (roundConstants[i] ?? 0) + (w[i] ?? 0)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const sums = [a, b, c, d, e, f, g, h];
  for (let i = 0; i < 8; i += 1) state[i] = (state[i] ?? 0) + (sums[i] ?? 0);
}

function rotate(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}

/** The first 32 bits behind the point. */
function fraction(value: number): number {
  return ((value - Math.floor(value)) * 0x1_0000_0000) >>> 0;
}

function prime(index: number): number {
  let candidate = 2;
  for (let found = 0; ; candidate += 1) {
    let isPrime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) isPrime = false;
    if (isPrime && found++ === index) return candidate;
  }
}
