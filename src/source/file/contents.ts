// The bytes of a file on their way into what is held of it: anew, or from where they end on. Remembers what the bytes were, so that the
// next look can tell whether they are still the same.
import { SPARE_BYTES } from "../../csv/encoding.ts";
import { trailingHole } from "../../csv/holes.ts";
import type { Held } from "../held.ts";
import { openPrints, type Prints, STRETCH_BYTES } from "./prints.ts";
import { readAll, readRange } from "./read.ts";

/** A file that was read anew: it is what is held once it is finished. */
export type Coming = { finish(): void };

export type Progress = (read: number, size: number) => void;

export type Contents = {
  prints(): Prints;
  /** Whether an open file begins with the bytes that are held, or so many of them, as far as its first and the last of them tell. */
  isAsBefore(fd: number, length?: number): boolean;
  /** Whether there is something now where NULs were behind what is held: who has mapped the file into memory changes no time of it. */
  isWrittenOver(fd: number): boolean;
  /**
   * What is behind the bytes that are held, but for the NULs that the file ends with, if it was preallocated. False if the file must
   * be read anew, as what was appended changes what it means.
   */
  append(fd: number, size: number, onPiece: (text: Uint8Array) => void): Generator<void, boolean>;
  /**
   * Whether only the last row has become another, as where a writer shows its progress in it: then that is what is held. It is not
   * looked for far back.
   */
  replaceLastRow(fd: number, size: number): boolean;
  /** The first `size` bytes of an open file. Throws CsvError. */
  take(fd: number, size: number, onProgress: Progress): Generator<void, Coming>;
};

/** So far a page of memory goes, which shows no further change once it has shown one. */
const PAGE_BYTES = 4_096;
/** What is read at once. */
const STEP_BYTES = 1 << 20;
/** What is read passes through here; what is compared, and small appends, through the other one. */
const step = Buffer.allocUnsafeSlow(STEP_BYTES + SPARE_BYTES);
const small = Buffer.allocUnsafeSlow(STRETCH_BYTES + SPARE_BYTES);

export function openContents(held: Held, maxFileBytes: number): Contents {
  let prints: Prints = openPrints();
  let nulsTo = 0; // behind what is covered the file was nothing but NULs, up to here

  function isAsBefore(fd: number, length = prints.length()): boolean {
    const isSameAt = (at: number) => {
      const bytes = readRange(fd, at, Math.max(0, Math.min(STRETCH_BYTES, length - at)), small);
      return at + bytes.length >= Math.min(length, at + STRETCH_BYTES) && prints.matches(at, bytes);
    };
    return prints.edges().every(isSameAt);
  }

  function isWrittenOver(fd: number): boolean {
    const at = held.covered();
    if (at >= nulsTo) return false;
    return readRange(fd, at, Math.min(PAGE_BYTES, nulsTo - at), small).some((byte) => byte !== 0);
  }

  function* append(fd: number, size: number, onPiece: (text: Uint8Array) => void): Generator<void, boolean> {
    let at = held.covered();
    let nuls = 0;
    while (at < size) {
      const piece = readRange(fd, at, Math.min(STEP_BYTES, size - at), size - at > STRETCH_BYTES ? step : small);
      if (piece.length === 0) break;
      at += piece.length;
      const hole = trailingHole(piece);
      const text = piece.subarray(0, piece.length - hole);
      if (hole > 0 && at < nulsTo && nulsTo <= size) at = nulsTo;
      if (text.length === 0) {
        nuls = at - held.covered();
        yield;
        continue;
      }
      if (nuls > 0) skip(nuls);
      if (!held.append(text)) return false;
      prints.add(text);
      nuls = at - held.covered();
      onPiece(text);
      yield;
    }
    nulsTo = size;
    return true;
  }

  function skip(nuls: number): void {
    held.skip(nuls);
    prints.addNuls(nuls);
  }

  /** The file piece by piece; undefined if only the whole of it at once tells what it means. */
  function* takeIn(fd: number, size: number, onProgress: Progress): Generator<void, Coming | undefined> {
    const coming = openPrints();
    let at = 0;
    let first: Uint8Array;
    for (;;) {
      first = readRange(fd, at, Math.min(size - at, STEP_BYTES), step);
      at += first.length;
      if (trailingHole(first) < first.length || first.length === 0) break;
      coming.addNuls(first.length);
      yield;
    }
    let nuls = trailingHole(first);
    const text = first.subarray(0, first.length - nuls);
    const intake = held.begin(text, at >= size, coming.length());
    if (!intake) return undefined;
    coming.add(text);
    while (at < size) {
      onProgress(at, size);
      yield;
      const space = intake.space();
      const piece = readRange(fd, at, Math.min(space.length, size - at), space);
      if (piece.length === 0) break;
      at += piece.length;
      const hole = trailingHole(piece);
      if (hole === piece.length) nuls += hole;
      else {
        if (nuls > 0) intake.skip(nuls);
        coming.addNuls(nuls);
        coming.add(piece.subarray(0, piece.length - hole));
        if (!intake.took(piece.length - hole)) return undefined;
        nuls = hole;
      }
    }
    onProgress(at, size);
    return comingOf(coming, size, () => intake.finish(coming.length()));
  }

  /** The file at once. */
  function readWhole(fd: number, size: number, onProgress: Progress): Coming {
    const { bytes, length } = readAll(fd, size, { maxFileBytes, onProgress });
    const text = bytes.subarray(0, Math.min(length, size));
    const end = text.length - trailingHole(text);
    const coming = openPrints();
    coming.add(text.subarray(0, end));
    return comingOf(coming, size, () => held.set(bytes, end));
  }

  function replaceLastRow(fd: number, size: number): boolean {
    const at = held.lastRowAt();
    if (at === undefined || size <= at || size - at > STRETCH_BYTES || !isAsBefore(fd, at)) return false;
    if (size === prints.length() && isAsBefore(fd)) return false;
    const row = readRange(fd, at, size - at, small);
    if (row.length < size - at || !held.isRecord(row) || !prints.truncate(at)) return false;
    held.replaceFrom(at, row);
    prints.add(row);
    return true;
  }

  function comingOf(read: Prints, size: number, finish: () => void): Coming {
    return {
      finish() {
        finish();
        prints = read;
        nulsTo = size;
      },
    };
  }

  function* take(fd: number, size: number, onProgress: Progress): Generator<void, Coming> {
    return (yield* takeIn(fd, size, onProgress)) ?? readWhole(fd, size, onProgress);
  }

  return { prints: () => prints, isAsBefore, isWrittenOver, append, replaceLastRow, take };
}
