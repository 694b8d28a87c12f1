// Everything that happens in a server and may be worth a line in a log, as one union: `type` is what machines read. The words for people
// are found in one place, where they are shown.
import type { Replay, Status } from "../feed/publication.ts";
import type { RelayEvent } from "../relay/events.ts";

/** How a client is connected: to the plain feed, to the live feed, to the live feed as an event stream. */
export type ClientKind = "plain" | "live" | "events";

export const CLIENT_KINDS = ["plain", "live", "events"] as const satisfies readonly ClientKind[];

export type ServerEvent = TableEvent | ClientEvent | RelayEvent | ProgramEvent;

/** Of one table; `file` is what its source is called; `table` is the table's name, where there are several. */
export type TableEvent = { readonly table?: string | undefined } &
  /** The first table of a source. */
  (
    | {
        readonly type: "file-on-air";
        readonly file: string;
        readonly rows: number;
        readonly columns: number;
        readonly dialect: string;
      }
    /** Not there yet, and waited for. `path` as it was given; `similar`: a file beside it that may be meant. */
    | {
        readonly type: "file-awaited";
        readonly file: string;
        readonly path: string;
        readonly reason: string;
        readonly similar?: string | undefined;
      }
    /** Its columns are others, or it is read in another way. `change`: `first` if there were no columns before, `none` if there are none now. */
    | {
        readonly type: "file-changed";
        readonly file: string;
        readonly change: "first" | "none" | "columns" | "dialect";
        readonly rows: number;
        readonly columns: number;
        readonly dialect: string;
      }
    /** One for each new kind of warning; how the counts go on is in the status. */
    | { readonly type: "file-warning"; readonly file: string; readonly warnings: readonly string[] }
    | ({ readonly type: "file-state"; readonly file: string } & Status)
    /** Its rows come as if it were written now, or have come. */
    | ({ readonly type: "file-replay"; readonly file: string } & Replay)
    /** A path that was asked for cannot be published; what was published still is. */
    | { readonly type: "file-refused"; readonly reason: string }
    /** The table has become larger than a message of the plain feed may be. */
    | { readonly type: "message-too-large"; readonly maxBytes: number }
    /** It was found in a folder, and is not there any more: its table goes in so many ms, if it does not come back. */
    | { readonly type: "file-leaving"; readonly file: string; readonly graceMs: number }
    | { readonly type: "file-gone"; readonly file: string }
  );

/** `table`: the name of another table than the first. */
export type ClientEvent =
  | {
      readonly type: "client-connected";
      readonly feed: ClientKind;
      readonly address: string;
      readonly table?: string | undefined;
    }
  /** `code` is undefined for an event stream. */
  | {
      readonly type: "client-disconnected";
      readonly feed: ClientKind;
      readonly address: string;
      readonly seconds: number;
      readonly code?: number;
      readonly reason: string;
      readonly table?: string | undefined;
    }
  | {
      readonly type: "client-refused";
      readonly cause: RefusalCause;
      readonly status: number;
      readonly address: string;
      /** What it named that is not allowed: a host, or the origin of a page. */
      readonly named?: string | undefined;
    };

export type RefusalCause = "host" | "origin" | "token" | "guesses" | "full" | "address";

export type ProgramEvent =
  | {
      readonly type: "listening";
      readonly address: string;
      readonly hostname: string;
      readonly port: number;
      readonly url: string;
    }
  /** The usual port belongs to another program. */
  | { readonly type: "port-taken"; readonly taken: number; readonly port: number }
  /** Nobody needs a token. */
  | { readonly type: "public" }
  | { readonly type: "browser-unopened"; readonly reason: string }
  | { readonly type: "few-descriptors"; readonly maxClients: number; readonly openFiles: number }
  /** Programs on this machine cannot find the server by themselves. */
  | { readonly type: "unannounced"; readonly reason: string }
  /** Another server publishes the topic, and this one is not to stand by. */
  | { readonly type: "relay-refused"; readonly reason: string }
  | { readonly type: "certificate-renewed" }
  | { readonly type: "certificate-unusable"; readonly reason: string }
  | { readonly type: "ending"; readonly code: number; readonly reason: string }
  | { readonly type: "unexpected"; readonly reason: string };
