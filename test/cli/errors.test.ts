// What a program says last, and the exit code it ends with.
import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { CliError, EXIT_CODES, reportFatal } from "../../src/cli/errors.ts";

describe("what ended a program", () => {
  let stderr: string;
  let write: ReturnType<typeof spyOn>;
  beforeEach(() => {
    stderr = "";
    write = spyOn(process.stderr, "write").mockImplementation((text) => {
      stderr += text;
      return true;
    });
  });
  afterEach(() => write.mockRestore());

  const cases: { name: string; error: unknown; expected: string; exitCode: number }[] = [
    { name: "a mistake in usage", error: new CliError("usage", "--x: no"), expected: "p: --x: no\n", exitCode: 2 },
    {
      name: "a file",
      error: new CliError("file", "a.csv: no such file"),
      expected: "p: a.csv: no such file\n",
      exitCode: 3,
    },
    { name: "no place to listen", error: new CliError("listen", "taken"), expected: "p: taken\n", exitCode: 4 },
    { name: "no server", error: new CliError("connect", "gone"), expected: "p: gone\n", exitCode: 5 },
    { name: "a failure of its own", error: new CliError("failure", "oh"), expected: "p: oh\n", exitCode: 1 },
    {
      name: "an error that nobody foresaw",
      error: new TypeError("x is not y"),
      expected: "p: x is not y\n",
      exitCode: 1,
    },
    {
      name: "a message of several lines",
      error: new Error("first\n    at second"),
      expected: "p: first\n",
      exitCode: 1,
    },
    { name: "something thrown that is no error", error: "text", expected: "p: text\n", exitCode: 1 },
    { name: "nothing thrown", error: undefined, expected: "p: undefined\n", exitCode: 1 },
  ];
  test.each(cases)("$name is one line on stderr and exit code $exitCode", ({ error, expected, exitCode }) => {
    expect(reportFatal("p", error)).toBe(exitCode);
    expect(stderr).toBe(expected);
  });

  test("has a code per kind, as docs/client.md lists them", () => {
    expect(EXIT_CODES).toEqual({ failure: 1, usage: 2, file: 3, listen: 4, connect: 5 });
  });
});
