// Text without end: a bound on what waits to be printed, and word of when to read on.
import type { TextSink } from "./stdout.ts";

export type OutputOptions = {
  readonly sink: TextSink;
  /** What of a line is printed. Default: all of it. */
  readonly shown?: (line: string) => string;
  /** Lines to be printed, after which everything is done. */
  readonly limit: number;
  /** More characters than are good wait to be printed. */
  readonly onFull: () => void;
  /** They have been printed. */
  readonly onDrained: () => void;
  /** All that was to be printed is. Called once. */
  readonly onDone: () => void;
};

export type Output = {
  /** Lines that count, without line ends; taken as they can be printed. */
  print(lines: Iterable<string>): void;
  /** A line that does not count. */
  printHeader(line: string): void;
  /** Nothing else will come. */
  finish(): void;
};

/** While more characters than this wait to be printed nothing is read: the server then skips messages for us. */
const MAX_UNPRINTED = 1 << 20;
/** Lines are written together up to about this many characters. */
const CHUNK = 1 << 16;

type Job = { readonly lines: Iterator<string>; readonly isCounted: boolean };

export function openOutput({ sink, shown = (line) => line, limit, onFull, onDrained, onDone }: OutputOptions): Output {
  const jobs: Job[] = [];
  let remaining = limit;
  let unprinted = 0;
  let isFull = false;
  let isFinished = false;
  let isDone = false;

  function pump(): void {
    while (unprinted <= MAX_UNPRINTED && jobs.length > 0) write(nextChunk(jobs[0]!));
    const isNowFull = unprinted > MAX_UNPRINTED || jobs.length > 0;
    if (isNowFull !== isFull) {
      isFull = isNowFull;
      if (isFull) onFull();
      else onDrained();
    }
    if (isDone || unprinted > 0 || jobs.length > 0 || !(isFinished || remaining === 0)) return;
    isDone = true;
    onDone();
  }

  function nextChunk({ lines, isCounted }: Job): string {
    let chunk = "";
    while (chunk.length < CHUNK) {
      const next = isCounted && remaining === 0 ? undefined : lines.next();
      if (!next || next.done) {
        jobs.shift();
        break;
      }
      if (isCounted) remaining--;
      const line = shown(next.value);
      chunk += `${sink.isTTY ? escapeControls(line) : line}\n`;
    }
    return chunk;
  }

  function write(chunk: string): void {
    if (chunk === "") return;
    unprinted += chunk.length;
    sink.write(chunk, () => {
      unprinted -= chunk.length;
      pump();
    });
  }

  function add(lines: Iterable<string>, isCounted: boolean): void {
    if (isFinished || remaining === 0) return;
    jobs.push({ lines: lines[Symbol.iterator](), isCounted });
    pump();
  }

  return {
    print: (lines) => add(lines, true),
    printHeader: (line) => add([line], false),
    finish() {
      isFinished = true;
      pump();
    },
  };
}

/**
 * DEL, C1 controls and bidirectional controls as JSON escapes: inside strings the text stays the same JSON, and no cell
 * of somebody's file can command the terminal. C0 controls other than tab are escaped too, for servers that send no JSON.
 */
export function escapeControls(text: string): string {
  return text.replace(
    /[\0-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
