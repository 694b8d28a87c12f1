// When to look: at every hint, not too often, and when there is a reason to look although nothing seems to happen.

export type Schedule = {
  /** Something may have happened. */
  hint(): void;
  close(): void;
};

/** Looks are at least this far apart, so that a busy writer costs a bounded share of a core. */
const MIN_GAP_MS = 20;

/** A look goes on for so long before others have their turn. */
const SLICE_MS = 10;

/** When to look again at the latest. */
type Next = number | undefined;

/**
 * Calls `look` with the time of a monotonic clock in ms, from the first hint on; it returns when to look again at the latest, or does
 * so at the end of its steps, between which others have their turn.
 */
export function openSchedule(
  look: (now: number) => Next | Generator<void, Next>,
  soon: (run: () => void) => () => void = immediately,
): Schedule {
  let steps: Generator<void, Next> | undefined;
  let cancel = () => {};
  let timerAt = Infinity;
  let lookedAt = -Infinity;
  let hintedAt = Infinity; // while a look is under way
  let isClosed = false;

  function schedule(at: number): void {
    const wanted = Math.max(at, lookedAt + MIN_GAP_MS);
    if (steps) return void (hintedAt = Math.min(hintedAt, at));
    if (wanted >= timerAt || isClosed) return;
    cancel();
    timerAt = wanted;
    const delay = wanted - performance.now();
    cancel = delay > 0 ? later(run, delay) : soon(run);
  }

  function run(): void {
    timerAt = Infinity;
    const looked = look(performance.now());
    if (typeof looked !== "object") return finish(looked);
    steps = looked;
    goOn();
  }

  function goOn(): void {
    const until = performance.now() + SLICE_MS;
    while (steps) {
      const step = steps.next();
      if (step.done) return finish(step.value);
      if (performance.now() > until) return void setImmediate(goOn);
    }
  }

  function finish(nextAt: Next): void {
    steps = undefined;
    lookedAt = performance.now();
    const at = Math.min(nextAt ?? Infinity, hintedAt);
    hintedAt = Infinity;
    if (at !== Infinity) schedule(at);
  }

  return {
    hint: () => schedule(performance.now()),
    close() {
      isClosed = true;
      cancel();
      steps?.return(undefined);
      steps = undefined;
    },
  };
}

/** A timer of 0 ms takes one. */
function immediately(run: () => void): () => void {
  const immediate = setImmediate(run);
  return () => clearImmediate(immediate);
}

function later(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
