// What a server says of the relay that it publishes to, or follows.
import type { Log } from "./log.ts";

export type RelayReport = {
  owned(): void;
  taken(isStandby: boolean): void;
  away(why: string): void;
  back(): void;
  trouble(why: string): void;
};

/** `name` is the topic and where it is. */
export function openRelayReport(log: Log, name: string): RelayReport {
  let said = "";
  return {
    owned: () => log.info("relay-published", `relay: published as ${name}`, { relay: name }),
    taken(isStandby) {
      const text = `relay: ${name} is published by another server`;
      if (isStandby) log.info("relay-taken", `${text}; standing by`, { relay: name });
      else
        log.warn(
          "relay-taken",
          `${text}; own clients go on to be served, and the topic is taken back when it is free`,
          { relay: name },
        );
    },
    away: (why) => log.warn("relay-away", `relay: ${name}: ${why}; own clients go on to be served`, { relay: name }),
    back: () => log.info("relay-back", `relay: ${name} answers again`, { relay: name }),
    trouble(why) {
      if (why !== said) log.warn("relay-trouble", `relay: ${name}: ${why}`, { relay: name });
      said = why;
    },
  };
}

export type RelayState = {
  readonly role?: string;
  readonly connected: boolean;
  readonly heardAt: number;
  readonly pendingEntries?: number;
  readonly pendingBytes?: number;
};

/** For /healthz. `heardMs`: how long ago the other side was heard; null for never. */
export function relayHealth(
  address: { readonly topic: string; readonly host: string } | undefined,
  state: RelayState | undefined,
  now: number,
) {
  if (!address) return undefined;
  const { role = "replica", connected = false, heardAt = 0, pendingEntries = 0, pendingBytes = 0 } = state ?? {};
  const { topic, host } = address;
  return {
    role,
    topic,
    host,
    connected,
    heardMs: heardAt > 0 ? Math.max(0, now - heardAt) : null,
    pendingEntries,
    pendingBytes,
  };
}
