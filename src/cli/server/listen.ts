// Which port to listen on, and why it cannot be had.
import { CliError } from "../errors.ts";

const DEFAULT_PORT = 59_050;

/** Opens on the port asked for and no other; else on the usual one, or any free one if that is taken. Throws CliError("listen"). */
export function onPort<T>(given: number | undefined, hostname: string, open: (port: number) => T): T {
  try {
    return open(given ?? DEFAULT_PORT);
  } catch (error) {
    const { code } = error as { code?: string };
    if (given === undefined && code === "EADDRINUSE") return onPort(0, hostname, open);
    if (code === undefined) throw error; // not about the address
    throw cannotListen(code, hostname, given ?? DEFAULT_PORT, String(error));
  }
}

/** Why an address cannot be had, from the error code of the system. */
export function cannotListen(code: string | undefined, hostname: string, port: number, message: string): CliError {
  const isAddress = code === "EADDRNOTAVAIL" || (code === "EADDRINUSE" && port === 0);
  const why = isAddress
    ? "this machine has no such address; see --host"
    : code === "EADDRINUSE"
      ? "the port is taken (or the host unknown); give another --port, or 0 for any free one"
      : code === "EACCES"
        ? "no permission for a port this low; give one above 1023"
        : message;
  return new CliError("listen", `cannot listen on ${hostname}:${port}: ${why}`);
}
