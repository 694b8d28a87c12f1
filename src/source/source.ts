// What a source is: something that a table comes from, and goes on coming from as it changes. A file, standard input and a relay are
// sources, in the Worker and, by way of messages, outside of it.
import { CsvError, type CsvErrorKind } from "../csv/error.ts";
import type { Chunk, DocumentShape, TextPart } from "../csv/parts.ts";
import type { SourceSettings } from "./settings.ts";
import type { Columns, Cursor, Publication, Replay, State } from "../feed/publication.ts";

/** `rows`: JSON arrays of rows, which are arrays of cells; `frame`: one JSON array of objects; the others are documents. */
export type Shape = "rows" | "frame" | DocumentShape;

export type Part<S extends Shape> = S extends "rows" | "frame" ? TextPart : Chunk;

/**
 * A whole table as it was at `cursor`, in parts of bounded size, each made when it is taken; a frame has one part. Keeps what it is made
 * of until it is closed, so whoever has it closes it.
 */
export type Snapshot<S extends Shape> = {
  readonly cursor: Cursor;
  readonly columns: Columns;
  readonly rows: number;
  /** As of a publication. */
  readonly first?: number | undefined;
  /** The part that begins with row `at`: 0, or `next` of another part. Rejects with CsvError if it cannot be had, or not any more. */
  part(at: number): Promise<Part<S>>;
  /** All of them, one after the other; to be iterated once, which closes it. Throws as `part` does. */
  readonly parts: AsyncIterable<Part<S>>;
  close(): void;
};

/** A snapshot without `parts`, which come of the rest. */
export function snapshotOf<S extends Shape>(snapshot: Omit<Snapshot<S>, "parts">): Snapshot<S> {
  async function* parts(): AsyncGenerator<Part<S>> {
    try {
      let coming: Promise<Part<S>> | undefined = snapshot.part(0);
      while (coming) {
        const part: Part<S> = await coming;
        // The next one is made while this one is taken.
        coming = part.next < snapshot.rows ? snapshot.part(part.next) : undefined;
        coming?.catch(() => {});
        yield part;
      }
    } finally {
      snapshot.close();
    }
  }
  return { ...snapshot, parts: parts() };
}

export type { SourceSettings } from "./settings.ts";

export type Source = {
  /**
   * The table as it is now, or the first there will be. A frame has at most `maxBytes`. Rejects with CsvError `closed` if the
   * source is closed before; and with `too-large` for a table that takes more room in this shape than there is, if not then its parts do.
   */
  snapshot<S extends Shape>(shape: S, maxBytes?: number): Promise<Snapshot<S>>;
  close(): void;
};

/** What is wrong, without the name of what it is wrong with: `line` counts from 1. */
export type Problem = { readonly kind: CsvErrorKind; readonly reason: string; readonly line?: number | undefined };

/** As it crosses to another thread. */
export function problemOf(error: unknown): Problem {
  if (error instanceof CsvError) return { kind: error.kind, reason: error.reason, line: error.line };
  return { kind: "io", reason: error instanceof Error ? error.message : String(error) };
}

/**
 * Whether the table is what the source says; since when in ms since 1970, if that is known better than by now. `message`: the words that
 * another server has found for its clients, in place of a `problem`.
 */
export type SourceStatus = {
  readonly state: State;
  readonly since?: number | undefined;
  readonly problem?: Problem | undefined;
  /** What has been held back for a while, as it is no whole row: bytes. */
  readonly pendingBytes?: number | undefined;
  readonly message?: string | undefined;
  /** The source is played. */
  readonly replay?: Replay | undefined;
  /** There was nothing yet, and it is waited for. */
  readonly awaited?: Awaited | undefined;
};

/** `similar`: a file that may be meant instead, for the person who runs the server and for nobody else. */
export type Awaited = { readonly similar?: string | undefined };

/** What is counted of a connection to a relay. */
export type LinkCounts = {
  readonly connected: boolean;
  /** When the other side was last heard; ms since 1970, 0 for never. */
  readonly heardAt: number;
  readonly entries: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly reconnects: number;
  /** Tables that come by it, or go. */
  readonly tables: number;
};

/** What tables a relay has: the first one, if it has a name, and the others; `others` is undefined for no such list. */
export type ListedTables = {
  readonly first: string | undefined;
  readonly others: readonly string[] | undefined;
  /** What is wrong with the list. */
  readonly fault: string | undefined;
};

export type SourceEvents = {
  /** The first table, and each one that follows. */
  onPublication(publication: Publication): void;
  /** Whether who hears the publications is behind: then the next one is not urgent. */
  isBehind?(): boolean;
  /** Whether the last table is still what the source says; once for each change. */
  onStatus(status: SourceStatus): void;
  /** Bytes read so far, of about `size`, of a first table that takes a while. */
  onProgress(read: number, size: number): void;
  /** There can be no table at all, and there was none: the source is closed. */
  onRefused(problem: Problem): void;
  /** The source is a relay: how it goes with it. */
  onLink?(counts: LinkCounts): void;
  /** The source is the first table of a relay: which others there are; once for each change. */
  onTables?(tables: ListedTables): void;
};

/** `resume`: the last publication of an earlier Worker; of a relay nothing before it may be published. */
export type OpenSource = (settings: SourceSettings, events: SourceEvents, resume: Cursor | undefined) => Source;
