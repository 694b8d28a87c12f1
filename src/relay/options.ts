// How a server takes part in a relay. Types only.

export type RelayOptions = {
  /** Where the tables are published to, `redis://HOST[:PORT][/DATABASE][?topic=NAME]`, or the credentials of what is followed. */
  readonly relayUrl?: string | undefined;
  /** Follows the topic while another server publishes it, and takes over when that one is gone. */
  readonly isStandby: boolean;
  /** Milliseconds between two heartbeats of the publisher; the same for all. Default: 1,000. */
  readonly relayHeartbeatMs: number;
};
