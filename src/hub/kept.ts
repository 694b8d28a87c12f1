// Which connections of plain HTTP may stay open after an answer: each holds a descriptor, and whoever can reach the port can make them.
import { networkOf } from "./address.ts";

export type Kept = {
  /** A request came on this connection: whether it may stay for another one. The rest end after their answer, which costs them nothing else. */
  mayStay(address: string, port: number): boolean;
  /** It is none of plain HTTP any more. */
  forget(address: string, port: number): void;
};

/** So many may stay of one address, and of all. */
export const MAX_KEPT_PER_ADDRESS = 100;
const MAX_KEPT = 1_000;

export type KeptOptions = {
  /** The runtime ends those on which nothing moves for so long. */
  readonly idleMs: number;
  /** A monotonic clock in ms. */
  readonly now: () => number;
  /** How many clients there are; so many may there be together with those that stay, for which there are descriptors. */
  readonly clients: () => number;
  readonly maxClients: number;
  /** Ends all that wait for a request. */
  readonly closeIdle: () => void;
};

export function openKept({ idleMs, now, clients, maxClients, closeIdle }: KeptOptions): Kept {
  /** The one with the oldest request first. */
  const connections = new Map<string, { readonly network: string; readonly at: number }>();
  const counts = new Map<string, number>();

  function drop(key: string): void {
    const network = connections.get(key)?.network;
    if (network === undefined) return;
    connections.delete(key);
    const left = counts.get(network)! - 1;
    if (left > 0) counts.set(network, left);
    else counts.delete(network);
  }

  return {
    mayStay(address, port) {
      const key = `${address} ${port}`;
      for (const [old, { at }] of connections) {
        if (at > now() - idleMs) break;
        drop(old);
      }
      drop(key);
      if (clients() + connections.size >= maxClients) {
        connections.clear();
        counts.clear();
        closeIdle();
        return false;
      }
      const network = networkOf(address);
      const count = counts.get(network) ?? 0;
      if (count >= MAX_KEPT_PER_ADDRESS || connections.size >= MAX_KEPT) return false;
      connections.set(key, { network, at: now() });
      counts.set(network, count + 1);
      return true;
    },
    forget: (address, port) => drop(`${address} ${port}`),
  };
}
