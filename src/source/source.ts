// What a source is: something that a table comes from, and goes on coming from as it changes. A file, standard input and a relay are
// sources, in the Worker and, by way of messages, outside of it.
import { CsvError, type CsvErrorKind } from "../csv/error.ts";
import { type Chunk, type DocumentShape, renderDocumentChunks, renderRows, type TextPart } from "../csv/parts.ts";
import { typingOf } from "../csv/literals.ts";
import type { Arena } from "../csv/render.ts";
import type { CsvTable } from "../csv/table.ts";
import type { View } from "../csv/view.ts";
import type { Verdict } from "../values/verdict.ts";
import type { SourceSettings } from "./settings.ts";
import type { Columns, Cursor, Publication, State } from "../feed/publication.ts";

/** `rows`: JSON arrays of rows, which are arrays of cells; `frame`: one JSON array of objects; the others are documents. */
export type Shape = "rows" | "frame" | DocumentShape;

export type Part<S extends Shape> = S extends "rows" | "frame" ? TextPart : Chunk;

/** A whole table as it was at `cursor`, in parts of bounded size, one after the other; a frame has one part. */
export type Snapshot<S extends Shape> = {
  readonly cursor: Cursor;
  readonly columns: Columns;
  readonly rows: number;
  /** To be iterated once. Throws CsvError if the rest cannot be had any more. */
  readonly parts: AsyncIterable<Part<S>>;
};

export type { SourceSettings } from "./settings.ts";

export type Source = {
  /**
   * The table as it is now, or the first there will be. A frame has at most `maxBytes`. Rejects with CsvError `closed` if the
   * source is closed before; the parts throw `too-large` for a table that takes more room in this shape than there is.
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
  readonly message?: string | undefined;
};

/** What is counted of a connection to a relay. */
export type LinkCounts = {
  readonly connected: boolean;
  /** When the other side was last heard; ms since 1970, 0 for never. */
  readonly heardAt: number;
  readonly entries: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly reconnects: number;
};

export type SourceEvents = {
  /** The first table, and each one that follows. */
  onPublication(publication: Publication): void;
  /** Whether the last table is still what the source says; once for each change. */
  onStatus(status: SourceStatus): void;
  /** Bytes read so far, of about `size`, of a first table that takes a while. */
  onProgress(read: number, size: number): void;
  /** There can be no table at all: the source is closed. */
  onRefused(problem: Problem): void;
  /** The source is a relay: how it goes with it. */
  onLink?(counts: LinkCounts): void;
};

/** `resume`: the last publication of an earlier Worker; of a relay nothing before it may be published. */
export type OpenSource = (settings: SourceSettings, events: SourceEvents, resume: Cursor | undefined) => Source;

/** The rows of a table that are shown, which may be rendered until the table changes. */
export type Shown = {
  readonly cursor: Cursor;
  readonly columns: Columns;
  readonly table: CsvTable;
  readonly view: View;
  /** By them frames and documents have literals; without them every value is a string. */
  readonly verdicts?: readonly Verdict[] | undefined;
};

/** What frames are written in is kept for so long: for the next one, while somebody wants them. */
const ARENA_IDLE_MS = 5_000;

export type Snapshots = Source & {
  /** From now on this is the table. */
  show(shown: Shown): void;
};

/** Renders the current table. The parts must be taken before the event loop turns: then the table may change. */
export function openSnapshots(): Snapshots {
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {}); // nobody may be waiting
  let shown: Shown | undefined;
  let arena: Arena = {};
  let idle: ReturnType<typeof setTimeout> | undefined;

  async function snapshot<S extends Shape>(shape: S, maxBytes?: number): Promise<Snapshot<S>> {
    if (!shown) await first.promise;
    const { cursor, columns, view } = shown!;
    const parts = partsOf(shown!, shape, maxBytes);
    return { cursor, columns, rows: view.end - view.first, parts };
  }

  async function* partsOf<S extends Shape>(of: Shown, shape: S, maxBytes: number | undefined): AsyncGenerator<Part<S>> {
    const { table, view, verdicts } = of;
    const typing = verdicts && typingOf(verdicts);
    const parts =
      shape === "rows"
        ? renderRows(table, view.first, view.end)
        : shape === "frame"
          ? renderFrame(of, maxBytes)
          : renderDocumentChunks(table, view.first, view.end, shape, undefined, typing);
    for (const part of parts) yield part as Part<S>;
  }

  function* renderFrame({ table, view, verdicts }: Shown, maxBytes: number | undefined): Generator<TextPart> {
    clearTimeout(idle);
    idle = setTimeout(() => (arena = {}), ARENA_IDLE_MS);
    const typing = verdicts && typingOf(verdicts);
    const { text, bytes } = table.render(view.first, view.end, "objects", arena, maxBytes, typing);
    if (text === undefined) throw new CsvError("too-large", "the table is larger than a message may be");
    yield { at: 0, text, bytes };
  }

  return {
    show(next) {
      shown = next;
      first.resolve();
    },
    snapshot,
    close() {
      clearTimeout(idle);
      first.reject(new CsvError("closed", "closed"));
    },
  };
}
