// The collector lets garbage grow to the size of what is held before it looks: of a large table that is as much again.

/** So much text may have become garbage before it is collected. */
const COLLECTED_BYTES = 12 << 20;

let made = 0;

/** So many bytes were made that nobody needs for long. Collects when there are many of them, which takes a few ms. */
export function collectAfter(bytes: number): void {
  made += bytes;
  if (made < COLLECTED_BYTES) return;
  made = 0;
  Bun.gc(true);
}
