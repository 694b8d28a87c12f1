// What is written to a descriptor whose reader is slow: a real pipe, that waits and that does not.
import { expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { openTextSink } from "../../../src/cli/client/stdout.ts";
import { TEST_TIMEOUT_MS, temporaryFolder, until } from "../../support.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

const MAX_PIPE = 1 << 16;

test.each([
  { name: "waits", flags: constants.O_WRONLY },
  { name: "does not wait", flags: constants.O_WRONLY | constants.O_NONBLOCK },
])(
  "texts come whole and in order through a pipe that $name, and none counts as written before it is",
  async ({ flags }) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "pipe");
    await Bun.$`mkfifo ${path}`;
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, flags);
    const sink = openTextSink(writer, (error) => {
      throw error;
    });
    const texts = Array.from({ length: 12 }, (_, i) => `${i} ${"é".repeat(i * 9_973)}\n`);
    const ends: number[] = [];
    let end = 0;
    for (const text of texts) {
      const to = (end += Buffer.byteLength(text));
      sink.write(text, () => ends.push(to));
    }
    const bytes: Buffer[] = [];
    let read = 0;
    await until("all to be read", () => {
      expect(ends.at(-1) ?? 0).toBeLessThanOrEqual(read + MAX_PIPE);
      const buffer = Buffer.alloc(30_011);
      try {
        const count = readSync(reader, buffer);
        bytes.push(buffer.subarray(0, count));
        read += count;
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("EAGAIN");
      }
      return read === end;
    });
    await until("the last to count as written", () => ends.length === texts.length);
    expect(Buffer.concat(bytes).toString()).toBe(texts.join(""));
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    closeSync(writer);
    closeSync(reader);
  },
);

test("a reader that is gone is told once, and nothing more is written", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "pipe");
  await Bun.$`mkfifo ${path}`;
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  const told: unknown[] = [];
  const sink = openTextSink(writer, ({ code }) => told.push(code));
  closeSync(reader);
  for (const text of ["a", "b"]) sink.write(text, () => told.push(text));
  await until("it to be told", () => told.length > 0);
  expect(told).toEqual(["EPIPE"]);
  closeSync(writer);
});
