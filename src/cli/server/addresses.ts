// Under which names and addresses a server can be reached, and the URLs to print for them.
import { hostname, networkInterfaces } from "node:os";

type Address = { readonly hostname: string; readonly port: number; readonly scheme?: "ws" | "wss" };

const WILDCARDS = new Set(["0.0.0.0", "::", "[::]"]);

/** The names under which this machine may be asked for. */
export function machineNames(): string[] {
  const name = hostname().toLowerCase();
  return [name, `${name}.local`, name.split(".")[0] ?? name];
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

/** The URLs a person would use. `token` is what other machines need; `everywhere`: this machine too. */
export function addressLines(address: Address, token: string | undefined, everywhere: boolean): string[] {
  const withToken = (url: string) => (token === undefined ? url : `${url}?token=${encodeURIComponent(token)}`);
  const local = localUrl(address);
  const here = everywhere ? withToken(local) : local;
  const lines = [`  this machine  ${here}`, `  in a browser  ${here.replace(/^ws/, "http")}`];
  const network = WILDCARDS.has(address.hostname) ? externalAddress() : undefined;
  if (network) lines.push(`  network       ${withToken(urlOf(network, address.port, address.scheme))}`);
  return lines;
}

function externalAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address;
}
