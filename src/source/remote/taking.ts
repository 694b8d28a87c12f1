// A body on its way into what is held of a source: compared with what came before as long as it is the same, read anew from where it is
// not. Nothing counts before its end, so that no half of a body is ever a table. Touches no network.
import { SPARE_BYTES } from "../../csv/encoding.ts";
import { CsvError } from "../../csv/error.ts";
import type { CsvTable } from "../../csv/table.ts";
import { openPrints, type Prints, STRETCH_BYTES } from "../file/prints.ts";
import { tooLarge } from "../file/read.ts";
import type { Held, Intake } from "../held.ts";

/** `appended`: what was held is as it was, and something came behind it. */
export type Outcome = "same" | "appended" | "anew";

export type Taking = {
  /** Bytes that come next, in steps, between which others may have their turn. Throws CsvError, or OnceMore. */
  add(piece: Uint8Array): Steps;
  /** All of it came: after these steps this is what is held. `onAppended`: what was appended. Throws as `add` does. */
  finish(onAppended: (text: Uint8Array) => void): Generator<void, Outcome>;
};

type Steps = Generator<void, void>;

export type Takings = {
  /** Of the bytes that are held. */
  size(): number;
  open(): Taking;
};

/** What was held is not what comes, or only the whole tells what it means, and what has passed is needed: ask for all of it once more. */
export class OnceMore extends Error {}

/** What a table is told from at first, if there is so much. */
const FIRST_BYTES = 1 << 20;
/** More is read anew, so that it is not held twice. */
const MAX_APPENDED_BYTES = 4 << 20;
/** A source that has changed elsewhere than at its end most likely does so again: then to compare would be to ask twice. */
const ANEW_BODIES = 16;

type State = {
  readonly held: Held;
  readonly maxMemoryBytes: number;
  prints: Prints;
  /** So many bodies are not compared: the first of them is known to be another, and those after it may be. */
  anew: number;
  /** Bodies are kept until their end: only the whole tells what they mean. */
  keeps: boolean;
};

export type TakingLimits = { readonly maxFileBytes: number; readonly maxMemoryBytes?: number | undefined };

export function openTakings(held: Held, { maxFileBytes, maxMemoryBytes = Infinity }: TakingLimits): Takings {
  const state: State = { held, maxMemoryBytes, prints: openPrints(), anew: 0, keeps: false };

  function open(): Taking {
    const isAnew = state.anew > 0 || held.covered() === 0;
    const taking = state.keeps ? openKept(state) : isAnew ? openAnew(state) : openCompared(state);
    let bytes = 0;
    return {
      *add(piece) {
        bytes += piece.length; // inflated: those that nobody has to send count, too
        if (bytes > maxFileBytes) throw tooLarge(maxFileBytes);
        yield* taking.add(piece);
      },
      finish: taking.finish,
    };
  }

  return { size: () => state.prints.length(), open };
}

/** A body that is read as it comes; what it has in common with the table is kept there. */
function openAnew(state: State): Taking {
  const { held } = state;
  const prints = openPrints();
  let first: Uint8Array[] = [];
  let intake: Intake | undefined;

  function begin(isAll: boolean): void {
    const bytes = Buffer.concat(first);
    intake = held.begin(bytes, isAll);
    if (intake) first = [];
    else if (!isAll) {
      state.keeps = true;
      throw new OnceMore();
    }
  }

  function put(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      const space = intake!.space();
      const some = piece.subarray(at, (at += space.length));
      space.set(some);
      if (intake!.took(some.length)) continue;
      state.keeps = true;
      throw new OnceMore();
    }
  }

  return {
    *add(piece) {
      prints.add(piece);
      if (intake) return put(piece);
      first.push(piece);
      if (prints.length() >= FIRST_BYTES) begin(false);
    },
    *finish() {
      if (!intake) begin(true);
      if (intake) yield* intake.finish(prints.length());
      else setWhole(state, first);
      state.prints = prints;
      state.anew = Math.max(0, state.anew - 1);
      return "anew";
    },
  };
}

/** A body that is kept until its end. */
function openKept(state: State): Taking {
  const prints = openPrints();
  const pieces: Uint8Array[] = [];
  return {
    *add(piece) {
      checkMemory(state, prints.length() + piece.length);
      prints.add(piece);
      pieces.push(piece);
    },
    *finish() {
      setWhole(state, pieces);
      state.prints = prints;
      return "anew";
    },
  };
}

function setWhole({ held }: State, pieces: readonly Uint8Array[]): void {
  const bytes = Buffer.concat([...pieces, new Uint8Array(SPARE_BYTES)]);
  held.set(bytes, bytes.length - SPARE_BYTES);
}

function checkMemory({ maxMemoryBytes }: State, bytes: number): void {
  if (bytes > maxMemoryBytes)
    throw new CsvError("too-large", `takes more than ${maxMemoryBytes} bytes; see --max-memory and --last`);
}

/** A body that is most likely what is held, with something behind it. Where it is not it is read anew, what has passed from what is held. */
function openCompared(state: State): Taking {
  const { held } = state;
  const known = held.covered();
  const before = verbatim(held);
  const compared = openComparison(state, before);
  const appended: Uint8Array[] = [];
  let appendedBytes = 0;
  let anew: Taking | undefined;

  function* readAnew(pieces: readonly Uint8Array[]): Steps {
    const text = mustHave(before);
    anew = openAnew(state);
    let rest = compared.length();
    for (const piece of text.pieces()) {
      if (rest > 0) yield* anew.add(piece.subarray(0, rest));
      rest -= piece.length;
      yield;
    }
    for (const piece of pieces) yield* anew.add(piece);
  }

  function mustHave(table: CsvTable | undefined): CsvTable {
    if (table) return table;
    state.anew = ANEW_BODIES;
    throw new OnceMore();
  }

  function append(onAppended: (text: Uint8Array) => void): Outcome {
    const text = Buffer.concat(appended);
    if (text.length === 0) return "same";
    if (!held.append(text)) return understoodAnew([...mustHave(before).pieces(), text]);
    state.prints.add(text);
    onAppended(text);
    return "appended";
  }

  /** What was appended changes what it means. */
  function understoodAnew(whole: readonly Uint8Array[]): Outcome {
    setWhole(state, whole);
    state.prints = openPrints();
    for (const piece of whole) state.prints.add(piece);
    return "anew";
  }

  return {
    *add(piece) {
      if (anew) return yield* anew.add(piece);
      const inside = piece.subarray(0, known - compared.length());
      const behind = piece.subarray(inside.length);
      if (inside.length > 0 && !compared.add(inside)) return yield* readAnew([piece]);
      if (behind.length > 0) appended.push(behind);
      appendedBytes += behind.length;
      if (appendedBytes > MAX_APPENDED_BYTES) yield* readAnew(appended);
    },
    *finish(onAppended) {
      if (!anew && compared.length() === known && compared.isSame()) return append(onAppended);
      if (!anew) yield* readAnew([]);
      return yield* anew!.finish(onAppended);
    },
  };
}

/** The table, if its text is what came, byte by byte, all of it. */
function verbatim(held: Held): CsvTable | undefined {
  const table = held.table();
  return table && held.isVerbatim() && table.gone().bytes === 0 ? table : undefined;
}

/** With the bytes themselves; where they are not held any more as they came, with hashes of them. */
function openComparison({ prints }: State, table: CsvTable | undefined) {
  let length = 0; // that was given
  let stretch = Buffer.alloc(table ? 0 : STRETCH_BYTES);
  let filled = 0;

  /** Whether what is there of the last stretch is the same. */
  const isSame = () => filled === 0 || prints.matches(length - filled, stretch.subarray(0, filled));

  function addToStretch(piece: Uint8Array): boolean {
    for (let at = 0; at < piece.length;) {
      const some = piece.subarray(at, at + STRETCH_BYTES - filled);
      stretch.set(some, filled);
      filled += some.length;
      at += some.length;
      length += some.length;
      if (filled < STRETCH_BYTES) continue;
      if (!isSame()) return false;
      filled = 0;
    }
    return true;
  }

  return {
    length: () => length,
    isSame,
    /** False if these are other bytes: then they do not count. */
    add(piece: Uint8Array): boolean {
      if (!table) return addToStretch(piece);
      if (!table.matches(length, piece)) return false;
      length += piece.length;
      return true;
    },
  };
}
