// Random numbers that a printed seed brings back.

export type Random = {
  /** From 0 (inclusive) to 1. */
  next(): number;
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
};

/** mulberry32: small, fast, good enough to draw test cases. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { next, below, chance: (probability) => next() < probability, pick: (items) => items[below(items.length)]! };
}

/** How much is left to chance: CSVCAST_RUNS is 8 in `bun run verify`, 200 in `bun run soak`, and 1 in bare `bun test`. */
export const RUNS = Number(process.env["CSVCAST_RUNS"] ?? 1);

/** Of so many random cases those for this run: all in `bun run verify`, an eighth in bare `bun test`, at least one. */
export const shareOf = (cases: number) => Math.max(1, Math.round((cases * RUNS) / 8));

/** For the names of tests. */
export const shown = (cases: number) => cases.toLocaleString("en-US");

/** For `setDefaultTimeout` in files of random cases. */
export const RANDOM_TIMEOUT_MS = Math.max(1, RUNS / 8) * 60_000;

/** The seed of this run: from CSVCAST_SEED, or a new one. */
export function seedOfRun(): number {
  return Number(process.env["CSVCAST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
}

/** Runs `check` for `runs` seeds; a failure names the seed that brings it back. */
export function forSeeds(runs: number, check: (random: Random, seed: number) => void): void {
  const first = seedOfRun();
  for (let run = 0; run < runs; run++) {
    const seed = first + run;
    try {
      check(randomFrom(seed), seed);
    } catch (error) {
      throw new Error(`failed with CSVCAST_SEED=${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}
