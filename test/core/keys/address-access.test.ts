import { expect, test } from "vitest";

import { isAddressAllowed, isAddressBlock } from "../../../core/keys/address-access.ts";

test.each([
  [[], "203.0.113.5", true],
  [[], undefined, true],
  [["10.0.0.0/8"], "10.255.0.1", true],
  [["10.0.0.0/8"], "11.0.0.1", false],
  [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
  [["10.0.0.0/8"], "::ffff:0b01:0203", false],
  [["10.1.2.3"], "10.1.2.3", true],
  [["10.1.2.3"], "10.1.2.4", false],
  [["0.0.0.0/0"], "2001:db8::1", false],
  [["::/0"], "10.0.0.1", false],
  [["::/0"], "::ffff:10.0.0.1", false],
  [["2001:db8::/32"], "2001:db8:1::5", true],
  [["2001:db8::/32"], "2001:db9::5", false],
  [["fe80::/10"], "fe80::1%eth0", true],
  [["127.0.0.1", "::1"], "::1", true],
  [["127.0.0.1"], undefined, false],
  [["127.0.0.1"], "localhost", false],
  [["nonsense", "10.0.0.0/99"], "10.0.0.1", false],
])("with %j, %s is allowed: %s", (blocks, address, isAllowed) => {
  expect(isAddressAllowed(blocks, address)).toBe(isAllowed);
});

test("a block is an address, with as many bits as it has at most", () => {
  for (const text of ["10.0.0.1", "10.0.0.0/0", "::1", "::/128"]) expect(isAddressBlock(text)).toBe(true);
  for (const text of [
    "",
    "10.0.0",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "fe80::1%lo",
    "::ffff:10.0.0.0/104",
    "::ffff:a00:0",
  ])
    expect(isAddressBlock(text), text).toBe(false);
});
