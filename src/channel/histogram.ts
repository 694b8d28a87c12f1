// How often values of each size were seen: what /metrics gives out as a histogram.

/** How often each size was seen: counts by upper bound, and the sum of all. */
export type Histogram = {
  observe(value: number): void;
  /** For each bound, and for +Inf, how many were no larger. */
  cumulative(): readonly (readonly [bound: string, count: number])[];
  sum(): number;
};

export function openHistogram(bounds: readonly number[]): Histogram {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  return {
    observe(value) {
      const at = bounds.findIndex((bound) => value <= bound);
      counts[at === -1 ? bounds.length : at]!++;
      sum += value;
    },
    cumulative() {
      let total = 0;
      return counts.map((count, i) => [String(bounds[i] ?? "+Inf"), (total += count)] as const);
    },
    sum: () => sum,
  };
}
