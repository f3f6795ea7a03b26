import { describe, expect, test } from "vitest";

import { describeRefused, isLoopback } from "../../../core/capabilities/addresses.ts";

const refused: readonly (readonly [address: string, what: string])[] = [
  ["0.0.0.0", "this network"],
  ["0.1.2.3", "this network"],
  ["10.0.0.1", "private"],
  ["10.255.255.255", "private"],
  ["100.64.0.1", "carrier-grade NAT"],
  ["100.100.100.200", "carrier-grade NAT"],
  ["100.127.255.255", "carrier-grade NAT"],
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["168.63.129.16", "metadata of a cloud"],
  ["169.254.169.254", "link-local"],
  ["169.254.170.2", "link-local"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.0.0.192", "protocol assignments"],
  ["192.0.2.1", "documentation"],
  ["192.88.99.1", "6to4 relay"],
  ["192.168.1.1", "private"],
  ["198.18.0.1", "benchmarks"],
  ["198.19.255.255", "benchmarks"],
  ["198.51.100.7", "documentation"],
  ["203.0.113.7", "documentation"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.250", "multicast"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "reserved"],
  ["::", "not public"],
  ["::1", "not public"],
  ["::127.0.0.1", "not public"],
  ["::ffff:127.0.0.1", "not public"],
  ["::ffff:a9fe:a9fe", "not public"],
  ["::ffff:8.8.8.8", "not public"],
  ["64:ff9b::7f00:1", "not public"],
  ["64:ff9b:1::1", "not public"],
  ["100::1", "not public"],
  ["fc00::1", "not public"],
  ["fd00:ec2::254", "not public"],
  ["fe80::1", "not public"],
  ["fec0::1", "not public"],
  ["ff02::1", "not public"],
  ["5f00::1", "not public"],
  ["4000::1", "not public"],
  ["2001::1", "protocol assignments, Teredo"],
  ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "protocol assignments, Teredo"],
  ["2001:10::1", "protocol assignments, Teredo"],
  ["2001:db8::1", "documentation"],
  ["2002:7f00:1::1", "6to4"],
  ["2002:a00:1::1", "6to4"],
  ["3fff::1", "documentation"],
  ["fe80::1%eth0", "not an address"],
  ["2606:4700::1%lo", "not an address"],
  ["example.com", "not an address"],
  ["127.1", "not an address"],
  ["", "not an address"],
];

describe("an address that user code must not reach", () => {
  test.each(refused)("%s is refused: %s", (address, what) => {
    expect(describeRefused(address)).toBe(what);
  });
});

describe("a public address", () => {
  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2001:200::1",
    "2606:4700::1111",
    "2a00:1450::1",
    "3ffe::1",
  ])("%s may be reached", (address) => {
    expect(describeRefused(address)).toBeUndefined();
  });
});

test("loopback is the whole of 127.0.0.0/8 and ::1, and nothing that is mapped to it", () => {
  expect(["127.0.0.1", "127.9.9.9", "::1"].map(isLoopback)).toEqual([true, true, true]);
  expect(["128.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1", "fe80::1", "localhost", "::1%lo"].some(isLoopback)).toBe(false);
});
