// Records that are no rows: blank ones, those of nothing but NULs, and what a dialect knows besides: its header again, the units
// under it, comments, directives. All walkers of the grammar ask here, so that they agree on what a row is.

const LF = 10;
const CR = 13;

/** What a dialect skips in the body. All are bytes of the text itself. */
export type Skips = {
  /** Whole records, without their record end: the header, its units. */
  readonly records: readonly Uint8Array[];
  /** Lines that begin so, whatever follows: comments and directives. No quote means anything in them. */
  readonly prefixes: readonly Uint8Array[];
};

export type SkipKind = "blank" | "nul" | "again" | "comment";

export type Skipper = {
  /** By first byte: 0 where a record is a row for sure. */
  readonly starts: Uint8Array;
  /** The offset behind the record at `i` if that is no row; -1 if it is one, or if it is not complete before `to`. */
  end(bytes: Uint8Array, i: number, to: number): number;
  /** The kind of the record that `end` has found last. */
  kind(): SkipKind;
};

const skippers = new WeakMap<Skips, Map<number, Skipper>>();
const NONE: Skips = { records: [], prefixes: [] };

export function skipperOf(skips: Skips = NONE, recordEnd: number): Skipper {
  const known = skippers.get(skips) ?? new Map<number, Skipper>();
  skippers.set(skips, known);
  const skipper = known.get(recordEnd) ?? createSkipper(skips, recordEnd);
  known.set(recordEnd, skipper);
  return skipper;
}

function createSkipper({ records, prefixes }: Skips, recordEnd: number): Skipper {
  const starts = new Uint8Array(256);
  starts[recordEnd] = starts[0] = 1;
  if (recordEnd === LF) starts[CR] = 1;
  for (const needle of [...records, ...prefixes]) if (needle.length > 0) starts[needle[0]!] = 1;
  let kind: SkipKind = "blank";

  function end(bytes: Uint8Array, i: number, to: number): number {
    const first = bytes[i]!;
    kind = "blank";
    if (first === recordEnd) return i + 1;
    if (first === CR && recordEnd === LF) return behindEnd(bytes, i, to, recordEnd);
    if (first === 0) {
      kind = "nul";
      let at = i;
      while (at < to && bytes[at] === 0) at++;
      return at === to ? to : behindEnd(bytes, at, to, recordEnd);
    }
    kind = "comment";
    for (const prefix of prefixes) if (isAt(prefix, bytes, i, to)) return behindLine(bytes, i, to, recordEnd);
    kind = "again";
    for (const record of records) {
      if (!isAt(record, bytes, i, to)) continue;
      const at = i + record.length;
      const behind = at === to ? to : behindEnd(bytes, at, to, recordEnd);
      if (behind !== -1) return behind;
    }
    return -1;
  }
  return { starts, end, kind: () => kind };
}

/** Behind the record end at `i`, or `to` behind the CRs that a text ends with; -1 if something else stands there. */
export function behindEnd(bytes: Uint8Array, i: number, to: number, recordEnd: number): number {
  if (recordEnd === LF) while (i < to && bytes[i] === CR) i++;
  return i === to ? to : bytes[i] === recordEnd ? i + 1 : -1;
}

function behindLine(bytes: Uint8Array, i: number, to: number, recordEnd: number): number {
  const at = bytes.indexOf(recordEnd, i);
  return at === -1 || at >= to ? to : at + 1;
}

function isAt(needle: Uint8Array, bytes: Uint8Array, i: number, to: number): boolean {
  if (i + needle.length > to) return false;
  for (let k = 0; k < needle.length; k++) if (bytes[i + k] !== needle[k]) return false;
  return needle.length > 0;
}
