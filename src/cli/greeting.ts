// What the server says when it listens: to people, to machines, and to clients on this machine.
import { addressLines, hostPort, localUrl } from "./addresses.ts";
import type { Log } from "./log.ts";
import { announceIfPossible } from "./runtime.ts";

export type Greeting = {
  readonly address: { readonly hostname: string; readonly port: number; readonly scheme: "ws" | "wss" };
  readonly log: Log;
  /** For people; undefined where nobody reads. */
  readonly line: ((text: string) => void) | undefined;
  readonly token: string;
  /** The token was set, and everyone needs it; `isOpen`: nobody does. */
  readonly isTokenGiven: boolean;
  readonly isOpen: boolean;
  /** Fewer than were asked for, for want of descriptors. */
  readonly fewer: { readonly maxClients: number; readonly openFiles: number | undefined } | undefined;
};

/** Returns how to take the announcement back. */
export function greet({ address, log, line, token, isTokenGiven, isOpen, fewer }: Greeting): () => void {
  const { hostname, port } = address;
  const url = localUrl(address);
  log.info("listening", `WebSocket server started. Listening on ${hostPort(address)}.`, { hostname, port, url });
  if (fewer) {
    const { maxClients, openFiles } = fewer;
    const text = `no more than ${maxClients} clients: ${openFiles} files may be open; see ulimit -n`;
    log.warn("few-descriptors", text, { maxClients });
  }
  // A token that was given is known to whoever gave it, and stays out of files that others may read.
  const shown = isOpen || (isTokenGiven && !process.stdout.isTTY) ? undefined : token;
  if (line) for (const text of addressLines(address, shown, isTokenGiven)) line(text);
  const entry = { pid: process.pid, url, startedAt: Date.now(), ...(isTokenGiven && { token }) };
  return announceIfPossible(entry, process.env, (text) => log.warn("unannounced", text));
}
