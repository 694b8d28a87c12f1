// What people give for a file.
import { describe, expect, test } from "bun:test";
import { asCalled, IN_A_CLONE, ONE_COMMAND, TWO_COMMANDS } from "../../../src/cli/called.ts";
import { CliError } from "../../../src/cli/errors.ts";
import {
  cleanPath,
  type Given,
  givenFiles,
  homeOf,
  namedFault,
  noPath,
  pathParts,
  PROMPT_HELP,
  PROMPT_HELP_MANY,
  underHome,
  wordOf,
} from "../../../src/cli/server/words.ts";
import { temporaryFolder } from "../../support.ts";

/** A folder with files, and `$/` in texts for its path. */
async function openScene() {
  const folder = await temporaryFolder();
  for (const name of ["run-1.csv", "run-2.csv", "run-10.csv", "a*b.csv", "exit"]) await folder.write(name, "x\n1\n");
  const real = (text: string) => text.replaceAll("$/", `${folder.path}/`);
  return { ...folder, real, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

const ONE = "a pattern, and here one file is published at a time";

describe("is no path:", () => {
  const cases: { text: string; expected: string | undefined }[] = [
    { text: "https://ada:secret@h.example/x.csv?key=1", expected: undefined },
    { text: "HTTP://h/x.csv", expected: undefined },
    {
      text: "https://ada:secret@h.example:x/x.csv",
      expected: "FILE is no web address: https://HOST[:PORT]/PATH, or http://",
    },
    {
      text: "ws://127.0.0.1:59050/",
      expected: "ws://127.0.0.1:59050/: the address of a server; bun run client URL prints what it sends",
    },
    {
      text: "s3://bucket/x.csv",
      expected: "s3://bucket/x.csv: neither a path, nor a web address (https://, http://), nor the redis:// of a relay",
    },
    { text: "$/run-?.csv", expected: `$/run-?.csv: ${ONE}; it fits $/run-1.csv, $/run-2.csv` },
    {
      text: "$/*.csv",
      expected: `$/*.csv: ${ONE}; it fits $/a*b.csv, $/run-1.csv, $/run-10.csv, and 1 more`,
    },
    { text: "$/{run-1,other}.csv", expected: `$/{run-1,other}.csv: ${ONE}; it fits $/run-1.csv` },
    { text: "$/run-[13].csv", expected: `$/run-[13].csv: ${ONE}; it fits $/run-1.csv` },
    { text: "$/run-[3].csv", expected: undefined },
    { text: "$/nothing*.csv", expected: `$/nothing*.csv: ${ONE}; it fits no file` },
    { text: "$/nowhere/*.csv", expected: `$/nowhere/*.csv: ${ONE}; it fits no file` },
    { text: "$/a*b.csv", expected: undefined },
    { text: "$/run-3.csv", expected: undefined },
    { text: "$/{odd}.csv", expected: undefined },
    { text: "redis://cache", expected: undefined },
    { text: "C:\\data.csv", expected: undefined },
  ];
  test.each(cases)("$text", async ({ text, expected }) => {
    await using scene = await openScene();
    expect(noPath(scene.real(text))).toBe(expected && scene.real(expected));
  });
});

describe("FILE", () => {
  type Case = { given: string[]; isNewest?: boolean; expected: Given | [kind: string, message: string] };
  const cases: Case[] = [
    { given: [], expected: {} },
    { given: ["-"], expected: { file: "-" } },
    { given: ["redis://h/nowhere"], expected: { file: "redis://h/nowhere" } },
    { given: ["https://ada:s3cret@h.example/x.csv?a=b"], expected: { file: "https://ada:s3cret@h.example/x.csv?a=b" } },
    { given: ["eur=http://h/*.csv?a=b"], expected: { tables: [{ name: "eur", location: "http://h/*.csv?a=b" }] } },
    {
      given: ["http://ada:s3cret@"],
      expected: ["usage", "FILE is no web address: https://HOST[:PORT]/PATH, or http://"],
    },
    { given: ["$/run-1.csv"], expected: { file: "$/run-1.csv" } },
    { given: ["$/not-yet.csv"], expected: { file: "$/not-yet.csv" } },
    { given: ["not-yet.csv"], expected: { file: "not-yet.csv" } },
    { given: ["file://$/run-1.csv"], expected: { file: "$/run-1.csv" } },
    { given: ["$/a=b.csv"], expected: { file: "$/a=b.csv" } },
    { given: ["a", "b\u0007"], expected: { tables: [{ location: "a" }, { location: "b\u0007" }] } },
    { given: ["eur=$/run-1.csv"], expected: { tables: [{ name: "eur", location: "$/run-1.csv" }] } },
    {
      given: ["in=-", "b=redis://h?topic=x"],
      expected: {
        tables: [
          { name: "in", location: "-" },
          { name: "b", location: "redis://h?topic=x" },
        ],
      },
    },
    { given: ["$/"], expected: { tables: [{ location: "$/" }] } },
    { given: ["$/nothing*"], expected: { tables: [{ location: "$/nothing*" }] } },
    { given: ["$/run-*.csv"], isNewest: true, expected: { file: "$/run-*.csv" } },
    { given: ["$/a*b.csv"], expected: { file: "$/a*b.csv" } },
    { given: [""], expected: ["usage", "FILE is empty: give the path of a CSV file"] },
    { given: ["x="], expected: ["usage", "FILE is empty: give the path of a CSV file"] },
    {
      given: ["ftp://h/x.csv"],
      expected: [
        "usage",
        "ftp://h/x.csv: neither a path, nor a web address (https://, http://), nor the redis:// of a relay",
      ],
    },
    { given: ["$/nowhere/"], expected: ["file", "$/nowhere/: no such folder: $/nowhere/"] },
    { given: ["$/nowhere/*.csv"], expected: ["file", "$/nowhere/*.csv: no such folder: $/nowhere"] },
    { given: ["$/nowhere/x.csv"], expected: ["file", "$/nowhere/x.csv: no such folder: $/nowhere"] },
    { given: ["$/run-1.csv/x.csv"], expected: ["file", "$/run-1.csv/x.csv: no such folder: $/run-1.csv"] },
    {
      given: ["~/x.csv"],
      expected: [
        "file",
        "~/x.csv: no such folder: ~; ~ and $HOME are replaced by a shell that sees them without quotes, and at the prompt",
      ],
    },
  ];
  test.each(cases)("$given", async ({ given, isNewest = false, expected }) => {
    await using scene = await openScene();
    await scene.write("a=b.csv", "x\\n");
    const act = () =>
      givenFiles(
        given.map((text) => scene.real(text)),
        isNewest,
      );
    if (!Array.isArray(expected)) return expect(act()).toEqual(JSON.parse(scene.real(JSON.stringify(expected))));
    const [kind, message] = expected;
    expect(act).toThrow(new CliError(kind as "usage", scene.real(message)));
  });
});

describe("a path on Windows", () => {
  const home = "C:\\Users\\ada";
  const typed = [
    { typed: "C:\\my data\\a.csv", expected: "C:\\my data\\a.csv" },
    { typed: '"C:\\my data\\a.csv"', expected: "C:\\my data\\a.csv" },
    { typed: "\\\\host\\share\\a.csv", expected: "\\\\host\\share\\a.csv" },
    { typed: "~\\a.csv", expected: "C:\\Users\\ada\\a.csv" },
    { typed: "~/a.csv", expected: "C:\\Users\\ada/a.csv" },
    { typed: "%USERPROFILE%\\a.csv", expected: "C:\\Users\\ada\\a.csv" },
    { typed: "~bob\\a.csv", expected: "~bob\\a.csv" },
  ];
  test.each(typed)("$typed is $expected", ({ typed, expected }) => {
    expect(cleanPath(typed, home, "win32")).toBe(expected);
  });

  test("begins at the home of its user, whichever variable says it", () => {
    expect(homeOf({ USERPROFILE: home }, "win32")).toBe(home);
    expect(homeOf({ HOME: "/home/ada", USERPROFILE: home }, "win32")).toBe("/home/ada");
    expect(homeOf({ USERPROFILE: home }, "linux")).toBe("");
    expect(underHome("~\\a.csv", "/home/ada", "linux")).toBe("~\\a.csv");
    expect(underHome("%USERPROFILE%/a.csv", "/home/ada", "darwin")).toBe("%USERPROFILE%/a.csv");
  });

  const parts: { path: string; platform?: NodeJS.Platform; expected: [string, string, string] }[] = [
    { path: "C:\\data\\a", expected: ["C:\\data\\", "a", "\\"] },
    { path: "C:/data/a", expected: ["C:/data/", "a", "/"] },
    { path: "C:\\data/sub\\a", expected: ["C:\\data/sub\\", "a", "/"] },
    { path: "C:a", expected: ["C:", "a", "\\"] },
    { path: "a", expected: ["", "a", "\\"] },
    { path: "\\\\host\\share\\", expected: ["\\\\host\\share\\", "", "\\"] },
    { path: "data/a\\b", platform: "linux", expected: ["data/", "a\\b", "/"] },
    { path: "C:a", platform: "linux", expected: ["", "C:a", "/"] },
    { path: "~/a", platform: "darwin", expected: ["~/", "a", "/"] },
  ];
  test.each(parts)("Tab takes $path apart", ({ path, platform = "win32", expected: [folder, start, separator] }) => {
    expect(pathParts(path, platform)).toEqual({ folder, start, separator });
  });

  test("is no name that is given to a file", () => {
    expect(namedFault("C:\\a=b.csv")).toBeUndefined();
    expect(noPath("C:\\data\\a.csv")).toBeUndefined();
  });
});

describe("what is typed", () => {
  const home = "/home/ada";
  const cases = [
    { typed: "$HOME/a.csv", expected: "/home/ada/a.csv" },
    { typed: '"${HOME}/a b.csv"', expected: "/home/ada/a b.csv" },
    { typed: "$HOMES/a.csv", expected: "$HOMES/a.csv" },
    { typed: "'$HOME/a.csv'", expected: "/home/ada/a.csv" },
    { typed: "\\$HOME", expected: "/home/ada" },
  ];
  test.each(cases)("$typed", ({ typed, expected }) => {
    expect(cleanPath(typed, home)).toBe(expected);
  });

  test("is what it says if there is a file of that name, whatever it looks like", async () => {
    await using scene = await openScene();
    for (const name of ['"quoted".csv', "$HOME.csv", "a\\ b.csv"]) {
      const path = await scene.write(name, "");
      expect(cleanPath(path, home)).toBe(path);
    }
  });

  test.each([
    ["exit", "quit"],
    ["QUIT", "quit"],
    ["help", "help"],
    ["?", "help"],
    ["h", "help"],
    ["o", "open"],
    ["O", "open"],
    ["exits", undefined],
    ["./exit", undefined],
  ] as const)("%s is the word %p", (typed, expected) => {
    expect(wordOf(typed)).toBe(expected);
  });

  test("is no word if there is a file of that name", async () => {
    await using scene = await openScene();
    const before = process.cwd();
    process.chdir(scene.path);
    try {
      expect(wordOf("exit")).toBeUndefined();
      expect(wordOf("quit")).toBe("quit");
    } finally {
      process.chdir(before);
    }
  });
});

test("what can be typed fits a terminal of 80 columns, however the program is called", () => {
  for (const line of [...PROMPT_HELP, ...PROMPT_HELP_MANY])
    for (const commands of [IN_A_CLONE, ONE_COMMAND, TWO_COMMANDS])
      expect(asCalled(line, commands).length).toBeLessThanOrEqual(80);
});
