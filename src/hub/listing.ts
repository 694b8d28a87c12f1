// The list of tables: as a document, and as server-sent events for who wants to know when they come and go (WHATWG HTML, section 9.2).
import type { Served, Tables } from "../channel/tables.ts";

/** One table in /tables.json. */
export type Listed = {
  readonly name: string | undefined;
  /** What its file is called. */
  readonly file: string;
  /** Its address: `/csv` for the first one, whatever its name. */
  readonly path: string;
  readonly state: string;
  readonly message: string;
  readonly rows: number;
  readonly columns: number | undefined;
  /** How long ago its source last changed, by the clock of the server. */
  readonly changedMs: number | undefined;
};

export type Listing = {
  readonly tables: readonly Listed[];
  /** Files that are no tables, and why. */
  readonly refused: readonly { readonly file: string; readonly reason: string }[];
};

export const pathOfTable = ({ name, isFirst }: Served) => (isFirst ? "/csv" : `/${encodeURIComponent(name ?? "")}`);

export function listingOf(tables: Tables): Listing {
  return {
    tables: tables.list().map(listed),
    refused: tables.refused().map(({ file, reason }) => ({ file, reason })),
  };
}

function listed(served: Served): Listed {
  const { name, channel } = served;
  const publication = channel.feed.publication();
  const { state, message } = channel.status();
  return {
    name,
    file: publication?.about.name ?? channel.awaited() ?? channel.loading()?.name ?? "",
    path: pathOfTable(served),
    state,
    message,
    rows: publication?.rows ?? 0,
    columns: publication?.columns.count,
    changedMs: publication && Math.max(0, Date.now() - Math.round(publication.about.changedAt)),
  };
}

export type ListingStreams = {
  /** `onClose` is called once, when nobody takes it any more. */
  open(onClose: () => void): ReadableStream<Uint8Array>;
  /** Sends what has changed. To be called every second or so. */
  beat(): void;
  close(): void;
};

/** A comment keeps a stream alive that has nothing to say. */
const ALIVE_BEATS = 5;

export function openListingStreams(tables: Tables): ListingStreams {
  const streams = new Map<ReadableStreamDefaultController<Uint8Array>, { sent: string; beats: number }>();
  const stopListening = tables.onChange(send);

  /** What tells one list from another: not the rows, which are in each table's own feed. */
  const textOf = () => {
    const { tables: all, refused } = listingOf(tables);
    const lasting = all.map(({ name, file, path, state, message }) => ({ name, file, path, state, message }));
    return JSON.stringify({ tables: lasting, refused });
  };

  function send(): void {
    if (streams.size === 0) return;
    const text = textOf();
    for (const [controller, stream] of streams) {
      // Who has not taken the last one gets the newest when there is room.
      if (stream.sent === text || (controller.desiredSize ?? 0) <= 0) continue;
      stream.sent = text;
      stream.beats = 0;
      controller.enqueue(Buffer.from(`data: ${text}\n\n`));
    }
  }

  return {
    open(onClose) {
      let own: ReadableStreamDefaultController<Uint8Array>;
      return new ReadableStream<Uint8Array>({
        start(controller) {
          own = controller;
          streams.set(controller, { sent: "", beats: 0 });
          send();
        },
        pull: send,
        cancel() {
          streams.delete(own);
          onClose();
        },
      });
    },
    beat() {
      send();
      for (const [controller, stream] of streams)
        if (++stream.beats % ALIVE_BEATS === 0 && (controller.desiredSize ?? 0) > 0)
          controller.enqueue(Buffer.from(": \n\n"));
    },
    close() {
      stopListening();
      for (const controller of streams.keys()) controller.close();
      streams.clear();
    },
  };
}
