// Which addresses lead nowhere but to this machine or into a network behind it: what strangers on the web must not send anybody to.
// After IANA's registries of special-purpose addresses (RFC 6890). Pure.

/** Network and length of its prefix. */
type Range = readonly [network: readonly number[], bits: number];

const V4: readonly Range[] = [
  [[0], 8], // this host
  [[10], 8], // private
  [[100, 64], 10], // behind a carrier's NAT
  [[127], 8], // loopback
  [[169, 254], 16], // link-local: clouds tell secrets at 169.254.169.254
  [[172, 16], 12], // private
  [[192, 0, 0], 24],
  [[192, 168], 16], // private
  [[198, 18], 15], // benchmarks
  [[224], 4], // multicast
  [[240], 4], // reserved, broadcast
];

const V6: readonly Range[] = [
  [[0xfc], 7], // unique local
  [[0xfe, 0x80], 10], // link-local
  [[0xfe, 0xc0], 10], // site-local
  [[0xff], 8], // multicast
  [[0, 0x64, 0xff, 0x9b, 0, 1], 48], // a NAT of its own
];

/** Where an IPv6 address holds one of IPv4: what is in front of it, and where it begins. */
const HOLDERS: readonly (readonly [...Range, at: number])[] = [
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 96, 12], // ::ffff:127.0.0.1, mapped
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 96, 12], // ::127.0.0.1, and ::, and ::1
  [[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], 96, 12], // NAT64
  [[0x20, 0x02], 16, 2], // 6to4
];

/**
 * Whether an IP address, as `URL` or the resolver writes it, without brackets, is a private, loopback or link-local one, or one that is
 * nobody's. What is no address is taken for one.
 */
export function isInside(address: string): boolean {
  const bytes = bytesOf(address);
  if (!bytes) return true;
  if (bytes.length === 4) return V4.some((range) => isIn(bytes, range));
  const holder = HOLDERS.find(([network, bits]) => isIn(bytes, [network, bits]));
  if (!holder) return V6.some((range) => isIn(bytes, range));
  const held = bytes.slice(holder[2], holder[2] + 4);
  return V4.some((range) => isIn(held, range));
}

function isIn(bytes: readonly number[], [network, bits]: Range): boolean {
  for (let i = 0; i * 8 < bits; i++) {
    const mask = 0xff & (0xff00 >> Math.min(8, bits - i * 8));
    if ((bytes[i]! & mask) !== ((network[i] ?? 0) & mask)) return false;
  }
  return true;
}

function bytesOf(address: string): number[] | undefined {
  const plain = address.replace(/%.*$/, ""); // without its zone
  if (/^\d+(\.\d+){3}$/.test(plain)) return plain.split(".").map(Number);
  const url = `http://[${plain}]/`;
  if (!URL.canParse(url)) return undefined;
  // Written by `URL` there is no IPv4 in it, and one gap at most (URL standard, IPv6 serializer).
  const [front = "", back] = new URL(url).hostname.slice(1, -1).split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const before = groups(front);
  const behind = groups(back ?? "");
  const gap = back === undefined ? 0 : 8 - before.length - behind.length;
  return [...before, ...Array.from({ length: gap }, () => "0"), ...behind]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
}
