// Who is at the other end of a connection on this machine, as the kernel says it.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openNeighbours } from "../../src/hub/neighbours.ts";

setDefaultTimeout(30_000);

const isLinux = process.platform === "linux";

test.skipIf(!isLinux).each(["127.0.0.1", "127.0.0.9", "::1"])(
  "is ourselves when we connect to %s",
  async (hostname) => {
    const came = Promise.withResolvers<{ address: string; port: number }>();
    using server = Bun.listen({
      hostname,
      port: 0,
      socket: {
        data() {},
        open: ({ remoteAddress, remotePort }) => came.resolve({ address: remoteAddress, port: remotePort }),
      },
    });
    const socket = await Bun.connect({ hostname, port: server.port, socket: { data() {} } });
    expect(await openNeighbours(() => server.port).userOf(await came.promise)).toBe(process.getuid!());
    expect(await openNeighbours(() => server.port + 1).userOf(await came.promise)).toBeUndefined();
    socket.end();
  },
);

describe.skipIf(!isLinux)("in the words of the kernel it", () => {
  const PORT = () => 0xe6aa;
  const row = (local: string, remote: string, user: number) =>
    `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000 ${String(user).padStart(5)}        0 1 1\n`;
  const tables =
    row("0100007F:E6AA", "00000000:0000", 1) +
    row("0100007F:C350", "0100007F:0050", 2) + // a connection of the same port to another one
    row("0200007F:C350", "0100007F:E6AA", 3) +
    row("0100007F:C350", "0100007F:E6AA", 4) +
    row("0100007F:E6AA", "0100007F:C350", 5) + // our end
    row("0000000000000000FFFF00000100007F:C351", "0000000000000000FFFF00000100007F:E6AA", 6) +
    row("00000000000000000000000001000000:C350", "00000000000000000000000001000000:E6AA", 7);
  const cases = [
    { address: "127.0.0.1", port: 0xc350, expected: 4 },
    { address: "::ffff:127.0.0.1", port: 0xc350, expected: 4 },
    { address: "127.0.0.2", port: 0xc350, expected: 3 },
    { address: "127.0.0.1", port: 0xc351, expected: 6 },
    { address: "::1", port: 0xc350, expected: 7 },
    { address: "127.0.0.1", port: 0xc352, expected: undefined },
  ];
  test.each(cases)("is $expected for $address:$port", async ({ expected, ...neighbour }) => {
    expect(await openNeighbours(PORT, async () => tables).userOf(neighbour)).toBe(expected);
  });

  test("is read once for all who ask meanwhile, and again for who asks later; nobody is told where it cannot be", async () => {
    let reads = 0;
    const { userOf } = openNeighbours(PORT, async () => {
      if (++reads === 3) throw new Error("EMFILE");
      return tables;
    });
    const ask = () => userOf({ address: "127.0.0.1", port: 0xc350 });
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([4, 4, 4]);
    expect([reads, await ask(), reads]).toEqual([1, 4, 2]);
    expect([await ask(), await ask()]).toEqual([undefined, 4]);
  });
});
