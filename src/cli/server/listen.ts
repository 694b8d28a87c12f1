// Which port to listen on, and why it cannot be had.
import { isIP } from "node:net";
import { CliError } from "../errors.ts";
import { DEFAULT_PORT } from "../port.ts";

/** Beside the usual one: who looks for a server finds it near by. */
const NEIGHBOURS = 9;

/**
 * Opens on the port asked for and no other; else on the usual one, or if that is taken on one of the next, or any free one.
 * Throws CliError("listen").
 */
export function onPort<T>(given: number | undefined, hostname: string, open: (port: number) => T): T {
  const ports =
    given === undefined ? [...Array(NEIGHBOURS + 1).keys()].map((i) => DEFAULT_PORT + i).concat(0) : [given];
  for (const port of ports) {
    try {
      return open(port);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined) throw error; // not about the address
      const isKnown = canListen(hostname);
      if (port !== ports.at(-1) && code === "EADDRINUSE" && isKnown) continue;
      throw cannotListen({ code, hostname, port, isKnown, message: String(error) });
    }
  }
  throw new Error("unreachable: the last port either opens or throws");
}

/** An unknown name fails as a port does that is taken: on any port at all only the name can be wrong. */
function canListen(hostname: string): boolean {
  if (isIP(hostname) !== 0) return true;
  try {
    Bun.listen({ hostname, port: 0, socket: { data() {} } }).stop();
    return true;
  } catch {
    return false;
  }
}

export type Unheard = {
  /** The error code of the system. */
  readonly code: string | undefined;
  readonly hostname: string;
  readonly port: number;
  /** Whether `hostname` leads to an address of this machine. */
  readonly isKnown: boolean;
  readonly message: string;
};

/** Why an address cannot be had. */
export function cannotListen({ code, hostname, port, isKnown, message }: Unheard): CliError {
  const isAddress = !isKnown || code === "EADDRNOTAVAIL" || (code === "EADDRINUSE" && port === 0);
  const why = isAddress
    ? addressFault(hostname)
    : code === "EADDRINUSE"
      ? "the port is taken; give another --port, or 0 for any free one"
      : code === "EACCES"
        ? "no permission for a port this low; give one above 1023"
        : message;
  return new CliError("listen", `cannot listen on ${hostname}:${port}: ${why}`);
}

function addressFault(hostname: string): string {
  const usual = "--host takes 127.0.0.1 for this machine alone, 0.0.0.0 for all networks";
  if (isIP(hostname) !== 0) return `this machine has no such address; ${usual}`;
  return `this machine has no address of that name; ${usual}, and a name under which it is asked for goes to --allow-host`;
}
