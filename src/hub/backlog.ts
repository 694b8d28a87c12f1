// What clients have been sent and not taken yet, all together: it has a budget, and who takes nothing for too long is closed.
import { CLOSE } from "../feed/protocol.ts";

/** A client that may owe. `debt`: bytes of the frame that is under way; `unsent` of them are still here. */
export type Debtor = {
  debt: number;
  unsent: number;
  /** When it last took something, in ms of a monotonic clock. */
  takenAt: number;
  backlog(): number;
  close(code: number, reason: string): void;
};

export type Backlog = {
  /** Bytes of frames that are under way to clients that did not take them at once. */
  bytes(): number;
  /** A frame of so many bytes did not go out at once. Closes the slowest while the budget is exceeded. */
  owe(debtor: Debtor, bytes: number): void;
  /** It has taken all, or is gone. */
  settle(debtor: Debtor): void;
  /** Closes those who have taken nothing for too long. To be called every second or so. */
  check(): void;
  /** Clients closed so far. */
  readonly closed: { stalled: number; overBudget: number };
};

export function openBacklog(maxBytes: number, stallMs: number, now: () => number): Backlog {
  const debtors = new Set<Debtor>();
  const closed = { stalled: 0, overBudget: 0 };
  let total = 0;

  function owe(debtor: Debtor, bytes: number): void {
    if (!debtors.has(debtor)) {
      debtors.add(debtor);
      debtor.takenAt = now();
      debtor.unsent = Infinity;
    }
    total += bytes - debtor.debt;
    debtor.debt = bytes;
    while (total > maxBytes && debtors.size > 0) {
      const slowest = [...debtors].reduce((a, b) => (a.takenAt <= b.takenAt ? a : b));
      closed.overBudget++;
      drop(slowest, "too slow: the backlogs of all clients are over --max-backlog");
    }
  }

  function settle(debtor: Debtor): void {
    if (!debtors.delete(debtor)) return;
    total -= debtor.debt;
    debtor.debt = 0;
  }

  function drop(debtor: Debtor, reason: string): void {
    settle(debtor);
    debtor.close(CLOSE.tryAgainLater, reason);
  }

  function check(): void {
    for (const debtor of debtors) {
      const unsent = debtor.backlog();
      if (unsent < debtor.unsent) debtor.takenAt = now();
      debtor.unsent = unsent;
      if (now() - debtor.takenAt <= stallMs) continue;
      closed.stalled++;
      drop(debtor, `too slow: nothing was taken for ${stallMs / 1000} s`);
    }
  }

  return { bytes: () => total, owe, settle, check, closed };
}
