// The text of a source whose options ask for another grammar, on its way into a table: marked piece by piece. What separates the cells is
// told by its head.
import { markingIn } from "./document.ts";
import { HEAD_BYTES, SPARE_BYTES } from "./encoding.ts";
import { type Marker, openMarker } from "./marks.ts";
import { isExotic, type ReadOptions } from "./options.ts";

export type MarkedText = Pick<Marker, "take" | "takeSettled" | "takeWaiting"> & {
  /** As it is asked for, or was found. */
  readonly delimiter: string;
  /** Whether the head would still be marked so, with all that was taken. Throws CsvError. */
  isAsThought(): boolean;
  /** The text ends at `at` now, where a record begins, and what was given out behind it is no more. */
  restart(at: number): void;
};

/**
 * `text[0, usable)`: whole lines at the beginning of the text, or all of it; its first `start` bytes are a byte order mark. Undefined if the
 * grammar is the plain one. Throws CsvError.
 */
export function openMarked(
  text: Uint8Array,
  start: number,
  usable: number,
  options: ReadOptions,
): MarkedText | undefined {
  if (!isExotic(options)) return undefined;
  const { marking, delimiter } = markingIn(withSpare(text.subarray(0, usable)), start, usable, options);
  const marker = openMarker(marking, start);
  let head: Uint8Array = new Uint8Array(0);

  function keep(added: Uint8Array): void {
    if (head.length <= HEAD_BYTES + start) head = Buffer.concat([head, added.subarray(0, 2 * HEAD_BYTES)]);
  }

  return {
    delimiter,
    take(added) {
      keep(added);
      return marker.take(added);
    },
    takeSettled(added) {
      keep(added);
      return marker.takeSettled(added);
    },
    takeWaiting: marker.takeWaiting,
    isAsThought() {
      const now = markingIn(withSpare(head), start, head.length, options).marking;
      return now.delimiter === marking.delimiter && now.recordEnd === marking.recordEnd;
    },
    restart(at) {
      head = head.subarray(0, at);
      marker.restart();
    },
  };
}

/** What comes next, marked: as far as more of it changes no mark, or all that is left (`isEnd`). */
export function markedText(marking: MarkedText, text: Uint8Array, isEnd: boolean): Uint8Array {
  const settled = marking.takeSettled(text);
  if (!isEnd) return settled;
  const rest = marking.takeWaiting();
  return withSpare(Buffer.concat([settled, rest])).subarray(0, settled.length + rest.length);
}

/** What is marked by a delimiter is read by it. */
export const withDelimiter = (options: ReadOptions, marks: MarkedText | undefined): ReadOptions =>
  marks ? { ...options, delimiter: marks.delimiter } : options;

const withSpare = (text: Uint8Array) => Buffer.concat([text, new Uint8Array(SPARE_BYTES)]);
