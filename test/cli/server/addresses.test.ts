// The URLs that a person is shown.
import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { hasNetwork, withoutNetwork } from "../../network.ts";
import { addressLines, localUrl, machineNames } from "../../../src/cli/server/addresses.ts";

describe("the URL for this machine", () => {
  const cases = [
    { hostname: "0.0.0.0", expected: "ws://127.0.0.1:80/" },
    { hostname: "::", expected: "ws://[::1]:80/" },
    { hostname: "::1", expected: "ws://[::1]:80/" },
    { hostname: "127.0.0.1", expected: "ws://127.0.0.1:80/" },
    { hostname: "localhost", expected: "ws://localhost:80/" },
    { hostname: "192.0.2.7", expected: "ws://192.0.2.7:80/" },
  ];
  test.each(cases)("of a server on $hostname is $expected", ({ hostname, expected }) => {
    expect(localUrl({ hostname, port: 80 })).toBe(expected);
  });
});

describe("the URLs shown", () => {
  const loopback = { hostname: "127.0.0.1", port: 80 };
  test("hold no token where this machine needs none", () => {
    expect(addressLines(loopback, "secret", false)).toEqual([
      "  this machine  ws://127.0.0.1:80/",
      "  in a browser  http://127.0.0.1:80/",
    ]);
  });

  test("hold the token where everyone needs it", () => {
    expect(addressLines(loopback, "secret", true)).toEqual([
      "  this machine  ws://127.0.0.1:80/?token=secret",
      "  in a browser  http://127.0.0.1:80/?token=secret",
    ]);
  });

  test.skipIf(!hasNetwork)(`name the network, and with the token it asks for${withoutNetwork}`, () => {
    const network = (token: string | undefined) =>
      addressLines({ hostname: "0.0.0.0", port: 80 }, token, false).slice(2);
    expect(network("secret")).not.toEqual([]);
    for (const line of network("secret")) expect(line).toMatch(/^ {2}network {7}ws:\/\/[\d.]+:80\/\?token=secret$/);
    expect(network(undefined)).not.toEqual([]);
    for (const line of network(undefined)) expect(line).toMatch(/^ {2}network {7}ws:\/\/[\d.]+:80\/$/);
  });

  test("escape a token that a URL would read otherwise", () => {
    const [line] = addressLines(loopback, "a+b/c=d~", true);
    const url = new URL(line!.trim().split(/\s+/).at(-1)!);
    expect(url.searchParams.get("token")).toBe("a+b/c=d~");
  });
});

test("this machine goes by its name, in lower case", () => {
  expect(machineNames()).toContain(hostname().toLowerCase());
  expect(machineNames()).toContain(`${hostname().toLowerCase()}.local`);
});
