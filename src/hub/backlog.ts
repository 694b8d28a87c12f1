// What clients have been sent and not taken yet, all together: it has a budget, and who takes nothing for too long is closed.
import type { Backlog, Consumer } from "../channel/client.ts";
import { CLOSE } from "../feed/protocol.ts";

export type BoundedBacklog = Backlog & {
  /** Bytes of messages that are under way to clients that did not take them at once. */
  bytes(): number;
  /** Closes those who have taken nothing for too long. To be called every second or so. */
  check(): void;
  /** Clients closed so far. */
  readonly closed: { stalled: number; overBudget: number };
};

/** Closes the slowest while more than `maxBytes` are pending. `now` is a monotonic clock in ms. */
export function openBacklog(maxBytes: number, stallMs: number, now: () => number): BoundedBacklog {
  const consumers = new Set<Consumer>();
  const closed = { stalled: 0, overBudget: 0 };
  let total = 0;

  function add(consumer: Consumer, bytes: number): void {
    if (!consumers.has(consumer)) {
      consumers.add(consumer);
      consumer.progressAt = now();
      consumer.unsentBytes = Infinity;
    }
    total += bytes - consumer.pendingBytes;
    consumer.pendingBytes = bytes;
    while (total > maxBytes && consumers.size > 0) {
      const slowest = [...consumers].reduce((a, b) => (a.progressAt <= b.progressAt ? a : b));
      closed.overBudget++;
      drop(slowest, "too slow: the backlogs of all clients are over --max-backlog");
    }
  }

  function settle(consumer: Consumer): void {
    if (!consumers.delete(consumer)) return;
    total -= consumer.pendingBytes;
    consumer.pendingBytes = 0;
  }

  function drop(consumer: Consumer, reason: string): void {
    settle(consumer);
    consumer.close(CLOSE.tryAgainLater, reason);
  }

  function check(): void {
    for (const consumer of consumers) {
      const unsentBytes = consumer.buffered();
      if (unsentBytes < consumer.unsentBytes) consumer.progressAt = now();
      consumer.unsentBytes = unsentBytes;
      if (now() - consumer.progressAt <= stallMs) continue;
      closed.stalled++;
      drop(consumer, `too slow: nothing was taken for ${stallMs / 1000} s`);
    }
  }

  return { bytes: () => total, add, settle, check, closed };
}
