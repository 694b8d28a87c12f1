// From the table that a source holds to what the world gets of it: draws epochs, numbers versions, writes changes and snapshots as text.
// The same for every source that makes tables itself; lives in the Worker, so that the event loop of the server never touches rows.
import { randomBytes } from "node:crypto";
import { collectAfter, collectAfterOpening } from "./garbage.ts";
import { type Arena, bytesOfArena } from "../csv/render.ts";
import { renderBlocks } from "../csv/table.ts";
import { describeDialect, warningsOf } from "../csv/verdict.ts";
import type { About, Columns, Cursor, Publication } from "../feed/publication.ts";
import type { Revision } from "./held.ts";
import { openJudging } from "./judging.ts";
import { hold } from "./memory.ts";
import type { SourceSettings } from "./settings.ts";
import { openSnapshots } from "./snapshots.ts";
import type { Source } from "./source.ts";

export type Publishing = Pick<Source, "snapshot" | "close"> & {
  /** In steps. `changedAt` in ms since 1970; `noticedAt` by the monotonic clock. */
  publish(revision: Revision, changedAt: number, noticedAt: number): Generator<void>;
};

/** Without `types` frames and documents are strings; what the columns are is told all the same. */
export type PublishingSettings = Partial<Pick<SourceSettings, "types" | "maxMemoryBytes" | "memory" | "pinned">>;

export type PublishingOptions = {
  readonly name: string;
  /** A monotonic clock in ms. */
  readonly now: () => number;
  /** What seems odd besides what is in the table: a sentence each. */
  readonly oddities?: () => readonly string[];
  readonly onPublication: (publication: Publication) => void;
};

/** A larger one is not kept for the next change. */
const MAX_ARENA_BYTES = 8 << 20;

/** So many are written in one step. */
const STEP_SPLICES = 512;

/** Of a small table a change may be as long as this. */
const MIN_CHANGE_BYTES = 1 << 20;

export function openPublishing(
  { types, maxMemoryBytes = Infinity, memory, pinned }: PublishingSettings,
  { name, now, oddities = () => [], onPublication }: PublishingOptions,
): Publishing {
  const snapshots = openSnapshots(pinned, maxMemoryBytes);
  const judging = openJudging(types);
  let columns: Columns = { count: 0, json: "[]" };
  let cursor: Cursor = { epoch: "", version: 0 };
  let lastRows = 0;
  let arena: Arena = {};
  let gone = 0; // bytes that the table has let go so far
  const lines = new Map<number, number>(); // of what the warnings are about

  function* publish(revision: Revision, changedAt: number, noticedAt: number): Generator<void> {
    const { table, blocks, document, view, isNewEpoch } = revision;
    hold(memory, table.length());
    cursor = isNewEpoch ? { epoch: newEpoch(), version: 1 } : { ...cursor, version: cursor.version + 1 };
    const splices = yield* splicesOf(revision, arena);
    if (bytesOfArena(arena) > MAX_ARENA_BYTES) arena = {};
    judging.judge(revision, splices);
    const verdicts = judging.codes();
    if (isNewEpoch) columns = { count: table.columns.length, json: JSON.stringify(table.columns), verdicts };
    else if (verdicts !== columns.verdicts) columns = { ...columns, verdicts };
    const { change } = revision;
    if (change === "all" || change.some(({ from }) => from + 1 < lastRows)) lines.clear();
    lastRows = table.rows();
    const about: About = {
      name,
      dialect: describeDialect(document),
      warnings: [...warningsOf(document, table, lines), ...untyped(types, table.columns), ...oddities()],
      misfits: judging.misfits(),
      changedAt,
      readMs: Math.round((now() - noticedAt) * 1000) / 1000,
      bytes: table.length(),
    };
    const first = table.gone().rows + view.first || undefined;
    const shown = { cursor, first, columns, table: blocks, from: view.first, to: view.end };
    const { bytes: goneBytes } = table.gone();
    collectAfter((splices?.length ?? table.length()) + Math.max(0, goneBytes - gone));
    gone = goneBytes;
    if (isNewEpoch) collectAfterOpening();
    snapshots.show({ ...shown, verdicts: types && judging.verdicts() }, splices);
    onPublication({ cursor, columns, rows: view.end - view.first, first, splices, about });
  }

  return { publish, snapshot: snapshots.snapshot, close: snapshots.close };
}

/** What is said of columns that there are not. */
function untyped(types: SourceSettings["types"], columns: readonly string[]): string[] {
  if (types === undefined || types === "auto") return [];
  const unknown = Object.keys(types).filter((name) => !columns.includes(name));
  return unknown.map((name) => `--types: there is no column ${JSON.stringify(name)}`);
}

/** No history of any server has the same. */
const newEpoch = () => randomBytes(6).toString("base64url");

/**
 * The change as JSON, `[[start, deleted, rows], …]`; undefined if the view is to be taken anew. So it is if that text is longer than
 * the table: short rows under a wide header are, many times over.
 */
function* splicesOf({ table, blocks, change }: Revision, arena: Arena): Generator<void, string | undefined> {
  if (change === "all") return undefined;
  let room = Math.max(MIN_CHANGE_BYTES, table.length());
  const texts: string[] = [];
  for (const { start, deleted, from, inserted } of change) {
    const { text, bytes } = renderBlocks(blocks, from, from + inserted, "arrays", arena, room);
    if (text === undefined) return undefined;
    room -= bytes;
    texts.push(`[${start},${deleted},${text}]`);
    if (texts.length % STEP_SPLICES === 0) yield;
  }
  return `[${texts.join(",")}]`;
}
