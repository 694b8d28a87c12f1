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

/** To read a table leaves about so much behind, however small it is: among what stays, if it lies there until there is more of it. */
const OPENED_BYTES = 1 << 20;
/** So many tables that are opened have the code for it compiled, which takes more memory than the tables, and is not needed again soon. */
const MANY = 16;
const QUIET_MS = 2_000;

let opened = 0;
let quiet: ReturnType<typeof setTimeout> | undefined;

/** A table was opened. When many were, and no more are for a while, what it took to do that is given back. */
export function collectAfterOpening(): void {
  opened++;
  collectAfter(OPENED_BYTES);
  if (opened < MANY) return;
  clearTimeout(quiet);
  quiet = setTimeout(() => {
    opened = 0;
    Bun.shrink();
  }, QUIET_MS);
  quiet.unref();
}
