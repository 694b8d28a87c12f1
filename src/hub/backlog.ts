// What clients have been sent and not taken yet, all together: it has a budget, and who takes nothing for too long is closed.
import type { Backlog, Consumer } from "../channel/client.ts";
import { CLOSE } from "../feed/protocol.ts";

export type BoundedBacklog = Backlog & {
  /** Bytes of messages that are under way to clients that did not take them at once. */
  bytes(): number;
  /** How many wait for room. */
  waiting(): number;
  /** Closes those who have taken nothing for too long. To be called every second or so. */
  check(): Promise<void>;
  /** Clients closed so far. */
  readonly closed: { stalled: number; overBudget: number };
};

export type BacklogOptions = {
  /** Above it those go that have taken nothing for longest. */
  readonly maxBytes: number;
  /** Who takes nothing for so long is closed. */
  readonly stallMs: number;
  /** A monotonic clock in ms. */
  readonly now: () => number;
  /** As of `Neighbours`. */
  readonly unacknowledged: () => Promise<(peer: NonNullable<Consumer["peer"]>) => number | undefined>;
};

/** What a consumer was owed when it was last looked at; `isWhole`: with what the kernel holds. */
type Look = { readonly owedBytes: number; readonly isWhole: boolean };

/** The kernel is asked once somebody has been owed something for so long, if `stallMs` leaves time for more looks: 10 ms for 1,000 clients. */
const OWED_MS = 1_000;
const LOOKS_MS = 4_000;
/** Who holds room and takes nothing for so long is closed while others wait for room. */
const HELD_UP_MS = 5_000;
/** Where the kernel does not say what a peer takes, this is what the slowest take in a second: its buffers hide it. */
const SLOWEST_BYTES_PER_S = 10_000;
const MAX_HIDDEN_MS = 120_000;

export function openBacklog({ maxBytes, stallMs, now, unacknowledged }: BacklogOptions): BoundedBacklog {
  const consumers = new Map<Consumer, Look | undefined>();
  const queue = new Map<Consumer, () => void>();
  const closed = { stalled: 0, overBudget: 0 };
  const owedMs = stallMs >= OWED_MS + LOOKS_MS ? OWED_MS : 0;
  let total = 0;
  let isChecking = false;

  function add(consumer: Consumer, bytes: number): void {
    consumer.progressAt = now(); // what was before it was taken, or it would not have been sent
    consumers.set(consumer, undefined);
    const pending = Math.max(bytes, consumer.buffered());
    total += pending - consumer.pendingBytes;
    consumer.pendingBytes = pending;
    while (total > maxBytes && consumers.size > 0) {
      const slowest = [...consumers.keys()].reduce((a, b) => (a.progressAt <= b.progressAt ? a : b));
      closed.overBudget++;
      drop(slowest, "too slow: the backlogs of all clients are over --max-backlog");
    }
  }

  function settle(consumer: Consumer): void {
    queue.delete(consumer);
    if (!consumers.delete(consumer)) return;
    total -= consumer.pendingBytes;
    consumer.pendingBytes = 0;
    if (queue.size > 0) queueMicrotask(admit);
  }

  /** Half of the room is for those whom a change finds busy: nobody can ask them to wait. */
  const isFull = () => total > maxBytes / 2;

  function waits(consumer: Consumer, resume: () => void): boolean {
    if (!isFull()) return false;
    queue.set(consumer, resume);
    return true;
  }

  /** Those who have waited longest; each may take all the room that is left. */
  function admit(): void {
    for (const [consumer, resume] of queue) {
      if (isFull()) return;
      queue.delete(consumer);
      resume();
    }
  }

  function drop(consumer: Consumer, reason: string): void {
    settle(consumer);
    consumer.close(CLOSE.tryAgainLater, reason);
  }

  async function check(): Promise<void> {
    if (isChecking) return;
    isChecking = true;
    const isAsked = [...consumers.keys()].some(({ progressAt }) => now() - progressAt >= owedMs);
    const inKernel = isAsked ? await unacknowledged().catch(() => () => undefined) : undefined;
    isChecking = false;
    if (inKernel) for (const consumer of consumers.keys()) look(consumer, consumer.peer && inKernel(consumer.peer));
    admit();
  }

  /** Progress is what the peer took, whichever buffer it came from. */
  function look(consumer: Consumer, unacknowledgedBytes: number | undefined): void {
    const before = consumers.get(consumer);
    const isWhole = unacknowledgedBytes !== undefined;
    const owedBytes = consumer.buffered() + (unacknowledgedBytes ?? 0);
    if (before?.isWhole === isWhole && owedBytes < before.owedBytes) consumer.progressAt = now();
    consumers.set(consumer, { owedBytes, isWhole });
    const hiddenMs = isWhole ? 0 : (consumer.pendingBytes / SLOWEST_BYTES_PER_S) * 1000;
    const patienceMs = stallMs + Math.min(hiddenMs, MAX_HIDDEN_MS);
    const idleMs = now() - consumer.progressAt;
    if (idleMs > patienceMs) {
      closed.stalled++;
      drop(consumer, `too slow: nothing was taken for ${Math.round(patienceMs / 1000)} s`);
    } else if (queue.size > 0 && idleMs > HELD_UP_MS) {
      closed.overBudget++;
      drop(consumer, "too slow: others wait for room in --max-backlog");
    }
  }

  return { bytes: () => total, waiting: () => queue.size, add, settle, waits, check, closed };
}
