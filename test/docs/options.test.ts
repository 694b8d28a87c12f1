// The options that pages name are those that there are.
import { describe, expect, test } from "bun:test";
import { clientOptions, modeOf, refuseUseless } from "../../src/cli/client/options.ts";
import { envName, type Options, readOptions } from "../../src/cli/options.ts";
import { serverOptions } from "../../src/cli/server/options.ts";
import { codeIn, page, readPages } from "./markdown.ts";
import { optionsPage, unaligned } from "./options-page.ts";
import { wordsOf } from "./shell.ts";

const flagsOf = (options: Options) =>
  Object.values(options).flatMap((group) => Object.values(group).map(({ flag }) => flag));
const flags = new Set([...flagsOf(serverOptions), ...flagsOf(clientOptions)]);
const variables = new Set([...flags].map(envName));

/** Of other programs. */
const OTHERS = new Set([
  "max-time",
  "output",
  "ojson",
  "ignore-scripts",
  "production",
  "frozen-lockfile",
  "rm",
  "network",
  "cwd",
  "verify",
  "check",
  "destination",
]);
/** Of the tests and benchmarks. */
const TEST_VARIABLES = /^CSVCAST_(SOAK|SEED|RUNS|RACES|KILLS|SLEEP_MS)$/;

test("docs/options.md is what the declarations say; `bun run docs` writes it", async () => {
  expect(unaligned((await page("docs/options.md")).text)).toBe(unaligned(optionsPage()));
});

// The changelog names options that are gone.
const pages = (await readPages()).filter(({ path }) => path !== "CHANGELOG.md" && path !== "CONTRIBUTING.md");

describe.each(pages.map((page) => ({ ...page })))("$path", (page) => {
  test("names options and variables that there are", () => {
    const text = page.text.replace(/^(docker|\w*journalctl|systemd\S*|promtool|npm|git) .*$/gm, "");
    const named = [...text.matchAll(/(?<=[\s`(\[])--([a-z][a-z-]+)/g)].map(([, flag = ""]) => flag);
    expect(named.filter((flag) => !flags.has(flag) && !OTHERS.has(flag))).toEqual([]);
    const set = [...text.matchAll(/\bCSVCAST_[A-Z_]+\b/g)].map(([name]) => name);
    expect(set.filter((name) => !variables.has(name) && !TEST_VARIABLES.test(name) && name !== "CSVCAST_")).toEqual([]);
  });

  test("has commands that the programs understand", () => {
    for (const { text, language } of codeIn(page)) {
      if (language !== "sh" && language !== "console") continue;
      for (const [, program, rest = ""] of text.matchAll(/(?:bun run|csvcast-)(server|client)\b([^|>\n]*)/g)) {
        const args = wordsOf(rest);
        if (program === "server") readOptions(serverOptions, args, {});
        else {
          const { values, flags: given, positionals } = readOptions(clientOptions, args, {});
          refuseUseless(given, positionals[0]);
          modeOf(values.print);
        }
      }
    }
  });
});
