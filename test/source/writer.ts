// A source room at work on a real file, for tests: what it has published, rebuilt from the splices as a client would.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertCsvToJson } from "../../src/source/convert.ts";
import { type FileSettings, type FileState, openFile } from "../../src/source/file.ts";

export type Followed = AsyncDisposable & {
  /** Rows as arrays of cells, rebuilt from every publication so far. */
  rows(): string[][];
  state(): FileState | "waiting";
  /** Every state so far, in order. */
  states(): readonly string[];
  /** Brings the Worker down, as a defect of ours would: a number it cannot reckon with. */
  crash(): void;
  message(): string;
  publications(): readonly { splices: string | undefined; isNewEpoch: boolean; rows: string[][] }[];
  /** The JSON a plain client would get now. */
  json(): Promise<string | undefined>;
  /** Waits until `condition` holds; fails with what there is instead. */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** Waits until what is on air is what a fresh conversion of `path` gives. */
  converges(path: string, lastRows?: number): Promise<void>;
};

export const SETTLE_MS = 40;

/** Follows `path` with short waits; `changes` for what a test needs otherwise. */
export function follow(path: string, changes: Partial<FileSettings> = {}): Followed {
  let rows: string[][] = [];
  let state: FileState | "waiting" = "waiting";
  let message = "";
  let needsAll = false;
  const states: string[] = [];
  const publications: { splices: string | undefined; isNewEpoch: boolean; rows: string[][] }[] = [];
  const asked: ((text: string | undefined) => void)[] = [];
  const file = openFile(
    {
      path,
      readOptions: {},
      maxFileBytes: 2 ** 30,
      settleMs: SETTLE_MS,
      lastRows: Infinity,
      maxCellBytes: 1 << 24,
      limitMs: 5_000,
      lookMs: 20,
      watches: true,
      version: 0,
      ...changes,
    },
    {
      onProgress() {},
      onRefused(_kind, why) {
        state = "missing";
        message = why;
      },
      onTable(facts, { splices, isNewEpoch }) {
        if (splices === undefined) {
          needsAll = true;
          file.render(2 ** 30);
        } else if (!needsAll) {
          rows = [...rows];
          for (const [start, deleted, fresh] of JSON.parse(splices) as [number, number, string[][]][])
            rows.splice(start, deleted, ...fresh);
          if (rows.length !== facts.rows) message = `splices lead to ${rows.length} rows instead of ${facts.rows}`;
        } else file.render(2 ** 30);
        publications.push({ splices, isNewEpoch, rows });
      },
      onState(next, why) {
        states.push(next);
        state = next;
        message = why;
      },
      onRendering() {},
      onUnrenderable() {},
      onJson({ text }) {
        if (needsAll) rows = (JSON.parse(text ?? "[]") as Record<string, string>[]).map((row) => Object.values(row));
        needsAll = false;
        for (const answer of asked.splice(0)) answer(text);
      },
    },
  );

  async function json(): Promise<string | undefined> {
    const answer = Promise.withResolvers<string | undefined>();
    asked.push(answer.resolve);
    file.render(2 ** 30);
    return answer.promise;
  }

  async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const giveUp = performance.now() + 15_000;
    while (!(await condition())) {
      if (performance.now() > giveUp)
        throw new Error(`never ${what}: ${state} ${message} ${JSON.stringify(rows).slice(0, 300)}`);
      await Bun.sleep(2);
    }
  }

  return {
    rows: () => rows,
    state: () => state,
    states: () => states,
    crash() {
      file.rest(); // so that room must be reckoned anew
      file.render(1n as never);
    },
    message: () => message,
    publications: () => publications,
    json,
    until,
    async converges(target, lastRows = Infinity) {
      await until(async () => {
        const expected = await convertCsvToJson(target).catch(() => undefined);
        if (expected === undefined) return false;
        const objects = JSON.parse(expected) as Record<string, string>[];
        const seen = lastRows === Infinity ? expected : JSON.stringify(objects.slice(-lastRows));
        return (await json()) === seen && JSON.stringify(rows) === cellsOf(seen);
      }, `what ${target} says`);
    },
    async [Symbol.asyncDispose]() {
      file.close();
    },
  };
}

function cellsOf(json: string): string {
  return JSON.stringify((JSON.parse(json) as Record<string, string>[]).map((row) => Object.values(row)));
}

/** A folder of its own that is gone afterwards. */
export function temporaryFolder(): Disposable & { path(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), "csvcast-test-"));
  return {
    path: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
