// Changes that are pending, and how much of the stream this server has written, so that both have a bound. Touches nothing.
import { formatCursor } from "../../feed/protocol.ts";
import type { Cursor } from "../../feed/publication.ts";
import { isBehind, type RelayEntry } from "../wire.ts";

export type Delta = Extract<RelayEntry, { kind: "delta" }>;

/** What all tables of a server may have together. */
export type Budget = {
  /** Of changes that are pending. */
  readonly pending: { bytes: number; entries: number };
  /** Of the entries that are in the streams. */
  readonly streams: { bytes: number };
};

export const newBudget = (): Budget => ({ pending: { bytes: 0, entries: 0 }, streams: { bytes: 0 } });

export type RelayQueue = {
  add(delta: Delta): void;
  /** The first ones, of about so many bytes together, at least one if there is one. */
  batch(maxBytes: number): readonly Delta[];
  /** The stream has come to `head`: what leads there is not pending any more. False if what is left does not lead on from there. */
  settle(head: string, cursor: Cursor): boolean;
  clear(): void;
  entries(): number;
  bytes(): number;
};

export function openQueue({ pending: all }: Budget): RelayQueue {
  let pending: Delta[] = [];
  let bytes = 0;

  function count(entries: number, size: number): void {
    bytes += size;
    all.bytes += size;
    all.entries += entries;
  }

  return {
    add(delta) {
      pending.push(delta);
      count(1, delta.splices.length);
    },
    batch(limit) {
      let sum = 0;
      const end = pending.findIndex(({ splices }, i) => i > 0 && (sum += splices.length) > limit);
      return end === -1 ? pending.slice() : pending.slice(0, end);
    },
    settle(head, cursor) {
      const follows = pending.findIndex(({ epoch, from }) => formatCursor({ epoch, version: from }) === head);
      const isAtEnd = head === formatCursor(cursor);
      const done = follows === -1 ? (isAtEnd ? pending.length : 0) : follows;
      for (const { splices } of pending.splice(0, done)) count(-1, -splices.length);
      return follows !== -1 || isAtEnd;
    },
    clear() {
      count(-pending.length, -bytes);
      pending = [];
    },
    entries: () => pending.length,
    bytes: () => bytes,
  };
}

export type Ledger = {
  add(id: string, bytes: number): void;
  /** Bytes of the entries behind this one. */
  since(id: string): number;
  /**
   * Where the stream may begin so that those of all tables hold no more than `maxBytes`, but it `minBytes`, and all behind `needed`;
   * "" for no change.
   */
  trim(maxBytes: number, minBytes: number, needed: string): string;
  clear(): void;
};

/** An entry takes more room than its text. */
const ENTRY_BYTES = 64;

/** The entries that this server has written to the stream, with their sizes: a stream itself counts entries, not bytes. */
export function openLedger({ streams: all }: Budget): Ledger {
  let entries: { id: string; begin: number }[] = [];
  let end = 0; // bytes of all so far
  let held = 0;

  function hold(bytes: number): void {
    all.bytes += bytes - held;
    held = bytes;
  }

  return {
    add(id, bytes) {
      entries.push({ id, begin: end });
      end += bytes + ENTRY_BYTES;
      hold(held + bytes + ENTRY_BYTES);
    },
    since(id) {
      const first = entries.find((entry) => isBehind(entry.id, id));
      return first ? end - first.begin : 0;
    },
    trim(maxBytes, minBytes, needed) {
      const most = Math.max(maxBytes - (all.bytes - held), minBytes);
      if (held <= most) return "";
      const kept = entries.findIndex(({ id, begin }) => end - begin <= most || isBehind(id, needed));
      if (kept <= 0) return "";
      entries.splice(0, kept);
      hold(end - entries[0]!.begin);
      return entries[0]!.id;
    },
    clear() {
      entries = [];
      end = 0;
      hold(0);
    },
  };
}
