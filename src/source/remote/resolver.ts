// Which addresses the host of a web address has, of those that may be connected to.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isInside } from "./inside.ts";
import { failedRequest, RemoteError } from "./trouble.ts";

/** The addresses of a name. Throws as `dns.lookup` does. */
export type FindAddresses = (name: string) => Promise<readonly string[]>;

/** Addresses of one host that are tried. */
const MAX_ADDRESSES = 4;

const findAddresses: FindAddresses = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/**
 * The addresses of a host, as it is in a `URL`. Those inside of a network only if the first host that is asked for, which is the given
 * one, is inside itself. They are what is to be connected to, so that a name that leads elsewhere a moment later changes nothing.
 * Throws CsvError.
 */
export function openResolver(find: FindAddresses = findAddresses): (hostname: string) => Promise<string[]> {
  let mayBeInside: boolean | undefined;
  return async (hostname) => {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const found = isIP(host) ? [host] : await addressesOf(host);
    mayBeInside ??= found.every(isInside);
    const allowed = mayBeInside ? found : found.filter((address) => !isInside(address));
    if (allowed.length > 0) return ipv4First(allowed).slice(0, MAX_ADDRESSES);
    const reason = `it leads to ${host}, which is inside of a network; only an address that is inside itself may`;
    throw new RemoteError("not-permitted", reason);
  };

  async function addressesOf(host: string): Promise<readonly string[]> {
    try {
      return await find(host);
    } catch (error) {
      throw failedRequest(error, false);
    }
  }
}

/** They are tried one after the other, and it is IPv6 that more networks promise than have. */
function ipv4First(addresses: readonly string[]): string[] {
  return addresses.toSorted((a, b) => isIP(a) - isIP(b));
}
