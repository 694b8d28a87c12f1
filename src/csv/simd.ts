// The WebAssembly of simd.wat: a memory to write rows in, and the two walks over plain records. Where there is none of it, the loops in
// TypeScript do everything, and they always do what takes judgement.
import { type Frame, NUMBER, type OutputEncoding, STRING } from "./frame.ts";
import { isOutsideNumbers } from "./digits.ts";
import type { Progress, RowWriter } from "./json.ts";
import { type Layout, QUOTE, VOID } from "./records.ts";
import { SHORT_ESCAPE } from "./escape.ts";
import { SIMD_WASM } from "./simd.bytes.ts";
import { skipperOf } from "./skips.ts";

/** Bytes of source that are looked at at once. */
export const WINDOW_BYTES = 1 << 16;

// As simd.wat has it.
const STARTS_AT = 512;
const NEEDLES_AT = 768;
const COLUMNS_AT = 1_280;
const FRAME_AT = 17_664;
const SOURCE_AT = 1 << 16;
const SPARE_BYTES = 32;
/** Where output begins in the memory. */
export const OUTPUT_AT = 131_584;
/** No output can be longer: less than the memory has, so that no address in it is 2^32. */
export const MAX_OUTPUT_BYTES = 2 ** 32 - (1 << 16);
const NEEDLE_BYTES = 16;
const MAX_NEEDLES = (COLUMNS_AT - NEEDLES_AT) / (2 * NEEDLE_BYTES);
const MAX_COLUMNS = (FRAME_AT - COLUMNS_AT) / 16;
const MAX_FRAME_BYTES = SOURCE_AT - FRAME_AT - SPARE_BYTES;
const PAGE_BYTES = 1 << 16;

type Exports = {
  readonly memory: WebAssembly.Memory;
  readonly at: WebAssembly.Global<"i32">;
  readonly rows: WebAssembly.Global<"i32">;
  readonly twoByte: WebAssembly.Global<"i32">;
  readonly lastRowAt: WebAssembly.Global<"i32">;
  readonly longest: WebAssembly.Global<"i32">;
  readonly isBorder: WebAssembly.Global<"i32">;
  write(...numbers: number[]): number;
  scan(...numbers: number[]): void;
};

/** The memory of one instance: rows are written there, from OUTPUT_AT on. */
export type Room = {
  readonly exports: Exports;
  /** All of it: another one after `grow`. */
  bytes(): Buffer;
  /** Makes it so long at least. What is there stays. */
  grow(length: number): void;
  /** Which records are no rows, and what stands before each cell. */
  setLayout(layout: Layout): void;
  setFrame(frame: Frame): void;
};

/** Where rows are written: in a room, or in a buffer. */
export type Output = {
  readonly room: Room | undefined;
  /** Where they begin. */
  readonly base: number;
  bytes(): Buffer;
  /** Makes it so long at least; the first `kept` bytes stay. */
  grow(length: number, kept: number): void;
};

export function openOutput(isFast: boolean): Output {
  const room = isFast ? openRoom() : undefined;
  if (room) return { room, base: OUTPUT_AT, bytes: room.bytes, grow: room.grow };
  let bytes = Buffer.alloc(0);
  return {
    room,
    base: 0,
    bytes: () => bytes,
    grow(length, kept) {
      if (length <= bytes.length) return;
      const longer = Buffer.allocUnsafeSlow(length);
      longer.set(bytes.subarray(0, kept));
      bytes = longer;
    },
  };
}

/** undefined: this runtime has no SIMD in WebAssembly. */
export function openRoom(): Room | undefined {
  const exports = instantiate();
  if (!exports) return undefined;
  const { memory } = exports;
  let bytes = Buffer.from(memory.buffer);
  const view = () => new DataView(bytes.buffer);
  SHORT_ESCAPE.forEach((letter, byte) => letter > 0 && view().setUint16(2 * byte, (letter << 8) | 0x5c, true));
  let layoutNow: Layout | undefined;
  let frameNow: Frame | undefined;
  return {
    exports,
    bytes: () => bytes,
    grow(length) {
      const pages = Math.ceil((length - bytes.length) / PAGE_BYTES);
      if (pages <= 0) return;
      memory.grow(pages);
      bytes = Buffer.from(memory.buffer);
    },
    setLayout(layout) {
      if (layout === layoutNow) return;
      layoutNow = layout;
      bytes.set(skipperOf(layout.skips, layout.recordEnd).starts, STARTS_AT);
      needlesOf(layout).forEach((needle, n) => {
        const at = NEEDLES_AT + 2 * NEEDLE_BYTES * n;
        bytes.fill(0, at, at + 2 * NEEDLE_BYTES);
        bytes.set(needle, at);
        bytes.fill(0xff, at + NEEDLE_BYTES, at + NEEDLE_BYTES + needle.length);
      });
    },
    setFrame(frame) {
      if (frame === frameNow) return;
      frameNow = frame;
      bytes.set(new Uint8Array(frame.words.buffer), FRAME_AT);
      frame.offsets.forEach((offset, c) => {
        const column = [FRAME_AT + 8 * offset, frame.lengths[c]!, frame.kinds[c]!, frame.points[c]!];
        column.forEach((value, k) => view().setInt32(COLUMNS_AT + 16 * c + 4 * k, value, true));
      });
    },
  };
}

let compiled: WebAssembly.Module | undefined;

function instantiate(): Exports | undefined {
  try {
    compiled ??= new WebAssembly.Module(Buffer.from(SIMD_WASM, "base64"));
    return new WebAssembly.Instance(compiled).exports as unknown as Exports;
  } catch {
    return undefined;
  }
}

const needles = new WeakMap<Layout, readonly Uint8Array[]>();

/** What records that are no rows begin with. */
function needlesOf(layout: Layout): readonly Uint8Array[] {
  const { skips } = layout;
  const known = needles.get(layout);
  if (known) return known;
  const found = [...(skips?.records ?? []), ...(skips?.prefixes ?? [])].map((all) => all.subarray(0, NEEDLE_BYTES));
  needles.set(layout, found);
  return found;
}

/** Whether records of this layout can be walked here. */
const isUsual = (layout: Layout) => layout.delimiter !== QUOTE && needlesOf(layout).length <= MAX_NEEDLES;

/** Puts a window of source where it is read. Returns the address of its first byte. */
function load(room: Room, src: Uint8Array, from: number, to: number, recordEnd: number): number {
  const bytes = room.bytes();
  bytes.set(src.subarray(from, to), SOURCE_AT);
  bytes.fill(recordEnd, SOURCE_AT + to - from, SOURCE_AT + to - from + SPARE_BYTES);
  return SOURCE_AT;
}

/** Fewer bytes than this at a time are not worth the way. */
const MIN_STRETCH_BYTES = 1 << 10;

/**
 * A writer with the plain records of it written by WebAssembly, in an output that is a room. `breaks`: whether a quoted cell with a line
 * end needs no judgement. The same writer, if nothing can be done.
 */
export function fasterWriter(
  writer: RowWriter,
  layout: Layout,
  encoding: OutputEncoding,
  breaks: boolean,
  output: Pick<Output, "room">,
): RowWriter {
  if (!output.room || !writer.frame || !isUsual(layout)) return writer;
  const { room } = output;
  const { frame } = writer;
  const { columns, total, rowEnd, rowEndLength, kinds } = frame;
  if (columns === 0 || columns > MAX_COLUMNS || total > MAX_FRAME_BYTES) return writer;
  const mostKind = kinds.reduce((most, kind) => Math.max(most, kind), STRING);
  if (mostKind > NUMBER || (mostKind > STRING && !isOutsideNumbers(layout.delimiter))) return writer;
  const { delimiter, recordEnd } = layout;
  const { exports } = room;
  const needleCount = needlesOf(layout).length;
  const limit = encoding === "latin1" ? 0x7f : VOID - 1;

  /** As far as `end`, which is not far, with the loop in TypeScript for what takes judgement. */
  function writeWindow(src: Uint8Array, end: number, out: Uint8Array, safe: number, progress: Progress): void {
    const shift = load(room, src, progress.at, end, recordEnd) - progress.at;
    let judged = 0; // bytes that are left to the other loop at once, one record at least
    while (progress.at < end && progress.out <= safe) {
      const { at } = progress;
      progress.out =
        exports.write(
          at + shift,
          end + shift,
          progress.out,
          safe,
          columns,
          delimiter,
          recordEnd,
          limit,
          rowEnd,
          rowEndLength,
          needleCount,
          breaks ? 1 : 0,
        ) >>> 0;
      progress.at = exports.at.value - shift;
      progress.rows += exports.rows.value;
      progress.twoByte += exports.twoByte.value;
      if (exports.rows.value > 0) progress.lastRowAt = exports.lastRowAt.value >>> 0;
      if (progress.at === end || progress.out > safe) return;
      judged = progress.at - at < MIN_STRETCH_BYTES ? 4 * judged + 64 : 0;
      const stopped = progress.at;
      const recordEndAt = src.indexOf(recordEnd, stopped + judged);
      writer.write(src, recordEndAt === -1 || recordEndAt >= end ? end : recordEndAt + 1, out, safe, progress);
      if (progress.at === stopped) return;
    }
  }

  function write(src: Uint8Array, end: number, out: Uint8Array, safe: number, progress: Progress): void {
    room.setLayout(layout);
    room.setFrame(frame);
    progress.isTooWide = false;
    while (progress.at < end && progress.out <= safe && !progress.isTooWide) {
      const { at } = progress;
      const windowEnd = at + src.subarray(at, Math.min(at + WINDOW_BYTES, end)).lastIndexOf(recordEnd) + 1;
      writeWindow(src, windowEnd, out, safe, progress);
      // A record that is longer than what was seen of it.
      if (progress.at === at && !progress.isTooWide) writer.write(src, end, out, safe, progress);
      if (progress.at === at) return;
    }
  }
  return { ...writer, write };
}

/** What a walk has found of plain records. */
export type Scan = {
  /** Where it stopped. */
  readonly at: number;
  readonly rows: number;
  /** Where they begin, counted from the block's beginning; good until the next scan. */
  readonly starts: Uint32Array;
  /** Bytes of the longest of them. */
  readonly longest: number;
  /** All of some 64 kB, or up to the last record end: there is nothing to judge yet. */
  readonly isAll: boolean;
  /** The block ends here. */
  readonly isBorder: boolean;
};

export type ScanOptions = {
  readonly layout: Layout;
  readonly columns: number;
  /** Whether a quoted cell with a line end needs no judgement. */
  readonly breaks: boolean;
  readonly size: { readonly min: number; readonly max: number };
};

let scanner: Room | undefined;

/**
 * Walks plain records in `bytes[from, to)`, whose block begins at `blockStart`, up to the first record that takes judgement, the border
 * of the block, or some 64 kB. undefined: nothing can be done there.
 */
export function scan(
  bytes: Uint8Array,
  from: number,
  to: number,
  blockStart: number,
  { layout, columns, breaks, size }: ScanOptions,
): Scan | undefined {
  const { recordEnd, delimiter } = layout;
  const near = Math.min(to, from + WINDOW_BYTES);
  const end = from + bytes.subarray(from, near).lastIndexOf(recordEnd) + 1;
  if (end === from || !isUsual(layout) || !(scanner ??= openRoom())) return undefined;
  const { exports } = scanner;
  scanner.grow(OUTPUT_AT + 4 * WINDOW_BYTES);
  scanner.setLayout(layout);
  const shift = load(scanner, bytes, from, end, recordEnd) - from;
  exports.scan(
    from + shift,
    end + shift,
    OUTPUT_AT,
    Math.min(columns, 0x7fffffff),
    delimiter,
    recordEnd,
    needlesOf(layout).length,
    breaks ? 1 : 0,
    blockStart + shift,
    size.min,
    size.max,
  );
  const at = exports.at.value - shift;
  const rows = exports.rows.value;
  return {
    at,
    isAll: at === end,
    rows,
    starts: new Uint32Array(exports.memory.buffer, OUTPUT_AT, rows),
    longest: exports.longest.value,
    isBorder: exports.isBorder.value === 1,
  };
}
