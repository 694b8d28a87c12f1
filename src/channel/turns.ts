// One after the other, each in a turn of the event loop of its own: what a stream is asked for goes on by promises, and those of fifty
// readers that take all at once would leave no room for a request in between.

export type Turns = {
  /** Resolves when it is the caller's turn. */
  take(): Promise<void>;
};

export function openTurns(): Turns {
  const waiting: (() => void)[] = [];
  let isTaken = false;

  function next(): void {
    const begin = waiting.shift();
    isTaken = begin !== undefined;
    if (!begin) return;
    begin();
    setImmediate(next);
  }

  return {
    async take() {
      if (isTaken) return new Promise<void>((begin) => void waiting.push(begin));
      isTaken = true;
      setImmediate(next);
    },
  };
}
