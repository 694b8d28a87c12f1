// When to look: at every hint, not too often, and when there is a reason to look although nothing seems to happen.

export type Schedule = {
  /** Something may have happened. */
  hint(): void;
  close(): void;
};

/** Between two looks there are so many times as many milliseconds as the last one took, so that a busy writer costs a bounded share. */
const REST_PER_WORK = 4;
/** At most these, and as many while who is told of what is found is behind, so that it does not pile up. */
const MAX_GAP_MS = 20;
/** Whether that is so still is looked at so often, if there is a reason for a look. */
const BEHIND_MS = 2;

/** A look goes on for so long before others have their turn. */
const SLICE_MS = 10;

/** When to look again at the latest. */
type Next = number | undefined;

/**
 * Calls `look` with the time of a monotonic clock in ms, from the first hint on; it returns when to look again at the latest, or does
 * so at the end of its steps, between which others have their turn. `isBehind`: whether who is told of what is found is not done with it yet.
 */
export function openSchedule(
  look: (now: number) => Next | Generator<void, Next>,
  isBehind: () => boolean = () => false,
  soon: (run: () => void) => () => void = immediately,
  clock: () => number = () => performance.now(),
): Schedule {
  let steps: Generator<void, Next> | undefined;
  let cancel = () => {};
  let timerAt = Infinity;
  let dueAt = Infinity; // but for the gap
  let begunAt = -Infinity;
  let lookedAt = -Infinity;
  let isClosed = false;

  function schedule(at: number): void {
    dueAt = Math.min(dueAt, at);
    if (!steps) arm();
  }

  function arm(notBefore = -Infinity): void {
    const gap = Math.min(MAX_GAP_MS, REST_PER_WORK * (lookedAt - begunAt));
    const wanted = Math.max(dueAt, lookedAt + gap, notBefore);
    if (wanted >= timerAt || isClosed) return;
    cancel();
    timerAt = wanted;
    const delay = wanted - clock();
    cancel = delay > 0 ? later(run, delay) : soon(run);
  }

  function run(): void {
    timerAt = Infinity;
    const now = clock();
    if (now < lookedAt + MAX_GAP_MS && isBehind()) return arm(now + BEHIND_MS);
    dueAt = Infinity;
    begunAt = now;
    const looked = look(begunAt);
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
    lookedAt = clock();
    schedule(nextAt ?? Infinity);
  }

  return {
    hint: () => schedule(clock()),
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
