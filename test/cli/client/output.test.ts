// What waits to be printed, with a stream that the test drains.
import { expect, test } from "bun:test";
import { escapeControls, openOutput } from "../../../src/cli/client/output.ts";

function openTestOutput(limit = Infinity, isTTY = false) {
  const log: string[] = [];
  let text = "";
  const waiting: (() => void)[] = [];
  const write = (chunk: string, done: () => void) => {
    text += chunk;
    waiting.push(done);
  };
  const output = openOutput({
    sink: { isTTY, write },
    limit,
    onFull: () => void log.push("full"),
    onDrained: () => void log.push("drained"),
    onDone: () => void log.push("done"),
  });
  /** The stream takes all that it was given. */
  function drain(): void {
    for (const done of waiting.splice(0)) done();
  }
  return { output, log, drain, text: () => text };
}

const LONG = "x".repeat(1 << 20);

test("lines go out in order, and a reader that does not keep up is said once", () => {
  const { output, log, drain, text } = openTestOutput();
  output.print(["a", "b"]);
  output.print([LONG]);
  output.print(["c"]);
  output.print(["d"]);
  expect(log).toEqual(["full"]);
  expect(text()).toBe(`a\nb\n${LONG}\n`);
  drain();
  expect(log).toEqual(["full", "drained"]);
  expect(text()).toBe(`a\nb\n${LONG}\nc\nd\n`);
});

test("lines are made no sooner than they can be printed", () => {
  const { output, drain } = openTestOutput();
  let made = 0;
  output.print(
    (function* () {
      for (; made < 40; made++) yield "x".repeat(1 << 16);
    })(),
  );
  expect(made).toBeLessThan(20);
  drain();
  drain();
  drain();
  expect(made).toBe(40);
});

test("it is done when as many lines are printed as were wanted, headers not counted, and not before", () => {
  const { output, log, drain, text } = openTestOutput(2);
  output.printHeader("h");
  output.print(["a"]);
  output.print(["b", "c"]);
  output.print(["d"]);
  expect(log).toEqual([]);
  drain();
  drain();
  expect(log).toEqual(["done"]);
  expect(text()).toBe("h\na\nb\n");
});

test("it is done when all is printed and nothing else will come", () => {
  const { output, log, drain, text } = openTestOutput();
  output.print(["a"]);
  output.finish();
  output.print(["b"]);
  expect(log).toEqual([]);
  drain();
  expect(log).toEqual(["done"]);
  expect(text()).toBe("a\n");
  const idle = openTestOutput();
  idle.output.finish();
  idle.output.finish();
  expect(idle.log).toEqual(["done"]);
});

test("a terminal gets no controls", () => {
  const { output, text } = openTestOutput(Infinity, true);
  output.print(["\x1b[31m\tä\u009b\u202e\n"]);
  expect(text()).toBe("\\u001b[31m\tä\\u009b\\u202e\\u000a\n");
  expect(escapeControls("\x7f")).toBe("\\u007f");
});
