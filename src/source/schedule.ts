// When to look: at every hint, not too often, and when there is a reason to look although nothing seems to happen.

export type Schedule = {
  /** Something may have happened. */
  hint(): void;
  close(): void;
};

/** Looks are at least this far apart, so that a busy writer costs a bounded share of a core. */
const MIN_GAP_MS = 20;

/** Calls `look` with the time of a monotonic clock in ms, from the first hint on; it returns when to look again at the latest. */
export function openSchedule(look: (now: number) => number | undefined): Schedule {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = Infinity;
  let lookedAt = -Infinity;
  let isClosed = false;

  function schedule(at: number): void {
    const wanted = Math.max(at, lookedAt + MIN_GAP_MS);
    if (wanted >= timerAt || isClosed) return;
    clearTimeout(timer);
    timerAt = wanted;
    timer = setTimeout(run, Math.max(0, wanted - performance.now()));
  }

  function run(): void {
    timerAt = Infinity;
    const nextAt = look(performance.now());
    lookedAt = performance.now();
    if (nextAt !== undefined) schedule(nextAt);
  }

  return {
    hint: () => schedule(performance.now()),
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
