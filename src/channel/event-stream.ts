// The live feed as server-sent events (WHATWG HTML, section 9.2): the same messages, the cursor as event id.
import { formatCursor } from "../feed/protocol.ts";
import type { Cursor } from "../feed/publication.ts";
import type { Subscriber } from "./client.ts";

/** A client that has so many bytes waiting takes nothing more before they are gone. */
const FULL_BYTES = 1 << 18;
/** A text of so many characters may stay in memory for the next one who is told it. */
const MAX_KEPT = 1 << 14;
/** What an EventSource waits before it comes back, in ms. */
const RETRY_MS = 1_000;

export type EventStreams = {
  /** A stream for a client that holds `cursor`; `onOpen`, `onDrain` and `onClose` as it goes. */
  open(cursor: Cursor | undefined, events: StreamEvents): ReadableStream<Uint8Array>;
  broadcast(text: string, cursor?: Cursor): void;
  count(): number;
  /** Ends all streams. */
  close(reason?: string): void;
};

export type StreamEvents = {
  /** The other end of its connection. */
  readonly peer: NonNullable<Subscriber["peer"]>;
  onOpen(subscriber: Subscriber): void;
  onDrain(subscriber: Subscriber): void;
  /** `reason`: why the server ended it, if it did. */
  onClose(subscriber: Subscriber, reason: string): void;
};

/** `onSent`: a message of so many bytes went out. */
export function openEventStreams(onSent: (bytes: number) => void): EventStreams {
  const followers = new Set<(bytes: Uint8Array) => void>();
  const streams = new Map<(reason?: string) => void, ReadableStreamDefaultController<Uint8Array>>();

  function open(
    cursor: Cursor | undefined,
    { peer, onOpen, onDrain, onClose }: StreamEvents,
  ): ReadableStream<Uint8Array> {
    let subscriber: Subscriber;
    let end = (_reason = "") => {};
    let owedBytes = 0; // also of what the runtime has taken to write it: it asks for more when that is done
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const enqueue = (event: Uint8Array) => {
            onSent(event.byteLength);
            owedBytes += event.byteLength;
            controller.enqueue(event);
          };
          const buffered = () => (owedBytes > FULL_BYTES ? owedBytes : 0);
          end = (reason = "") => {
            if (!streams.delete(end)) return;
            followers.delete(enqueue);
            onClose(subscriber, reason);
          };
          subscriber = {
            pendingBytes: 0,
            progressAt: 0,
            peer,
            cursor,
            isFollowing: false,
            transfer: undefined,
            buffered,
            send(text, at) {
              enqueue(eventOf(text, at));
              return buffered() === 0;
            },
            follow: (isFollowing) => void (isFollowing ? followers.add(enqueue) : followers.delete(enqueue)),
            close(_code, reason) {
              if (!streams.has(end)) return;
              end(reason);
              // What it has not taken is let go.
              controller.error(new Error(reason));
            },
          };
          streams.set(end, controller);
          controller.enqueue(Buffer.from(`retry: ${RETRY_MS}\n\n`));
          onOpen(subscriber);
        },
        pull() {
          owedBytes = 0;
          if (streams.has(end)) onDrain(subscriber);
        },
        cancel: () => end(),
      },
      { highWaterMark: 0 },
    );
  }

  return {
    open,
    broadcast(text, cursor) {
      if (followers.size === 0) return;
      const event = eventOf(text, cursor);
      // Who takes one at once may make room for others: they come to follow, or go, in the middle of this.
      for (const enqueue of [...followers]) if (followers.has(enqueue)) enqueue(event);
    },
    count: () => streams.size,
    close(reason = "server shutting down") {
      for (const [end, controller] of [...streams]) {
        end(reason);
        controller.close();
      }
    },
  };
}

let last: { readonly text: string; readonly cursor: Cursor | undefined; readonly event: Uint8Array } | undefined;

/** The same as before for a text that one after the other is told. */
function eventOf(text: string, cursor: Cursor | undefined): Uint8Array {
  if (last?.text === text && last.cursor === cursor) return last.event;
  const event = Buffer.from(`${cursor ? `id: ${formatCursor(cursor)}\n` : ""}data: ${text}\n\n`);
  last = text.length <= MAX_KEPT ? { text, cursor, event } : undefined;
  return event;
}
