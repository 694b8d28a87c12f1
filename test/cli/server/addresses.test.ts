// The URLs that a person is shown.
import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { hasNetwork, withoutNetwork } from "../../network.ts";
import { addressLines, isReachedLocally, localUrl, machineNames } from "../../../src/cli/server/addresses.ts";

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

describe("a server is reached from this machine as itself", () => {
  const here = ["0.0.0.0", "::", "[::]", "127.0.0.1", "127.1.2.3", "::1", "localhost", "csv.localhost"];
  const elsewhere = ["192.168.1.20", "10.0.0.1", "fe80::1", "vm", "127.example", "2001:db8::1"];
  test.each([...here.map((host) => [host, true] as const), ...elsewhere.map((host) => [host, false] as const)])(
    "on %s: %p",
    (host, expected) => {
      expect(isReachedLocally(host)).toBe(expected);
    },
  );
});

describe("the URLs shown", () => {
  const NETWORKS = ["192.0.2.7", "198.51.100.9"];

  const loopback = { hostname: "127.0.0.1", port: 80 };
  test("are for a browser here and on each network, and for programs; no token is needed here", () => {
    const everywhere = { hostname: "0.0.0.0", port: 80 };
    expect(addressLines(everywhere, { token: "secret", everywhere: false }, NETWORKS)).toEqual([
      "     Open http://127.0.0.1:80/",
      "  Network http://192.0.2.7:80/?token=secret",
      "  Network http://198.51.100.9:80/?token=secret",
      "WebSocket ws://127.0.0.1:80/",
    ]);
  });

  test("hold the token where everyone needs it", () => {
    expect(addressLines(loopback, { token: "secret", everywhere: true }, NETWORKS)).toEqual([
      "     Open http://127.0.0.1:80/?token=secret",
      "WebSocket ws://127.0.0.1:80/?token=secret",
    ]);
  });

  test("hold none where nobody needs it, or nobody is to see it", () => {
    const secure = { hostname: "::", port: 80, scheme: "wss" } as const;
    expect(addressLines(secure, { token: undefined, everywhere: true }, NETWORKS)).toEqual([
      "     Open https://[::1]:80/",
      "  Network https://192.0.2.7:80/",
      "  Network https://198.51.100.9:80/",
      "WebSocket wss://[::1]:80/",
    ]);
  });

  test.skipIf(!hasNetwork)(`name the networks of this machine${withoutNetwork}`, () => {
    const lines = addressLines({ hostname: "0.0.0.0", port: 80 }, { token: "secret", everywhere: false }).slice(1, -1);
    expect(lines).not.toEqual([]);
    for (const line of lines) expect(line).toMatch(/^ {2}Network http:\/\/[\d.]+:80\/\?token=secret$/);
  });

  test("escape a token that a URL would read otherwise", () => {
    const [line] = addressLines(loopback, { token: "a+b/c=d~", everywhere: true }, []);
    const url = new URL(line!.trim().split(/\s+/).at(-1)!);
    expect(url.searchParams.get("token")).toBe("a+b/c=d~");
  });
});

test("this machine goes by its name, in lower case", () => {
  expect(machineNames()).toContain(hostname().toLowerCase());
  expect(machineNames()).toContain(`${hostname().toLowerCase()}.local`);
});
