// What stands between the cells of a JSON row: brackets, column names, quotes, made once per header as whole words.
import { SPARE_BYTES } from "./encoding.ts";

/** Each row as an object under these column names, or as an array of this many cells. */
export type RowShape = readonly string[] | number;

/** What is written before each cell, padded to whole words. */
export type Words = {
  words: Float64Array;
  offsets: Int32Array;
  lengths: Int32Array;
  /** Characters of all names that UTF-8 writes in two bytes and latin1 in one. */
  twoByte: number;
  /** Bytes of all words. */
  total: number;
};

/** What stands around the cells of a row, and, unless all are strings, what they become, and their decimal signs. */
export type RowFrame = Words & {
  readonly columns: number;
  /** `"}` or `"]` and the separator of rows, as a little-endian word. */
  readonly rowEnd: number;
  readonly rowEndLength: number;
  readonly kinds?: Uint8Array;
  readonly points?: Int16Array;
};

/** `{"a":"`, `","b":"`, … or `["`, `","`, … */
export type Frame = RowFrame & {
  /** Room for the names of one row. */
  readonly bytesPerRow: number;
};

/** `separator` is the byte behind each row. */
export function frameOf(shape: RowShape, encoding: OutputEncoding, separator: number): Frame {
  const columns = typeof shape === "number" ? shape : shape.length;
  const cells: Buffer[] = [];
  for (let c = 0; c < columns; c++) {
    const opening = c > 0 ? '","' : typeof shape === "number" ? '["' : '{"';
    const name = typeof shape === "number" ? "" : JSON.stringify(shape[c]).slice(1) + ':"';
    cells.push(Buffer.from(opening + name, encoding));
  }
  const packed = wordsOf(cells);
  const rowEnd = (separator << 16) | (typeof shape === "number" ? 0x5d22 : 0x7d22);
  return { ...packed, columns, bytesPerRow: packed.total + SPARE_BYTES, rowEnd, rowEndLength: 3 };
}

/** The writer copies at least two words of eight bytes of each, whatever its length. */
export function wordsOf(cells: readonly Buffer[]): Words {
  const padded = cells.map((cell) => Math.max(16, (cell.length + 7) & ~7));
  const offsets = new Int32Array(cells.length);
  let total = 0;
  padded.forEach((length, c) => {
    offsets[c] = total >> 3;
    total += length;
  });
  const words = new Float64Array(total >> 3);
  const bytes = new Uint8Array(words.buffer);
  cells.forEach((cell, c) => bytes.set(cell, offsets[c]! << 3));
  const lengths = Int32Array.from(cells, (cell) => cell.length);
  const twoByte = cells.reduce((sum, cell) => sum + cell.filter((byte) => byte > 0x7f).length, 0);
  return { words, offsets, lengths, twoByte, total };
}

/** `latin1`: one byte for each character up to U+00FF, so that the string takes half the memory; bytes from 0x80 stop. */
export type OutputEncoding = "latin1" | "utf8";
