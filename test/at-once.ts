// How many tests of a file are under way at once, where they run concurrently. Bun begins with 20, and twenty servers with
// their clients are slower, all in all, than a few after each other.
import { afterEach, beforeEach } from "bun:test";

/** For the top of a file. The time that a test waits for its turn counts for its timeout. */
export function atOnce(limit: number): void {
  let free = limit;
  const waiting: (() => void)[] = [];
  beforeEach(async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  });
  afterEach(() => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  });
}
