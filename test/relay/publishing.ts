// A publisher to a relay without a server around it, for tests: a table of one column that grows, and may begin anew.
import type { Publication, Sink, Verdicts } from "../../src/feed/publication.ts";
import { relayAddress, type RelayAddress } from "../../src/relay/address.ts";
import {
  openPublisher,
  type Publisher,
  type PublisherCounts,
  type PublisherEvents,
} from "../../src/relay/publish/publisher.ts";
import { type Snapshot, snapshotOf as sourceSnapshot } from "../../src/source/source.ts";

export type TestTable = {
  rows(): readonly string[];
  /** Appends rows, as one change. */
  append(...rows: string[]): void;
  /** The last row becomes another. */
  edit(row: string): void;
  /** Another table, in an epoch of this name, at this version. */
  begin(epoch: string, version: number, rows: readonly string[]): void;
  /** What takes its publications, and what it was given last. */
  readonly sink: Sink;
  publication(splices?: string): Publication;
};

export type TestPublisher = AsyncDisposable &
  Omit<TestTable, "sink"> & {
    /** One more table, which is in the list when that is set. */
    table(name: string): TestTable;
    counts(): PublisherCounts;
    /** What it reports. */
    readonly events: readonly string[];
    /** The publisher itself, and the sink of its first table. */
    readonly sink: Pick<Sink, "publish" | "setStatus"> & Publisher;
  };

export const HEARTBEAT_MS = 50;
export const CHANGED_AT = 1_700_000_000_000;

export function addressOf(url: string): RelayAddress {
  const address = relayAddress(url);
  if ("fault" in address) throw new Error(address.fault);
  return address;
}

/** A snapshot that is cut into parts of two rows. */
export function snapshotOf({ cursor, columns }: Publication, rows: readonly string[]): Snapshot<"rows"> {
  return sourceSnapshot({
    cursor,
    columns,
    rows: rows.length,
    async part(at) {
      const text = JSON.stringify(rows.slice(at, at + 2).map((row) => [row]));
      return { at, next: Math.min(at + 2, rows.length), text, bytes: Buffer.byteLength(text) };
    },
    close() {},
  });
}

export function openTestPublisher(
  url: string,
  changes: { isStandby?: boolean; onForeign?: PublisherEvents["onForeign"]; verdicts?: Verdicts } = {},
): TestPublisher {
  const events: string[] = [];
  const publisher = openPublisher(
    { address: addressOf(url), heartbeatMs: HEARTBEAT_MS, isStandby: changes.isStandby ?? false },
    {
      onOwned: () => void events.push("owned"),
      onForeign(table) {
        events.push("foreign");
        changes.onForeign?.(table);
      },
      onTaken: () => void events.push("taken"),
      onAway: (why) => void events.push(`away: ${why}`),
      onBack: () => void events.push("back"),
      onTrouble: (_table, why) => void events.push(`trouble: ${why}`),
    },
  );
  const first = openTestTable(publisher, "csv", changes.verdicts);
  publisher.setTables({ first: "f", others: [] });
  return {
    ...first,
    table: (name) => openTestTable(publisher, name),
    counts: publisher.counts,
    events,
    sink: { ...first.sink, ...publisher },
    [Symbol.asyncDispose]: publisher.close,
  };
}

function openTestTable(publisher: Publisher, name: string, verdicts?: Verdicts): TestTable {
  let rows: string[] = [];
  let cursor = { epoch: "first", version: 1 };
  const publication = (splices?: string): Publication => ({
    cursor,
    columns: { count: 1, json: '["a"]', verdicts },
    rows: rows.length,
    splices,
    about: {
      name: "f.csv",
      dialect: "comma, UTF-8",
      warnings: ["1 cell dropped"],
      changedAt: CHANGED_AT + cursor.version + 0.5,
      readMs: 1,
      bytes: JSON.stringify(rows).length,
    },
  });
  const sink = publisher.table(name, async () => snapshotOf(publication(), rows));
  sink.setStatus({ state: "live", message: "", since: 1 });
  const splice = (start: number, deleted: number, added: readonly string[]) => {
    rows = rows.toSpliced(start, deleted, ...added);
    cursor = { ...cursor, version: cursor.version + 1 };
    sink.publish(publication(JSON.stringify([[start, deleted, added.map((row) => [row])]])));
  };
  return {
    rows: () => rows,
    append: (...added) => splice(rows.length, 0, added),
    edit: (row) => splice(rows.length - 1, 1, [row]),
    begin(epoch, version, fresh) {
      rows = [...fresh];
      cursor = { epoch, version };
      sink.publish(publication());
    },
    sink,
    publication,
  };
}
