// Texts name the command that the reader has.
import { expect, test } from "bun:test";
import { asCalled, commandsOf, IN_A_CLONE, ONE_COMMAND, TWO_COMMANDS } from "../../src/cli/called.ts";
import { clientHelp } from "../../src/cli/client/options.ts";
import { serverHelp } from "../../src/cli/server/help.ts";

test("a clone is what they are written for", () => {
  for (const text of [serverHelp(true), serverHelp(false), clientHelp]) expect(asCalled(text, IN_A_CLONE)).toBe(text);
});

test.each([
  { commands: ONE_COMMAND, expected: "csvcast has it, csvcast client prints it" },
  { commands: TWO_COMMANDS, expected: "csvcast-server has it, csvcast-client prints it" },
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
  const installed = asCalled(help, ONE_COMMAND);
  expect(installed).not.toContain("bun run");
  expect(columns(installed)).toEqual(columns(help));
});

test.each([
  {
    name: "bun run server, or bun src/server.ts",
    flags: [],
    path: "/projects/csvcast/src/server.ts",
    expected: IN_A_CLONE,
  },
  { name: "an executable", isExecutable: true, flags: [], path: "/$bunfs/server", expected: TWO_COMMANDS },
  {
    name: "its name, linked or installed",
    flags: ["--no-env-file", "--config=/dev/null", "--tsconfig-override=/dev/null"],
    path: "/projects/csvcast/src/server.ts",
    expected: TWO_COMMANDS,
  },
  {
    name: "a shim of Windows",
    flags: [],
    path: "C:\\me\\node_modules\\csvcast\\src\\server.ts",
    expected: TWO_COMMANDS,
  },
])("started by $name, texts say that", ({ isExecutable = false, flags, path, expected }) => {
  expect(commandsOf(isExecutable, flags, path)).toBe(expected);
});
