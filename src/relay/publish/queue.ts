// Changes that are pending, and how much of the stream this server has written, so that both have a bound. Touches nothing.
import { formatCursor } from "../../feed/protocol.ts";
import type { Cursor } from "../../feed/publication.ts";
import { isBehind, type RelayEntry } from "../wire.ts";

export type Delta = Extract<RelayEntry, { kind: "delta" }>;

export type RelayQueue = {
  /** False if there is no room: then all pending changes are dropped, and only a snapshot helps. */
  add(delta: Delta): boolean;
  /** The first ones, of about so many bytes together, at least one if there is one. */
  batch(maxBytes: number): readonly Delta[];
  /** The stream has come to `head`: what leads there is not pending any more. False if what is left does not lead on from there. */
  settle(head: string, cursor: Cursor): boolean;
  clear(): void;
  entries(): number;
  bytes(): number;
};

export function openQueue(maxBytes: number, maxEntries: number): RelayQueue {
  let pending: Delta[] = [];
  let bytes = 0;

  function clear(): void {
    pending = [];
    bytes = 0;
  }

  return {
    add(delta) {
      pending.push(delta);
      bytes += delta.splices.length;
      if (bytes <= maxBytes && pending.length <= maxEntries) return true;
      clear();
      return false;
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
      for (const { splices } of pending.splice(0, done)) bytes -= splices.length;
      return follows !== -1 || isAtEnd;
    },
    clear,
    entries: () => pending.length,
    bytes: () => bytes,
  };
}

export type Ledger = {
  add(id: string, bytes: number): void;
  /** Bytes of the entries behind this one. */
  since(id: string): number;
  /** Where the stream may begin so that it holds no more than `maxBytes`, but all behind `needed`; "" for no change. */
  trim(maxBytes: number, needed: string): string;
  clear(): void;
};

/** An entry takes more room than its text. */
const ENTRY_BYTES = 64;

/** The entries that this server has written to the stream, with their sizes: a stream itself counts entries, not bytes. */
export function openLedger(): Ledger {
  let entries: { id: string; begin: number }[] = [];
  let end = 0; // bytes of all so far

  return {
    add(id, bytes) {
      entries.push({ id, begin: end });
      end += bytes + ENTRY_BYTES;
    },
    since(id) {
      const first = entries.find((entry) => isBehind(entry.id, id));
      return first ? end - first.begin : 0;
    },
    trim(maxBytes, needed) {
      const kept = entries.findIndex(({ id, begin }) => end - begin <= maxBytes || isBehind(id, needed));
      if (kept <= 0) return "";
      entries.splice(0, kept);
      return entries[0]!.id;
    },
    clear() {
      entries = [];
      end = 0;
    },
  };
}
