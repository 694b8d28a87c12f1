// The values of the server's options as the hub takes them.
import { machineNames } from "./addresses.ts";
import type { Parsed } from "./options.ts";
import type { serverOptions } from "./server-options.ts";

type Options = Parsed<typeof serverOptions>["values"];

/** `isGiven`: the token was set, and so is for everyone. */
export function hubOptionsOf(options: Options, token: string, isGiven: boolean) {
  return {
    hostname: options.host,
    access: {
      token,
      tokenFor: options.open ? ("nobody" as const) : isGiven ? ("everyone" as const) : ("strangers" as const),
      hosts: [...machineNames(), ...options["allow-host"]],
      origins: options["allow-origin"],
      proxies: options["trust-proxy"],
      scheme: options["tls-cert"] === undefined ? ("http" as const) : ("https" as const),
    },
    maxPerAddress: options["max-per-address"],
    maxBacklogBytes: options["max-backlog"],
    maxIncomingBytes: options["max-incoming"],
    maxHistory: options.history,
    idleSeconds: Math.round(options.idle / 1000),
    stallMs: options.stall,
    heartbeatMs: options.heartbeat,
  };
}
