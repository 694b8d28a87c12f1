// A Worker whose sources do as the test says, by their location: for what a real source does too rarely.
import type { Cursor, Publication } from "../../src/feed/publication.ts";
import { snapshotOf, type Source, type SourceEvents } from "../../src/source/source.ts";
import { serveSources } from "../../src/source/worker.ts";

const COLUMNS = { count: 1, json: '["a"]' };

const publicationOf = (cursor: Cursor): Publication => ({
  cursor,
  columns: COLUMNS,
  rows: 2,
  about: { name: "scripted", dialect: "comma, UTF-8", warnings: [], changedAt: 1, readMs: 0, bytes: 6 },
});

/** `published`: goes on one version behind what it is to resume; its snapshots begin and never end. */
function openPublished(events: SourceEvents, resume: Cursor | undefined): Source {
  const cursor = { epoch: resume?.epoch ?? "first", version: (resume?.version ?? 0) + 1 };
  events.onPublication(publicationOf(cursor));
  const part = (at: number) =>
    at === 0 ? Promise.resolve({ at: 0, next: 1, text: '[["1"]]', bytes: 7 }) : new Promise(() => {});
  const snapshot = async () => snapshotOf({ cursor, columns: COLUMNS, rows: 2, part, close() {} } as never);
  return { snapshot, close() {} };
}

/** `repeats`: reports everything twice, and then that it is missing. */
function openRepeating(events: SourceEvents): Source {
  const link = { connected: true, heardAt: 1, entries: 2, bytes: 3, snapshots: 4, reconnects: 5, tables: 1 };
  for (const _ of [1, 2]) {
    events.onProgress(1, 2);
    events.onLink?.(link);
    events.onStatus({ state: "live" });
  }
  for (const _ of [1, 2]) events.onStatus({ state: "stale", problem: { kind: "io", reason: "broken", line: 7 } });
  events.onStatus({ state: "stale", problem: { kind: "io", reason: "broken otherwise" } });
  events.onStatus({ state: "live" });
  events.onStatus({ state: "missing", since: 5 });
  return { snapshot: () => Promise.reject(new Error("no snapshot")), close() {} };
}

/** `refused`: twice, and nothing of it is heard afterwards. */
function openRefused(events: SourceEvents): Source {
  events.onRefused({ kind: "not-csv", reason: "no CSV" });
  events.onRefused({ kind: "not-csv", reason: "no CSV" });
  events.onPublication(publicationOf({ epoch: "late", version: 1 }));
  return { snapshot: () => new Promise(() => {}), close() {} };
}

serveSources(({ location }, events, resume) => {
  switch (location) {
    case "published":
      return openPublished(events, resume);
    case "repeats":
      return openRepeating(events);
    case "refused":
      return openRefused(events);
    default:
      throw new Error(`no source is called ${location}`);
  }
});
