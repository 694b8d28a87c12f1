// Under which names and addresses a server can be reached, and the URLs to print for them.
import { hostname, networkInterfaces } from "node:os";

type Address = { readonly hostname: string; readonly port: number; readonly scheme?: "ws" | "wss" };

const WILDCARDS = new Set(["0.0.0.0", "::", "[::]"]);

/** The names under which this machine may be asked for. */
export function machineNames(): string[] {
  const name = hostname().toLowerCase();
  return [name, `${name}.local`, name.split(".")[0] ?? name];
}

/** Whether this machine reaches a server there as itself: who asks an address of a network comes from that, and needs the token. */
export function isReachedLocally(hostname: string): boolean {
  return WILDCARDS.has(hostname) || /^(localhost|.*\.localhost|127\.[\d.]+|::1|\[::1\])$/i.test(hostname);
}

/** The URL for clients on this machine. */
export function localUrl({ hostname, port, scheme }: Address): string {
  return urlOf(hostname === "0.0.0.0" ? "127.0.0.1" : WILDCARDS.has(hostname) ? "[::1]" : hostname, port, scheme);
}

/** `0.0.0.0:59050`, `[::]:59050` */
export function hostPort({ hostname, port }: Address): string {
  return `${hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname}:${port}`;
}

const urlOf = (hostname: string, port: number, scheme = "ws") => `${scheme}://${hostPort({ hostname, port })}/`;

/** `token` is what other machines need, undefined if none is to be shown; `everywhere`: this machine too. */
export type ShownToken = { readonly token: string | undefined; readonly everywhere: boolean };

const withToken = (url: string, token: string | undefined) =>
  token === undefined ? url : `${url}?token=${encodeURIComponent(token)}`;

const asPage = (url: string) => url.replace(/^ws/, "http");

/** The page for a browser on this machine. */
export function pageUrl(address: Address, { token, everywhere }: ShownToken): string {
  return asPage(withToken(localUrl(address), everywhere ? token : undefined));
}

/** The URLs a person would use: for browsers here and on each network, and for programs. */
export function addressLines(address: Address, shown: ShownToken, networks = externalAddresses()): string[] {
  const { hostname, port, scheme } = address;
  const reached = WILDCARDS.has(hostname) ? networks : [];
  const pages = reached.map((network) => asPage(withToken(urlOf(network, port, scheme), shown.token)));
  return [
    ["Open", pageUrl(address, shown)],
    ...pages.map((url) => ["Network", url]),
    ["WebSocket", withToken(localUrl(address), shown.everywhere ? shown.token : undefined)],
  ].map(([label = "", url]) => `${label.padStart(LABEL_WIDTH)} ${url}`);
}

const LABEL_WIDTH = "WebSocket".length;

/** IPv4, one for each interface: those of IPv6 come by the dozen, and change. */
function externalAddresses(): string[] {
  const interfaces = Object.values(networkInterfaces()).map((list) => list ?? []);
  return interfaces.flatMap(
    (list) => list.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? [],
  );
}
