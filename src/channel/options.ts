// How a table is sent to clients, and over what. Types only.

export type FeedOptions = {
  /** The largest message of the plain feed, in bytes. Default: 32 MiB. */
  readonly maxFrameBytes: number;
  /** What is kept of the changes for clients that come back, in characters; never more than half a table. Default: 16 Mi. */
  readonly maxHistory: number;
  /** The live feed sends `sync` when it has sent nothing else for so long, in ms. Default: 5,000. */
  readonly heartbeatMs: number;
};

/** Both as PEM: the certificate with its chain, and its private key. */
export type Certificate = { readonly cert: string; readonly key: string };
