// What the kernel says of every TCP socket (proc(5), /proc/net/tcp): which user of this machine is at the other end of a loopback
// connection, and how much a peer has not taken.
import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";

/** The other end of a connection. */
export type Neighbour = { readonly address: string; readonly port: number };

export type Neighbours = {
  /** The user's number; undefined where the kernel does not say. */
  userOf(neighbour: Neighbour): Promise<number | undefined>;
  /** How many bytes the kernel holds that each peer has not acknowledged; undefined for one of which it does not say. */
  unacknowledged(): Promise<(peer: Neighbour) => number | undefined>;
};

/** Reading takes 4 ms for a thousand sockets, in another thread: no more than a tenth of the time. */
const REST = 9;

/** `port`: at our end. */
export function openNeighbours(port: () => number, read: () => Promise<string> = readTables): Neighbours {
  let last: Promise<unknown> = Promise.resolve();
  let coming: Promise<string> | undefined;
  let restUntil = 0;

  /** One that begins after it was asked for, for all who ask until then. */
  async function look(): Promise<string> {
    await last;
    await Bun.sleep(Math.max(0, restUntil - performance.now()));
    coming = undefined;
    const startedAt = performance.now();
    const tables = read().catch(() => "");
    last = tables.then(() => void (restUntil = performance.now() + REST * (performance.now() - startedAt)));
    return tables;
  }

  const tables = () => (process.platform === "linux" ? (coming ??= look()) : Promise.resolve(""));

  return {
    userOf: async (neighbour) => userIn(await tables(), neighbour, port()),
    async unacknowledged() {
      const queues = queuesIn(await tables(), port());
      return ({ address, port }) => queues.get(`${hexAddress(address)}:${hexPort(port)}`);
    },
  };
}

const readTables = async () =>
  (await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "latin1")))).join("");

/** `local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid`, of the socket that is connected to our port. */
function userIn(tables: string, { address, port }: Neighbour, serverPort: number): number | undefined {
  const end = `${hexAddress(address)}:${hexPort(port)} `;
  for (let at = tables.indexOf(end); at >= 0; at = tables.indexOf(end, at + 1)) {
    const [, remote, , , , , user] = tables.slice(at, tables.indexOf("\n", at)).split(/ +/);
    if (remote?.endsWith(`:${hexPort(serverPort)}`)) return Number(user);
  }
  return undefined;
}

/** `tx_queue` of all sockets of our port, by their other end. */
function queuesIn(tables: string, serverPort: number): Map<string, number> {
  const queues = new Map<string, number>();
  const rows = new RegExp(
    `:${hexPort(serverPort)} (?:0{16}FFFF0{4})?([0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):`,
    "g",
  );
  for (const [, remote, queue] of tables.matchAll(rows)) queues.set(remote!, Number.parseInt(queue!, 16));
  return queues;
}

const hexPort = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");

/** As the kernel prints it: words of the machine's order, here little-endian; an IPv4-mapped address ends as the IPv4 address does. */
function hexAddress(address: string): string {
  const plain = address
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, "")
    .replace(/%.*$/, "");
  if (isIPv4(plain)) return Buffer.from(plain.split(".").map(Number)).swap32().toString("hex").toUpperCase();
  const [head = "", tail = ""] = plain.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail.split(":").filter(Boolean);
  const groups = [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after];
  const hex = groups.map((group) => group.padStart(4, "0")).join("");
  return Buffer.from(hex.padEnd(32, "0"), "hex").swap32().toString("hex").toUpperCase();
}
