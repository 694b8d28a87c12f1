// Who gets what a channel publishes, as far as the channel knows them: not sockets, so that WebSockets and event streams are served alike.
import type { Cursor } from "../feed/publication.ts";
import type { Part } from "../source/source.ts";
import type { Shared } from "./shared.ts";

/** Whoever is sent something, and may be slow to take it. */
export type Consumer = {
  /** Bytes of the message that is under way. */
  pendingBytes: number;
  /** When it last took something, in ms of a monotonic clock. */
  progressAt: number;
  /** The other end of its connection, where that is known. */
  readonly peer?: { readonly address: string; readonly port: number };
  /** Bytes that wait here to be taken. */
  buffered(): number;
  /** What it is owed is let go: then it does not hear why. */
  close(code: number, reason: string): void;
};

/** What consumers have been sent and not taken yet, all together: it has a budget. */
export type Backlog = {
  /** A message of so many bytes did not go out at once. */
  add(consumer: Consumer, bytes: number): void;
  /** It has taken all, or is gone. */
  settle(consumer: Consumer): void;
  /** True if there is no room for what would bring it up to date: it waits its turn, and then `resume` is called. */
  waits(consumer: Consumer, resume: () => void): boolean;
};

/** A client of the plain feed. */
export type PlainClient = Consumer & {
  /** Has had a frame. */
  isServed: boolean;
  /** A frame passed it by; it gets the newest when it drains. */
  isBehind: boolean;
  /** False if the frame did not go out at once. */
  send(text: string): boolean;
};

/** A client of the live feed. */
export type Subscriber = Consumer & {
  /** What it holds. Not kept up while it follows. */
  cursor: Cursor | undefined;
  /** Gets what is broadcast. */
  isFollowing: boolean;
  transfer: Transfer | undefined;
  /** Sends; false if it did not go out at once: no more until it drains. `cursor`: what the client holds after it. */
  send(text: string, cursor?: Cursor): boolean;
  follow(isFollowing: boolean): void;
};

/** A snapshot on its way to a subscriber: `at` is the row that the next part begins with. */
export type Transfer = {
  readonly snapshot: Shared<"rows">;
  readonly release: () => void;
  at: number;
  /** The next part, once it is there. */
  part: Part<"rows"> | undefined;
  isComing: boolean;
};
