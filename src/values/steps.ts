// Work in steps, between which others may have their turn: a generator that yields now and then.

/** All steps at once, for who has no others to give way to. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** `act` for stretches of `[from, to)`, a step for each. */
export function* inStretches(
  from: number,
  to: number,
  length: number,
  act: (from: number, to: number) => void,
): Generator<void> {
  for (let at = from; at < to; at += length) {
    act(at, Math.min(at + length, to));
    yield;
  }
}
