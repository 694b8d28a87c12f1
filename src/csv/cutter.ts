// Text -> blocks, as it comes. With the blocks of an earlier version what is equal is taken from there, and not walked.
import { type Block, BLOCK_SIZE, type BlockSize, isBorder, type Walked } from "./blocks.ts";
import { SPARE_BYTES } from "./encoding.ts";
import { DATA_QUOTE, walkRecords } from "./records.ts";
import { scan } from "./simd.ts";
import { larger } from "./starts.ts";
import { emptyTally, type Tally } from "./tally.ts";

export type CutterOptions = Walked & {
  readonly size?: BlockSize;
  /** Blocks that the text may have, of an earlier version; it is expected to begin with the one at `expected`. */
  readonly old?: readonly Block[];
  readonly expected?: number;
  /** The last block so far, which goes on: whole records, all of them settled. */
  readonly tail?: Block | undefined;
  /** Only the last so many rows are of interest: blocks in front of them go. */
  readonly lastRows?: number;
};

/** What has become of the text. */
export type Cut = {
  readonly blocks: Block[];
  /** For each block where it was in the earlier version, or -1. */
  readonly origins: number[];
  /** What was let go in front. */
  readonly gone: { readonly rows: number; readonly bytes: number; readonly lines: number };
};

export type Cutter = {
  /** Room for what comes next: to be filled from its beginning. */
  space(): Uint8Array<ArrayBuffer>;
  /** So many bytes were put there. */
  took(length: number): void;
  add(bytes: Uint8Array): void;
  /** How many bytes of it are held. */
  bytes(): number;
  /** Whether all that came is in blocks. */
  isEven(): boolean;
  /** The blocks so far. */
  cut(): Cut;
  /** Nothing more comes. */
  end(): void;
};

const STEP_BYTES = 1 << 20;
const KEY_BYTES = 64;
/** So many blocks that begin alike are looked at. */
const MAX_TRIES = 4;

type Draft = { rows: number; longest: number; tally: Tally; starts: Uint32Array<ArrayBuffer> };

type State = {
  readonly options: CutterOptions;
  readonly size: BlockSize;
  readonly blocks: Block[];
  readonly origins: number[];
  rows: number;
  blockBytes: number;
  gone: { rows: number; bytes: number; lines: number };
  /** The block that is being made is `bytes[blockStart, walked)`; what is behind it, up to `have`, was not walked. */
  bytes: Uint8Array<ArrayBuffer>;
  blockStart: number;
  walked: number;
  have: number;
  draft: Draft;
  /** Whether nobody else has `bytes`, and the draft's starts. */
  isOwn: boolean;
  /** The record at `walked` is not looked at before there are so many bytes: it was not complete with half of them. */
  neededBytes: number;
  /** Where the rows end, if the last record is inside an open quote. */
  openAt: number;
  expected: number;
  keys: Map<number, number[]> | undefined;
};

const newDraft = (): Draft => ({ rows: 0, longest: 0, tally: emptyTally(), starts: new Uint32Array(64) });

export function openCutter(options: CutterOptions): Cutter {
  const { tail, size = BLOCK_SIZE, expected = 0 } = options;
  const have = tail?.length ?? 0;
  const state: State = {
    options,
    size,
    blocks: [],
    origins: [],
    rows: 0,
    blockBytes: 0,
    gone: { rows: 0, bytes: 0, lines: 0 },
    bytes: tail?.bytes ?? new Uint8Array(0),
    blockStart: 0,
    walked: have,
    have,
    draft: tail ? draftOf(tail) : newDraft(),
    isOwn: tail === undefined,
    neededBytes: 0,
    openAt: -1,
    expected,
    keys: undefined,
  };
  return {
    space() {
      makeRoom(state, STEP_BYTES);
      return state.bytes.subarray(state.have, state.have + STEP_BYTES);
    },
    took(length) {
      state.have += length;
      advance(state, false);
    },
    add(bytes) {
      for (let at = 0; at < bytes.length; at += STEP_BYTES) {
        const piece = bytes.subarray(at, at + STEP_BYTES);
        makeRoom(state, piece.length);
        state.bytes.set(piece, state.have);
        state.have += piece.length;
        advance(state, false);
      }
    },
    bytes: () => state.blockBytes + state.have - state.blockStart,
    isEven: () => state.have === state.blockStart,
    cut: () => ({ blocks: state.blocks, origins: state.origins, gone: state.gone }),
    end() {
      advance(state, true);
      finish(state);
    },
  };
}

const draftOf = ({ rows, longest, tally, starts }: Block): Draft => ({
  rows,
  longest,
  tally: { ...tally },
  starts: starts ?? new Uint32Array(0),
});

/** Where somebody else has the bytes, or there is no room in front, that takes another buffer. */
function makeRoom(state: State, length: number): void {
  const { bytes, blockStart, have, isOwn } = state;
  if (bytes.length - have >= length + SPARE_BYTES) return;
  const kept = have - blockStart;
  const needed = kept + length + SPARE_BYTES;
  if (isOwn && needed <= bytes.length) bytes.copyWithin(0, blockStart, have);
  else {
    // The block that grows has a buffer of its own; more than that only passes through.
    const spare = Math.max(kept, Math.min(length, state.size.max));
    state.bytes = needed > 2 * state.size.max ? takePassage(needed + spare) : allocate(needed + spare);
    state.bytes.set(bytes.subarray(blockStart, have));
    if (!isOwn) state.draft.starts = new Uint32Array(state.draft.starts);
    state.isOwn = true;
  }
  state.walked -= blockStart;
  state.have = kept;
  state.blockStart = 0;
}

/** What text passes through on its way into blocks is used again: fresh pages take as long as the walk over them. */
let passage: Uint8Array<ArrayBuffer> | undefined;
const MAX_PASSAGE_BYTES = 4 << 20;

function takePassage(bytes: number): Uint8Array<ArrayBuffer> {
  const taken = passage && passage.length >= bytes ? passage : allocate(Math.max(bytes, STEP_BYTES + (1 << 19)));
  passage = undefined;
  return taken;
}

const allocate = (bytes: number) => Buffer.allocUnsafeSlow(bytes) as Uint8Array<ArrayBuffer>;

/** Takes what has come into blocks, as far as it goes. */
function advance(state: State, isEnd: boolean): void {
  const { options } = state;
  const { recordEnd } = options.layout;
  for (;;) {
    if (options.old && state.walked === state.blockStart) {
      const found = share(state, options.old, isEnd);
      if (found === "shared") continue;
      if (found === "wait") return;
    }
    const { bytes, walked, have } = state;
    if (walked === have || (!isEnd && have - walked < state.neededBytes)) return;
    const to = isEnd ? have : bytes.subarray(0, have).lastIndexOf(recordEnd) + 1;
    if (to <= walked) {
      state.neededBytes = 2 * (have - walked);
      return;
    }
    if (walk(state, to, isEnd)) return;
  }
}

/** Walks on. False if it was stopped behind a block, as there may be an old one next. */
function walk(state: State, to: number, isEnd: boolean): boolean {
  // So many records are left to the loop at once, where hardly any are plain.
  for (let judged = 1; state.walked < to;) {
    const from = state.walked;
    const next = takePlain(state, to);
    if (next === "stop") return false;
    if (next === "go") continue;
    judged = state.walked - from < MIN_STRETCH_BYTES ? Math.min(2 * judged, MAX_JUDGED) : 1;
    const found = judge(state, to, isEnd, judged);
    if (found !== "more") return found === "end";
  }
  state.openAt = -1;
  state.neededBytes = 0;
  return true;
}

const MIN_STRETCH_BYTES = 1 << 10;
const MAX_JUDGED = 1 << 10;

/** Takes the plain records that come next, up to the border of a block. `stop`: there may be an old block behind it. */
function takePlain(state: State, to: number): "stop" | "go" | "none" {
  const { options, size, draft, bytes, blockStart } = state;
  const { layout, columns, quotes, old } = options;
  const found = scan(bytes, state.walked, to, blockStart, { layout, columns: columns.length, breaks: !quotes, size });
  if (!found) return "none";
  const { rows } = draft;
  if (draft.starts.length < rows + found.rows)
    draft.starts = larger(draft.starts, Math.max(64, 2 * rows, rows + found.rows));
  draft.starts.set(found.starts, rows);
  draft.rows += found.rows;
  draft.longest = Math.max(draft.longest, found.longest);
  state.walked = found.at;
  if (!found.isBorder) return found.isAll ? "go" : "none";
  emit(state, found.at);
  return old ? "stop" : "go";
}

/**
 * Walks over so many records, one by one. `more`: there are others behind them; `stopped`: behind a block, as there may be an old one
 * next.
 */
function judge(state: State, to: number, isEnd: boolean, records: number): "end" | "more" | "stopped" {
  const { options, size, draft, bytes } = state;
  const { layout, columns, quotes, old } = options;
  let stopped: "more" | "stopped" | undefined;
  const stopAt = (at: number, why: "more" | "stopped") => {
    state.walked = at;
    stopped = why;
    return true;
  };
  const visit = (start: number, end: number, fields: number, surplus: number): boolean => {
    if (draft.rows > 0 && end - state.blockStart > size.max && start > state.blockStart) {
      emit(state, start);
      if (old) return stopAt(start, "stopped");
    }
    count(state, start, end, fields, surplus);
    const isWhole = bytes[end - 1] === layout.recordEnd; // else it may go on
    if (isWhole && end - state.blockStart >= size.min && isBorder(bytes, start, end, size.min)) {
      emit(state, end);
      if (old) return stopAt(end, "stopped");
    }
    return --records <= 0 && isWhole && end < to && stopAt(end, "more");
  };
  const open = walkRecords(bytes, state.walked, to, layout, columns.length, visit, {
    quotes,
    isEnd,
    visitSkipped(_start, _end, kind) {
      if (kind === "again") draft.tally.again++;
      else if (kind === "nul") draft.tally.nuls++;
    },
    visitStray(start, quoteAt, isSettled) {
      if (draft.tally.strayAt === -1) draft.tally.strayAt = quoteAt - state.blockStart;
      if (!isSettled && draft.tally.unsettledAt === -1) draft.tally.unsettledAt = start - state.blockStart;
    },
  });
  if (stopped) return stopped;
  state.walked = open === -1 ? to : open;
  state.neededBytes = open === -1 ? 0 : 2 * (to - open);
  state.openAt = open;
  return "end";
}

function count(state: State, start: number, end: number, fields: number, surplus: number): void {
  const { draft, blockStart } = state;
  if (draft.rows === draft.starts.length) draft.starts = larger(draft.starts, Math.max(64, draft.rows * 2));
  draft.starts[draft.rows++] = start - blockStart;
  if (end - start > draft.longest) draft.longest = end - start;
  if (surplus === 0) return;
  draft.tally.surplus += surplus;
  draft.tally.firstSurplus ??= { start: start - blockStart, fields };
}

/** The block that is being made ends here. */
function emit(state: State, end: number): void {
  const { draft, blockStart, bytes } = state;
  const length = end - blockStart;
  const copy = allocate(length + SPARE_BYTES);
  copy.set(bytes.subarray(blockStart, end));
  const { rows, longest, tally } = draft;
  push(state, { bytes: copy, length, end: length, rows, longest, tally, starts: undefined }, -1);
  state.blockStart = end;
  if (!state.isOwn) draft.starts = new Uint32Array(64);
  Object.assign(draft, { rows: 0, longest: 0, tally: emptyTally() });
}

function push(state: State, block: Block, origin: number): void {
  const { blocks, origins, options } = state;
  const { lastRows = Infinity, layout } = options;
  blocks.push(block);
  origins.push(origin);
  state.rows += block.rows;
  state.blockBytes += block.length;
  // One more, as the last one may not be shown yet.
  while (blocks.length > 1 && state.rows - blocks[0]!.rows > lastRows) {
    const first = blocks.shift()!;
    origins.shift();
    state.rows -= first.rows;
    state.blockBytes -= first.length;
    state.gone = letGo(state.gone, first, layout.recordEnd);
  }
}

/** What is gone, with one more block. */
export function letGo(gone: Cut["gone"], { bytes, length, rows }: Block, recordEnd: number): Cut["gone"] {
  return { rows: gone.rows + rows, bytes: gone.bytes + length, lines: gone.lines + linesIn(bytes, length, recordEnd) };
}

export function linesIn(bytes: Uint8Array, length: number, recordEnd: number): number {
  let lines = 0;
  for (let i = bytes.indexOf(recordEnd); i !== -1 && i < length; i = bytes.indexOf(recordEnd, i + 1)) lines++;
  return lines;
}

/** Takes the next block from the earlier version, if it is there. `wait`: with more text it may be. */
function share(state: State, old: readonly Block[], isEnd: boolean): "shared" | "wait" | "none" {
  const { bytes, walked, have } = state;
  if (walked === have) return "none";
  const first = tryOld(state, old, state.expected, isEnd);
  if (first !== "none") return first;
  if (have - walked < KEY_BYTES) return isEnd ? "none" : "wait";
  state.keys ??= keysOf(old);
  for (const at of state.keys.get(keyOf(bytes, walked))?.slice(0, MAX_TRIES) ?? []) {
    const found = tryOld(state, old, at, isEnd);
    if (found !== "none") return found;
  }
  return "none";
}

function tryOld(state: State, old: readonly Block[], at: number, isEnd: boolean): "shared" | "wait" | "none" {
  const { bytes, walked, have } = state;
  const block = old[at];
  // What is said of a stray quote hangs on what follows.
  if (!block || block.length === 0 || block.tally.strayAt !== -1) return "none";
  const there = have - walked;
  const length = Math.min(there, block.length);
  if (Buffer.compare(bytes.subarray(walked, walked + length), block.bytes.subarray(0, length)) !== 0) return "none";
  const isTail = block.starts !== undefined;
  if (there < block.length || (isTail && there === block.length && !isEnd)) return isEnd ? "none" : "wait";
  if (isTail && there > block.length) return "none";
  push(state, block, at);
  state.walked = state.blockStart = walked + block.length;
  state.neededBytes = 0;
  state.expected = at + 1;
  return "shared";
}

/** Of a stretch that a block begins with. */
function keyOf(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = at; i < at + KEY_BYTES; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193) ^ (hash >>> 15);
  return hash;
}

function keysOf(old: readonly Block[]): Map<number, number[]> {
  const keys = new Map<number, number[]>();
  old.forEach(({ bytes, length }, at) => {
    if (length < KEY_BYTES) return;
    const key = keyOf(bytes, 0);
    const known = keys.get(key);
    if (!known) keys.set(key, [at]);
    else if (known.length < MAX_TRIES) known.push(at);
  });
  return keys;
}

/** The rest is the last block, which has room to grow. */
function finish(state: State): void {
  const { bytes, blockStart, have, draft, openAt } = state;
  const length = have - blockStart;
  const isKept = blockStart === 0 && bytes.length <= 2 * length + state.size.max;
  if (length > 0) {
    const own = isKept ? bytes : allocate(length + Math.min(length, state.size.max) + SPARE_BYTES);
    if (!isKept) own.set(bytes.subarray(blockStart, have));
    const end = openAt === -1 ? length : openAt - blockStart;
    push(state, { bytes: own, length, end, ...draft }, -1);
    state.blockStart = state.walked = have;
  }
  const isPassage = state.isOwn && bytes.length > STEP_BYTES && bytes.length <= MAX_PASSAGE_BYTES;
  if (isPassage && !(isKept && length > 0)) passage = bytes;
  state.bytes = new Uint8Array(0);
}

/** Quotes that were told to be stray are quotes again. */
export function unmark(bytes: Uint8Array): void {
  for (let i = bytes.indexOf(DATA_QUOTE); i !== -1; i = bytes.indexOf(DATA_QUOTE, i)) bytes[i] = 0x22;
}
