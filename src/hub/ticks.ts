// The schedule of the plain feed: ticks at start + n × interval, however long a tick takes.

/** Calls `onTick` every `intervalMs` on a fixed grid, with how late it is; ticks that were missed are skipped, not made up for. */
export function startTicks(intervalMs: number, onTick: (lagMs: number) => void): { stop(): void } {
  let next = performance.now() + intervalMs;
  let timer = setTimeout(tick, intervalMs);

  function tick(): void {
    const now = performance.now();
    const lagMs = Math.max(0, now - next);
    next += intervalMs * Math.max(1, Math.ceil((now - next) / intervalMs));
    timer = setTimeout(tick, Math.max(0, next - now));
    onTick(lagMs);
  }

  return { stop: () => clearTimeout(timer) };
}
