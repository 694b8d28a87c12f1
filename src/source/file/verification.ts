// The look for edits that hide behind an append, or in the same tick of the file system's clock: the file is compared once more with what
// was read of it, little by little, so that it costs a bounded share of the time and of the disk, whatever the size of the file.
import { type Prints, STRETCH_BYTES } from "./prints.ts";
import { readRange } from "./read.ts";

/** What is compared at once. */
const STEP_BYTES = 16 * STRETCH_BYTES;
/** It begins so long after a change. */
export const VERIFY_MS = 2_000;
/** While the file goes on changing, steps are so far apart: 1 MB/s. */
const BUSY_GAP_MS = 1_000;
/** After so much silence only the time counts that they take: this many times as long as a step. */
const QUIET_MS = 10_000;
const REST_PER_WORK = 49;
/** What a look takes besides, about. */
const LOOK_MS = 0.3;

export type Verification = {
  /** There was a change that may hide another one. */
  expect(now: number): void;
  /** All was read anew: nothing hides. */
  clear(): void;
  dueAt(): number | undefined;
  /** Compares the next piece. False if it is not what it was. */
  step(fd: number, prints: Prints, now: number): boolean;
};

const piece = Buffer.allocUnsafeSlow(STEP_BYTES);

/** `clock` in ms: tells how long a step takes. */
export function openVerification(clock: () => number = () => performance.now()): Verification {
  let changedAt = -Infinity;
  let isExpected = false; // since the pass began
  let at: number | undefined; // where the pass is
  let nextAt = -Infinity;

  return {
    expect(now) {
      changedAt = now;
      if (at === undefined && !isExpected) nextAt = Math.max(nextAt, now + VERIFY_MS);
      isExpected = true;
    },
    clear() {
      isExpected = false;
      at = undefined;
    },
    dueAt: () => (isExpected || at !== undefined ? nextAt : undefined),
    step(fd, prints, now) {
      const begun = clock();
      if (at === undefined) isExpected = false;
      const from = at ?? 0;
      const bytes = readRange(fd, from, Math.min(STEP_BYTES, prints.length() - from), piece);
      const isSame = bytes.length === Math.min(STEP_BYTES, prints.length() - from) && prints.matches(from, bytes);
      at = from + STEP_BYTES < prints.length() ? from + STEP_BYTES : undefined;
      const rest = REST_PER_WORK * (clock() - begun + LOOK_MS);
      const gap = now - changedAt >= QUIET_MS ? rest : Math.max(BUSY_GAP_MS, rest);
      nextAt = at === undefined && isExpected ? Math.max(now + gap, changedAt + VERIFY_MS) : now + gap;
      return isSame;
    },
  };
}
