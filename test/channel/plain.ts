// Frames that tell their numbers, and clients that take them or do not.
import { expect } from "bun:test";
import { connectRaw, OPCODES, type RawClient } from "../hub/raw-client.ts";
import { type Client, connect, until } from "../support.ts";
import { openTestHub } from "./open.ts";

/** A large frame that tells its number, and whether all of it is there. */
export const MARK_BYTES = 4;
export const numbered = (number: number, bytes: number) => String(number).padStart(MARK_BYTES, "0") + "x".repeat(bytes);
export const numberOf = (text: string) => Number(text.slice(0, MARK_BYTES));

export const textFramesOf = ({ frames }: RawClient) => frames.filter(({ opcode }) => opcode === OPCODES.text);
export const numbersOf = (client: RawClient) =>
  textFramesOf(client).map(({ payload }) => numberOf(payload.toString("utf8", 0, MARK_BYTES)));

/** One client does not read for so many frames of so many bytes while as many others as `healthy` do. */
export async function skipsWholeFrames(healthy: number): Promise<void> {
  const FRAMES = 20;
  const bytes = 3 << 20;
  await using hub = openTestHub();
  await using stalled = await connectRaw(hub.port);
  await using stack = new AsyncDisposableStack();
  const others: Client[] = [];
  for (let i = 0; i < healthy; i++) others.push(stack.use(await connect(hub.url)));
  stalled.pause();
  for (let number = 0; number < FRAMES; number++) {
    await hub.show(numbered(number, bytes));
    if (number > 0) hub.tick(); // the first one goes to all by itself
    for (const other of others) expect(numberOf(await other.next())).toBe(number);
  }

  stalled.resume();
  await until("the newest frame", () => numbersOf(stalled).includes(FRAMES - 1));
  const numbers = numbersOf(stalled);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(numbers.length).toBeLessThan(FRAMES);
  expect(textFramesOf(stalled).every(({ payload }) => payload.length === MARK_BYTES + bytes)).toBe(true);

  await hub.show("[]");
  hub.tick();
  await until("the next frame, on time again", () => textFramesOf(stalled).at(-1)?.payload.toString() === "[]");
  for (const other of others) expect(await other.next()).toBe("[]");
}
