// Event streams by themselves: who gets what is broadcast.
import { expect, test } from "bun:test";
import { openEventStreams } from "../../src/hub/events.ts";
import { openFigures } from "../../src/hub/figures.ts";
import type { Reader } from "../../src/hub/live.ts";

const textOf = (chunk: Uint8Array | undefined) => new TextDecoder().decode(chunk);

test("who comes to follow while a change is broadcast holds it already, and does not get it again", async () => {
  const streams = openEventStreams(openFigures());
  const readers: Reader[] = [];
  let onDrain = () => {};
  const open = () =>
    streams
      .open(undefined, { onOpen: (reader) => void readers.push(reader), onDrain: () => onDrain(), onClose() {} })
      .getReader();
  const first = open();
  const second = open();
  await first.read(); // `retry`
  await second.read();
  readers[0]!.follow(true);
  let isBroadcasting = false;
  let isCaughtUp = false;
  onDrain = () => {
    if (isCaughtUp || !isBroadcasting) return;
    isCaughtUp = true; // as the live feed does with whoever was waiting
    readers[1]!.send("caught up");
    readers[1]!.follow(true);
  };
  const taken = first.read(); // so that the change goes out at once, and there is room again
  await Bun.sleep(0); // until it waits for it
  isBroadcasting = true;
  streams.broadcast("change");
  isBroadcasting = false;
  expect(textOf((await taken).value)).toContain("data: change");
  await Bun.sleep(0);
  readers[1]!.send("last");
  const seen: string[] = [];
  while (!seen.join("").includes("last")) seen.push(textOf((await second.read()).value));
  expect(isCaughtUp).toBe(true);
  expect(seen.join("")).not.toContain("data: change");
  streams.close();
});
