// Which user of this machine is at the other end of a loopback connection: the kernel says so of every TCP socket (proc(5), /proc/net/tcp).
import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";

/** The other end of a connection from this machine. */
export type Neighbour = { readonly address: string; readonly port: number };

export type Neighbours = {
  /** The user's number; undefined where the kernel does not say. */
  userOf(neighbour: Neighbour): Promise<number | undefined>;
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

  return {
    async userOf(neighbour) {
      if (process.platform !== "linux") return undefined;
      return userIn(await (coming ??= look()), neighbour, port());
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

const hexPort = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");

/** As the kernel prints it: words of the machine's order, here little-endian; an IPv4-mapped address ends as the IPv4 address does. */
function hexAddress(address: string): string {
  const plain = address.replace(/^::ffff:/i, "");
  if (!isIPv4(plain)) return "00000000000000000000000001000000"; // ::1
  return Buffer.from(plain.split(".").map(Number).reverse()).toString("hex").toUpperCase();
}
