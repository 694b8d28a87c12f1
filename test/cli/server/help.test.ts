// --help of the server: what most people need, or everything.
import { describe, expect, test } from "bun:test";
import { envName, type Option } from "../../../src/cli/options.ts";
import { serverHelp } from "../../../src/cli/server/help.ts";
import { serverOptions } from "../../../src/cli/server/options.ts";

const declared: Option<unknown>[] = Object.values(serverOptions).flatMap((group) => Object.values(group));
const common = declared.filter(({ isAdvanced }) => !isAdvanced);
const advanced = declared.filter(({ isAdvanced }) => isAdvanced);

/** The line that begins with the option. */
const lineOf = (help: string, { flag }: Option<unknown>) =>
  help.split("\n").find((line) => new RegExp(`^ {2}(-\\w, | {4})--${flag}( |$)`).test(line));

describe("--help all", () => {
  test.each(declared)("lists --$flag once", (option) => {
    expect(serverHelp(true).match(new RegExp(`^ {2}(-\\w, | {4})--${option.flag}(?= |$)`, "gm"))).toHaveLength(1);
  });

  test("has the variable of each option, but for those that ask for a text", () => {
    for (const { flag } of declared)
      expect(serverHelp(true).includes(`[${envName(flag)}]`)).toBe(flag !== "help" && flag !== "version");
  });

  test("does not point to itself", () => {
    expect(serverHelp(true)).not.toContain("--help all shows every option.\n");
  });
});

describe("--help", () => {
  test("lists the options that most people need, and says where the others are", () => {
    expect(common.filter((option) => lineOf(serverHelp(false), option) === undefined)).toEqual([]);
    expect(advanced.filter((option) => lineOf(serverHelp(false), option) !== undefined)).toEqual([]);
    expect(advanced.length).toBeGreaterThan(0);
    expect(serverHelp(false)).toContain("\nbun run server --help all shows every option.\n");
  });

  test.each([true, false])("fits on a terminal (all: %p), the names of variables aside", (isAll) => {
    const lines = serverHelp(isAll).split("\n");
    expect(lines.filter((line) => line.replace(/ \[CSVCAST_\w+\]$/, "").length > 100)).toEqual([]);
  });
});
