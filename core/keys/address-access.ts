/** From which addresses a key may be used. */

import { BlockList, isIP, isIPv4 } from "node:net";

/** Whether a text is an address of IPv4 or IPv6, or a block of them such as `10.0.0.0/8`. */
export function isAddressBlock(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  // IPv4 in the clothes of IPv6 would be neither of both.
  if (isIP(address) === 0 || address.includes("%") || rest.length > 0 || isMapped(address)) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsOf(address));
}

/**
 * @param blocks none: every address is allowed
 * @param address as the socket has it; undefined where that is not known, which is in no block
 */
export function isAddressAllowed(blocks: readonly string[], address: string | undefined): boolean {
  if (blocks.length === 0) return true;
  // The zone of a link-local address names an interface of this machine.
  const bare = address?.replace(/%.*$/s, "");
  if (bare === undefined || isIP(bare) === 0) return false;
  const list = new BlockList();
  const isV4 = isIPv4(bare) || isMapped(bare);
  // One that cannot be read lets nobody in.
  for (const block of blocks.filter(isAddressBlock)) {
    const [start = "", bits] = block.split("/");
    if (isIPv4(start) !== isV4) continue;
    list.addSubnet(start, bits === undefined ? bitsOf(start) : Number(bits), familyOf(start));
  }
  return list.check(bare, familyOf(bare));
}

const mapped = new BlockList();
mapped.addSubnet("::ffff:0:0", 96, "ipv6");

/** An address of IPv4 as a socket of IPv6 has it: `::ffff:10.0.0.1`. */
function isMapped(address: string): boolean {
  return !isIPv4(address) && mapped.check(address, "ipv6");
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

export function bitsOf(address: string): number {
  return isIPv4(address) ? 32 : 128;
}
