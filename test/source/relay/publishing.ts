// A publisher to a relay without a server around it, for tests: a table of one column that grows, and may begin anew.
import { relayAddress } from "../../../src/source/relay/address.ts";
import { openPublisher, type PublisherFigures, type RelayFacts } from "../../../src/source/relay/publisher.ts";

export type TestPublisher = AsyncDisposable & {
  rows(): readonly string[];
  /** Appends rows, as one change. */
  append(...rows: string[]): void;
  /** The last row becomes another. */
  edit(row: string): void;
  figures(): PublisherFigures;
  /** Another table, in an epoch of this name, at this version. */
  begin(epoch: string, version: number, rows: readonly string[]): void;
};

export const HEARTBEAT_MS = 50;

export function openTestPublisher(url: string): TestPublisher {
  const address = relayAddress(url);
  if ("fault" in address) throw new Error(address.fault);
  let rows: string[] = [];
  let cursor = { epoch: "first", version: 1 };
  const json = () => JSON.stringify(rows.map((row) => [row]));
  const facts = (): RelayFacts => ({
    cursor,
    columnsJson: '["a"]',
    rows: rows.length,
    bytes: json().length,
    file: "f.csv",
    dialect: "comma, UTF-8",
    warnings: [],
  });
  const render = async () => ({
    version: cursor.version,
    shape: "rows" as const,
    rows: rows.length,
    bytes: 0,
    parts: [{ at: 0, text: json() }],
    chunks: [],
  });
  const nothing = () => {};
  const publisher = openPublisher(
    { address, heartbeatMs: HEARTBEAT_MS, isStandby: false, render },
    { onOwned: nothing, onTaken: nothing, onAway: nothing, onBack: nothing, onTrouble: nothing },
  );
  publisher.setStatus({ state: "live", message: "", since: 1 });
  const splice = (start: number, deleted: number, added: readonly string[]) => {
    rows = rows.toSpliced(start, deleted, ...added);
    cursor = { ...cursor, version: cursor.version + 1 };
    publisher.publish(facts(), JSON.stringify([[start, deleted, added.map((row) => [row])]]));
  };
  return {
    rows: () => rows,
    append: (...added) => splice(rows.length, 0, added),
    edit: (row) => splice(rows.length - 1, 1, [row]),
    figures: publisher.figures,
    begin(epoch, version, fresh) {
      rows = [...fresh];
      cursor = { epoch, version };
      publisher.publish(facts(), undefined);
    },
    [Symbol.asyncDispose]: publisher.close,
  };
}
