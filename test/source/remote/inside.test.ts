// Which addresses lead nowhere but into a network.
import { describe, expect, test } from "bun:test";
import { isInside } from "../../../src/source/remote/inside.ts";

/** As the resolver writes it, or as `URL` does what a person may write. */
const cases: { readonly address: string; readonly expected: boolean }[] = [
  { address: "127.0.0.1", expected: true },
  { address: "127.255.255.254", expected: true },
  { address: "0.0.0.0", expected: true },
  { address: "10.1.2.3", expected: true },
  { address: "100.64.0.1", expected: true },
  { address: "100.128.0.1", expected: false },
  { address: "169.254.169.254", expected: true },
  { address: "172.15.0.1", expected: false },
  { address: "172.16.0.1", expected: true },
  { address: "172.31.255.255", expected: true },
  { address: "172.32.0.1", expected: false },
  { address: "192.168.0.1", expected: true },
  { address: "192.169.0.1", expected: false },
  { address: "224.0.0.1", expected: true },
  { address: "255.255.255.255", expected: true },
  { address: "8.8.8.8", expected: false },
  { address: "::", expected: true },
  { address: "::1", expected: true },
  { address: "::ffff:127.0.0.1", expected: true },
  { address: "::ffff:7f00:1", expected: true },
  { address: "::ffff:8.8.8.8", expected: false },
  { address: "::10.0.0.1", expected: true },
  { address: "64:ff9b::10.0.0.1", expected: true },
  { address: "64:ff9b::8.8.8.8", expected: false },
  { address: "2002:7f00:1::", expected: true },
  { address: "2002:808:808::", expected: false },
  { address: "fe80::1%eth0", expected: true },
  { address: "febf::1", expected: true },
  { address: "fec0::1", expected: true },
  { address: "fd12:3456::1", expected: true },
  { address: "ff02::1", expected: true },
  { address: "2606:4700::1111", expected: false },
  { address: "2001:4860:4860:0:0:0:0:8888", expected: false },
  { address: "no address", expected: true },
  { address: "", expected: true },
];

test.each(cases)("$address: $expected", ({ address, expected }) => {
  expect(isInside(address)).toBe(expected);
});

describe("a loopback address stays one, however it is written:", () => {
  const hosts = [
    "0x7f.1",
    "2130706433",
    "127.1",
    "0177.0.0.1",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "127。0。0。1",
  ];
  test.each(hosts)("%s", (host) => {
    expect(isInside(new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, ""))).toBe(true);
  });
});
