// Snapshots of a table that is held, for sources that hold one.
import { CsvError } from "../csv/error.ts";
import { typingOf } from "../csv/literals.ts";
import { renderDocumentChunks, renderRows, type TextPart } from "../csv/parts.ts";
import type { Arena } from "../csv/render.ts";
import type { CsvTable } from "../csv/table.ts";
import type { View } from "../csv/view.ts";
import type { Columns, Cursor } from "../feed/publication.ts";
import type { Verdict } from "../values/verdict.ts";
import type { Part, Shape, Snapshot, Source } from "./source.ts";

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
