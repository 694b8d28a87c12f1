// Where a visitor comes from: the other end of the connection, or what a proxy that is trusted says of it (X-Forwarded-For).
import { isIP, isIPv4 } from "node:net";

/** 127.0.0.0/8 and ::1, also as an IPv4-mapped address. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}

/**
 * The address of the visitor. `forwardedFor` counts only from a proxy that is trusted (this machine is), from right to left:
 * each proxy appends whom it saw, and what stands further left anybody may have written.
 */
export function clientAddress(peer: string, forwardedFor: string | null, proxies: readonly string[]): string {
  const isTrusted = (address: string) => isLoopback(address) || proxies.includes(address);
  let address = plainAddress(peer);
  const hops = forwardedFor?.split(",") ?? [];
  while (isTrusted(address) && hops.length > 0) {
    const hop = plainAddress(withoutZone(withoutPort(hops.pop()!.trim())));
    if (isIP(hop) === 0) return address;
    address = hop;
  }
  return address;
}

/** What limits count by: an IPv4 address, or the /64 of an IPv6 address, which one machine has all of (RFC 6177). */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const groups =
    tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill("0"), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

const plainAddress = (address: string) => address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");

/** `fe80::1%eth0`: a zone (RFC 4007), of any length, means something on the machine only that it is on. */
const withoutZone = (hop: string) => hop.replace(/%.*$/, "");

/** `1.2.3.4:567`, `[::1]:567` */
const withoutPort = (hop: string) => hop.replace(/^\[([^\]]*)\](:\d+)?$/, "$1").replace(/^([\d.]+):\d+$/, "$1");
