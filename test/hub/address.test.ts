// Where a visitor comes from, and what limits count by.
import { describe, expect, test } from "bun:test";
import { clientAddress, isLoopback, networkOf } from "../../src/hub/address.ts";

describe("this machine is", () => {
  const cases: { input: string; expected: boolean }[] = [
    { input: "127.0.0.1", expected: true },
    { input: "127.255.0.9", expected: true },
    { input: "::1", expected: true },
    { input: "::ffff:127.0.0.1", expected: true },
    { input: "::FFFF:127.0.0.1", expected: true },
    { input: "128.0.0.1", expected: false },
    { input: "10.127.0.1", expected: false },
    { input: "127.evil", expected: false },
    { input: "::ffff:10.0.0.1", expected: false },
    { input: "::2", expected: false },
    { input: "0.0.0.0", expected: false },
    { input: "", expected: false },
  ];
  test.each(cases)("$input: $expected", ({ input, expected }) => {
    expect(isLoopback(input)).toBe(expected);
  });
});

describe("the address of a visitor", () => {
  const cases: { name: string; peer: string; forwardedFor: string | null; proxies?: string[]; expected: string }[] = [
    { name: "is the other end", peer: "10.0.0.7", forwardedFor: null, expected: "10.0.0.7" },
    { name: "is IPv4 where it is mapped", peer: "::ffff:10.0.0.7", forwardedFor: null, expected: "10.0.0.7" },
    { name: "is what a proxy here says", peer: "127.0.0.1", forwardedFor: "10.0.0.7", expected: "10.0.0.7" },
    { name: "is what a proxy here says, with a port", peer: "::1", forwardedFor: "10.0.0.7:99", expected: "10.0.0.7" },
    { name: "is IPv6 with a port", peer: "::1", forwardedFor: "[2001:db8::1]:99", expected: "2001:db8::1" },
    { name: "is not what a stranger says", peer: "10.0.0.7", forwardedFor: "1.2.3.4", expected: "10.0.0.7" },
    {
      name: "is what a named proxy says",
      peer: "10.0.0.7",
      forwardedFor: "1.2.3.4",
      proxies: ["10.0.0.7"],
      expected: "1.2.3.4",
    },
    { name: "is the last that was appended", peer: "::1", forwardedFor: "6.6.6.6, 10.0.0.7", expected: "10.0.0.7" },
    {
      name: "is the first that is no proxy, from the right",
      peer: "127.0.0.1",
      forwardedFor: "6.6.6.6, 1.2.3.4, 10.0.0.7",
      proxies: ["10.0.0.7"],
      expected: "1.2.3.4",
    },
    { name: "has no zone", peer: "::1", forwardedFor: `fe80::1%${"z".repeat(3000)}`, expected: "fe80::1" },
    { name: "has no zone beside a port", peer: "::1", forwardedFor: "[fe80::1%25eth0]:99", expected: "fe80::1" },
    { name: "is the proxy's if it says nonsense", peer: "::1", forwardedFor: "unknown", expected: "::1" },
    { name: "is the proxy's if it says nothing", peer: "::1", forwardedFor: "", expected: "::1" },
  ];
  test.each(cases)("$name", ({ peer, forwardedFor, proxies = [], expected }) => {
    expect(clientAddress(peer, forwardedFor, proxies)).toBe(expected);
  });
});

describe("limits count by", () => {
  const cases: { input: string; expected: string }[] = [
    { input: "10.0.0.7", expected: "10.0.0.7" },
    { input: "2001:db8:1:2:3:4:5:6", expected: "2001:db8:1:2::/64" },
    { input: "2001:db8:1:2::9", expected: "2001:db8:1:2::/64" },
    { input: "2001:db8::9", expected: "2001:db8:0:0::/64" },
    { input: "::1", expected: "0:0:0:0::/64" },
    { input: "::", expected: "0:0:0:0::/64" },
    { input: "fe80::1%eth0", expected: "fe80:0:0:0::/64" },
    { input: "", expected: "" },
  ];
  test.each(cases)("$expected for $input", ({ input, expected }) => {
    expect(networkOf(input)).toBe(expected);
  });
});
