// The live feed with readers of the test's own: such as take a message and ask for the next in one breath, as event streams do.
import { expect, test } from "bun:test";
import { openFeed } from "../../src/feed/feed.ts";
import { openBacklog } from "../../src/hub/backlog.ts";
import { openLiveFeed, type Reader } from "../../src/hub/live.ts";
import { until } from "../support.ts";
import { openCopy } from "./copy.ts";

/** A slice of the live feed's time is 5 ms: a message that takes longer is the last of it. */
const LONG_MS = 6;

function openScene() {
  const feed = openFeed(() => "e", 0, 1 << 20);
  const readers: { reader: Reader; texts: string[] }[] = [];
  const live = openLiveFeed({
    feed,
    backlog: openBacklog(1 << 20, 1000, () => performance.now()),
    render: async () => ({ version: 1, rows: 1, parts: [{ at: 0, text: '[["1"]]' }] }),
    broadcast: (text) => readers.forEach(({ reader, texts }) => reader.isFollowing && texts.push(text)),
    heartbeatMs: 5_000,
  });
  const publish = (version: number) =>
    live.publish({
      version,
      isNewEpoch: version === 1,
      splices: version === 1 ? undefined : `[[${version - 1},0,[["${version}"]]]]`,
      columnsJson: '["n"]',
      rows: version,
      bytes: 100,
    });

  function join(takesLong: boolean): string[] {
    const texts: string[] = [];
    const reader: Reader = {
      debt: 0,
      unsent: 0,
      takenAt: 0,
      cursor: undefined,
      isFollowing: false,
      transfer: undefined,
      backlog: () => 0,
      send(text) {
        texts.push(text);
        if (takesLong) Bun.sleepSync(LONG_MS);
        live.drain(reader);
        return true;
      },
      follow() {},
      close() {},
    };
    readers.push({ reader, texts });
    live.open(reader);
    return texts;
  }
  return { live, publish, join, readers };
}

test.each([false, true])(
  "who asks for more while it is served gets each change once (slowly: %p)",
  async (takesLong) => {
    const { live, publish, join, readers } = openScene();
    publish(1);
    const all = [join(takesLong), join(takesLong), join(takesLong)];
    for (let version = 2; version <= 6; version++) {
      await until("one to follow", () => readers.some(({ reader }) => reader.isFollowing));
      publish(version);
    }
    await until("all to follow", () => readers.every(({ reader }) => reader.isFollowing));
    publish(7);
    for (const texts of all) {
      const copy = openCopy();
      for (const text of texts) copy.take(text); // throws for what is there twice, or missing
      expect(copy.cursor()).toBe("e:7");
    }
    live.stop();
  },
);
