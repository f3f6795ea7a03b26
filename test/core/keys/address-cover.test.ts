import { expect, test } from "vitest";

import { coversAddresses } from "../../../core/keys/address-cover.ts";

test.each([
  [[], [], true],
  [[], ["10.0.0.1"], true],
  [["10.0.0.0/8"], [], false],
  [["10.0.0.0/8"], ["10.2.0.0/16", "10.0.0.1"], true],
  [["10.0.0.0/8"], ["10.0.0.0/7"], false],
  [["10.0.0.0/8"], ["10.2.0.0/16", "11.0.0.1"], false],
  [["10.0.0.1"], ["10.0.0.1/32"], true],
  [["::/0"], ["10.0.0.1"], false],
  [["::/0"], ["2001:db8::/32"], true],
  [["2001:db8::/32"], ["2001:db8::/31"], false],
])("%j covers %j: %s", (blocks, wanted, isCovered) => {
  expect(coversAddresses(blocks, wanted)).toBe(isCovered);
});
