/** Whether one list of addresses lies within another one. */

import { isIPv4 } from "node:net";

import { bitsOf, isAddressAllowed, isAddressBlock } from "./address-access.ts";

/**
 * @param blocks none: every address
 * @returns whether whatever the one list allows is allowed by a single block of the other, too
 */
export function coversAddresses(blocks: readonly string[], wanted: readonly string[]): boolean {
  if (blocks.length === 0) return true;
  if (wanted.length === 0) return false;
  // What cannot be read allows nothing.
  const own = blocks.filter(isAddressBlock);
  return wanted.filter(isAddressBlock).every((block) => {
    const [start = "", bits] = block.split("/");
    return own.some((each) => isWithin(each, start, bits === undefined ? bitsOf(start) : Number(bits)));
  });
}

/** A block of as many fixed bits or more lies within the other one when its first address does. */
function isWithin(outer: string, start: string, bits: number): boolean {
  const [outerStart = "", outerBits] = outer.split("/");
  if (isIPv4(outerStart) !== isIPv4(start)) return false;
  return bits >= (outerBits === undefined ? bitsOf(outerStart) : Number(outerBits)) && isAddressAllowed([outer], start);
}
