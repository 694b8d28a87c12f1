// The live feed as an asynchronous iteration over tables.
import { subscribe, type SubscribeOptions } from "./subscriber.ts";
import type { Table } from "./table.ts";

export type FollowOptions = SubscribeOptions & {
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
};

/** There is nothing to follow any more, or never was. The message says why. */
export class FeedError extends Error {
  override readonly name = "FeedError";
}

/**
 * The table now, and again after each change: `for await (const table of follow(url))`. A body that takes long skips what comes in
 * between: the next table is always the newest. None changes any more: they share what they have in common. Ends with the loop or with `signal`; throws a FeedError when it is of no use to go on.
 */
export async function* follow(url: string | URL, options: FollowOptions = {}): AsyncGenerator<Table, void, undefined> {
  const { signal } = options;
  if (signal?.aborted) return;
  let failure: FeedError | undefined;
  let seen: Table | undefined;
  let wake = () => {};

  const subscription = subscribe(url, {
    ...options,
    onChange(table, splices) {
      wake();
      options.onChange?.(table, splices);
    },
    onConnection(connection) {
      wake();
      options.onConnection?.(connection);
    },
    onEnd(why) {
      failure = new FeedError(why);
      wake();
      options.onEnd?.(why);
    },
  });
  const abort = () => wake();
  signal?.addEventListener("abort", abort);

  try {
    for (;;) {
      if (signal?.aborted) return;
      if (failure) throw failure;
      const { table, isCurrent } = subscription;
      if (table && isCurrent && table !== seen) {
        seen = table;
        yield table;
        continue;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", abort);
    subscription.close();
  }
}
