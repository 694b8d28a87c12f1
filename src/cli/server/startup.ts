// What the server prints when it listens, and how clients on this machine find it.
import type { ServerEvent } from "../../channel/events.ts";
import { DEFAULT_PORT } from "../port.ts";
import { announce } from "../runtime.ts";
import { openBrowser } from "./browser.ts";
import type { Plan } from "./plan.ts";
import type { Screen } from "./screen.ts";
import { addressLines, hostPort, isReachedLocally, localUrl, pageUrl, type ShownToken } from "./addresses.ts";

export type Startup = {
  readonly address: { readonly hostname: string; readonly port: number; readonly scheme: "ws" | "wss" };
  /** Undefined if any would do. */
  readonly givenPort: number | undefined;
  readonly onEvent: (event: ServerEvent) => void;
  /** For people; undefined where nobody reads. */
  readonly line: ((text: string) => void) | undefined;
  readonly token: string;
  /** The token was set, and everyone needs it; `isPublic`: nobody does. */
  readonly isTokenGiven: boolean;
  readonly isPublic: boolean;
};

export type Started = {
  /** Takes the announcement back. */
  withdraw(): void;
  /**
   * The page, for a browser here: with the token where this machine needs it, if it is a random one. One that was given is not shown to
   * whoever lists the programs that run (ps): the page asks for it.
   */
  readonly page: string;
};

function printStartup({ address, givenPort, onEvent, line, ...access }: Startup): Started {
  const { hostname, port } = address;
  const { token, isTokenGiven, isPublic } = access;
  const url = localUrl(address);
  onEvent({ type: "listening", address: hostPort(address), hostname, port, url });
  if (givenPort === undefined && port !== DEFAULT_PORT) onEvent({ type: "port-taken", taken: DEFAULT_PORT, port });
  // A token that was given is known to whoever gave it, and stays out of files that others may read.
  const isHidden = isPublic || (isTokenGiven && !process.stdout.isTTY);
  const everywhere = isTokenGiven || !isReachedLocally(hostname);
  const shown: ShownToken = { token: isHidden ? undefined : token, everywhere };
  if (line) for (const text of addressLines(address, shown)) line(text);
  if (isPublic) onEvent({ type: "public" });
  return {
    withdraw: announced({ pid: process.pid, url, startedAt: Date.now(), ...(everywhere && { token }) }, onEvent),
    page: pageUrl(address, { token: isPublic || isTokenGiven ? undefined : token, everywhere }),
  };
}

function announced(entry: Parameters<typeof announce>[0], onEvent: (event: ServerEvent) => void): () => void {
  try {
    return announce(entry, process.env);
  } catch (error) {
    onEvent({ type: "unannounced", reason: error instanceof Error ? error.message : String(error) });
    return () => {};
  }
}

/** Says where it listens, and what else there is to know at the start. */
export function start(
  { values, isForMachines, prompts, token, maxClients, openFiles }: Plan,
  server: Pick<Startup, "address" | "token">,
  screen: Screen,
  onEvent: Startup["onEvent"],
) {
  const { network, access, program } = values;
  const started = printStartup({
    address: server.address,
    givenPort: network.port,
    onEvent,
    line: isForMachines ? undefined : screen.line,
    isPublic: access.isPublic,
    token: server.token,
    isTokenGiven: token !== undefined,
  });
  const openPage = () => openBrowser(started.page, (reason) => onEvent({ type: "browser-unopened", reason }));
  if (prompts && screen.isLive) screen.line("o opens the browser, h lists what can be typed");
  if (program.opensBrowser) openPage();
  if (maxClients < network.maxClients) onEvent({ type: "few-descriptors", maxClients, openFiles });
  return { ...started, openPage };
}
