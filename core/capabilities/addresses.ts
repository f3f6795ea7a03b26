/** Which addresses on the network user code may reach: public ones, and nothing that means this machine or the network it is in. */

import { BlockList, isIP } from "node:net";

/** From the registries of special-purpose addresses; what is not globally reachable, and two that clouds use for their own. */
const refusedV4: readonly (readonly [network: string, prefix: number, what: string])[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "carrier-grade NAT"],
  ["127.0.0.0", 8, "loopback"],
  ["168.63.129.16", 32, "metadata of a cloud"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "protocol assignments"],
  ["192.0.2.0", 24, "documentation"],
  ["192.31.196.0", 24, "AS112"],
  ["192.52.193.0", 24, "AMT"],
  ["192.88.99.0", 24, "6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["192.175.48.0", 24, "AS112"],
  ["198.18.0.0", 15, "benchmarks"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];

/** Within 2000::/3; everything outside of it (loopback, ULA, link-local, multicast, mapped, NAT64) is refused as a whole. */
const refusedV6: readonly (readonly [network: string, prefix: number, what: string])[] = [
  ["2001::", 23, "protocol assignments, Teredo"],
  ["2001:db8::", 32, "documentation"],
  ["2002::", 16, "6to4"],
  ["2620:4f:8000::", 48, "AS112"],
  ["3fff::", 20, "documentation"],
];

type Family = "ipv4" | "ipv6";

function list(family: Family, ...networks: readonly (readonly [network: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}

const refused: readonly { readonly list: BlockList; readonly family: Family; readonly what: string }[] = [
  ...refusedV4.map(([network, prefix, what]) => ({ list: list("ipv4", [network, prefix]), family: "ipv4" as const, what })),
  ...refusedV6.map(([network, prefix, what]) => ({ list: list("ipv6", [network, prefix]), family: "ipv6" as const, what })),
];
const globalV6 = list("ipv6", ["2000::", 3]);
const loopbackV4 = list("ipv4", ["127.0.0.0", 8]);
const loopbackV6 = list("ipv6", ["::1", 128]);

/** Says why an address must not be reached, e.g. `loopback`; undefined when it is public. */
export function describeRefused(address: string): string | undefined {
  const family = familyOf(address);
  if (family === undefined) return "not an address";
  // Asked by family: a list of IPv4 networks also matches the addresses mapped from them, others would slip through.
  if (family === "ipv6" && !globalV6.check(address, "ipv6")) return "not public";
  return refused.find((entry) => entry.family === family && entry.list.check(address, family))?.what;
}

export function isLoopback(address: string): boolean {
  const family = familyOf(address);
  return family === "ipv4" ? loopbackV4.check(address, "ipv4") : family === "ipv6" && loopbackV6.check(address, "ipv6");
}

function familyOf(address: string): Family | undefined {
  switch (isIP(address)) {
    case 4:
      return "ipv4";
    case 6:
      // A zone means an address of this link, whatever it looks like.
      return address.includes("%") ? undefined : "ipv6";
    default:
      return undefined;
  }
}
