// What the server prints when it listens, and how clients on this machine find it.
import type { ServerEvent } from "../../channel/events.ts";
import { announce } from "../runtime.ts";
import { addressLines, hostPort, localUrl } from "./addresses.ts";

export type Startup = {
  readonly address: { readonly hostname: string; readonly port: number; readonly scheme: "ws" | "wss" };
  readonly onEvent: (event: ServerEvent) => void;
  /** For people; undefined where nobody reads. */
  readonly line: ((text: string) => void) | undefined;
  readonly token: string;
  /** The token was set, and everyone needs it; `isOpen`: nobody does. */
  readonly isTokenGiven: boolean;
  readonly isOpen: boolean;
};

/** Returns how to take the announcement back. */
export function printStartup({ address, onEvent, line, token, isTokenGiven, isOpen }: Startup): () => void {
  const { hostname, port } = address;
  const url = localUrl(address);
  onEvent({ type: "listening", address: hostPort(address), hostname, port, url });
  // A token that was given is known to whoever gave it, and stays out of files that others may read.
  const shown = isOpen || (isTokenGiven && !process.stdout.isTTY) ? undefined : token;
  if (line) for (const text of addressLines(address, shown, isTokenGiven)) line(text);
  try {
    return announce({ pid: process.pid, url, startedAt: Date.now(), ...(isTokenGiven && { token }) }, process.env);
  } catch (error) {
    onEvent({ type: "unannounced", reason: error instanceof Error ? error.message : String(error) });
    return () => {};
  }
}
