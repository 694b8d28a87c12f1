// Texts name the command that the reader has.
import { expect, test } from "bun:test";
import { asCalled, EXECUTABLES, IN_A_CLONE, INSTALLED } from "../../src/cli/called.ts";
import { clientHelp } from "../../src/cli/client/options.ts";
import { serverHelp } from "../../src/cli/server/help.ts";

test("a clone is what they are written for", () => {
  for (const text of [serverHelp(true), serverHelp(false), clientHelp]) expect(asCalled(text, IN_A_CLONE)).toBe(text);
});

test.each([
  { commands: INSTALLED, expected: "csvcast has it, csvcast client prints it" },
  { commands: EXECUTABLES, expected: "csvcast-server has it, csvcast-client prints it" },
])("in a sentence: $expected", ({ commands, expected }) => {
  expect(asCalled("bun run server has it, bun run client prints it", commands)).toBe(expected);
});

test.each([serverHelp(true), clientHelp])("in a help text what they do stays in its column: %#", (help) => {
  const columns = (text: string) =>
    text
      .split("\n")
      .flatMap((line) =>
        /^ {2}(\w+ \| )?(bun run|csvcast).*?(?<=\S) {2,}\S/.test(line) ? [line.search(/(?<=\S {2,})\S/)] : [],
      );
  const installed = asCalled(help, INSTALLED);
  expect(installed).not.toContain("bun run");
  expect(columns(installed)).toEqual(columns(help));
});
