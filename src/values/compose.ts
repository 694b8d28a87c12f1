// Splices that apply one after the other, in whatever order their rows are -> splices with the same outcome in the order of their rows,
// which one pass can apply. Knows nothing of what a row is.

/** As `Splice` of the wire: at row `start`, `deleteCount` rows go and `rows` come. */
export type SpliceOf<R> = readonly [start: number, deleteCount: number, rows: readonly R[]];

/** What becomes of the next rows: so many stay or go, or come, which are those of `rows` at `from`. */
type Step<R> = {
  readonly kind: "keep" | "delete" | "insert";
  readonly length: number;
  readonly rows: readonly R[];
  readonly from: number;
};

const NONE: readonly never[] = [];

/**
 * The same change, each splice behind the rows of the one before it; those that are so already are given back. The work is that of
 * merging lists of them: a catch-up may bring thousands of changes, each of which begins at the top again.
 */
export function ascending<R>(splices: readonly SpliceOf<R>[]): readonly SpliceOf<R>[] {
  let runs: (readonly SpliceOf<R>[])[] = runsOf(splices);
  while (runs.length > 1) {
    const pairs: (readonly SpliceOf<R>[])[] = [];
    for (let i = 0; i < runs.length; i += 2)
      pairs.push(i + 1 < runs.length ? composed(runs[i]!, runs[i + 1]!) : runs[i]!);
    runs = pairs;
  }
  return runs[0] ?? [];
}

/** Stretches of splices, each of which begins behind the one before it. */
function runsOf<R>(splices: readonly SpliceOf<R>[]): SpliceOf<R>[][] {
  const runs: SpliceOf<R>[][] = [];
  let end = Infinity;
  for (const splice of splices) {
    const [start, , rows] = splice;
    if (start < end) runs.push([]);
    runs.at(-1)!.push(splice);
    end = start + rows.length;
  }
  return runs;
}

/** What the first and then the second do, both ascending, as one. */
function composed<R>(first: readonly SpliceOf<R>[], second: readonly SpliceOf<R>[]): SpliceOf<R>[] {
  const before = stepsOf(first);
  const after = stepsOf(second);
  const made = openMade<R>();
  let a = before.next().value;
  let b = after.next().value;
  while (a || b) {
    if (b?.kind === "insert") {
      made.insert(b, b.length);
      b = after.next().value;
    } else if (a?.kind === "delete") {
      made.remove(a.length);
      a = before.next().value;
    } else {
      // Rows that are there between the two; behind the last step everything stays.
      const length = Math.min(a?.length ?? Infinity, b?.length ?? Infinity);
      const isNew = a?.kind === "insert";
      if (b?.kind === "delete") made.remove(isNew ? 0 : length);
      else if (isNew) made.insert(a!, length);
      else made.keep(length);
      a = restOf(a, length) ?? before.next().value;
      b = restOf(b, length) ?? after.next().value;
    }
  }
  return made.end();
}

function restOf<R>(step: Step<R> | undefined, done: number): Step<R> | undefined {
  if (step === undefined || step.length === done) return undefined;
  return { ...step, length: step.length - done, from: step.from + done };
}

function* stepsOf<R>(splices: readonly SpliceOf<R>[]): Generator<Step<R>, undefined> {
  let end = 0;
  for (const [start, deleted, rows] of splices) {
    if (start > end) yield { kind: "keep", length: start - end, rows: NONE, from: 0 };
    if (deleted > 0) yield { kind: "delete", length: deleted, rows: NONE, from: 0 };
    if (rows.length > 0) yield { kind: "insert", length: rows.length, rows, from: 0 };
    end = start + rows.length;
  }
}

/** Collects steps as splices. */
function openMade<R>() {
  const made: SpliceOf<R>[] = [];
  let at = 0;
  let deleted = 0;
  let come: R[] = [];

  function keep(length: number): void {
    if (deleted + come.length > 0) made.push([at - come.length, deleted, come]);
    deleted = 0;
    come = [];
    at += length;
  }

  return {
    keep,
    remove: (length: number) => void (deleted += length),
    insert({ rows, from }: Step<R>, length: number): void {
      for (let i = from; i < from + length; i++) come.push(rows[i]!);
      at += length;
    },
    end(): SpliceOf<R>[] {
      keep(0);
      return made;
    },
  };
}
