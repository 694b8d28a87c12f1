// Command line and environment -> values or one line of advice, with the real tables of options.
import { describe, expect, test } from "bun:test";
import { CliError } from "../../src/cli/errors.ts";
import {
  defaultsOf,
  describeOptions,
  durationMs,
  onOff,
  type Option,
  readOptions,
  sizeBytes,
  wholeNumber,
} from "../../src/cli/options.ts";
import { serverOptions } from "../../src/cli/server/options.ts";

type Env = Record<string, string>;

const read = (argv: string[], env: Env = {}) => readOptions(serverOptions, argv, env);

/** The message of the usage error that reading ends with. */
function complaint(argv: string[], env: Env = {}): string {
  try {
    read(argv, env);
  } catch (error) {
    if (error instanceof CliError && error.kind === "usage") return error.message;
    throw error;
  }
  return "no complaint";
}

test("without anything, every option has its default", () => {
  const { values, positionals } = read([]);
  expect(positionals).toEqual([]);
  expect(values).toEqual({
    network: {
      port: undefined,
      hostname: "0.0.0.0",
      intervalMs: 1_000,
      maxClients: 10_000,
      maxPerAddress: 1_000,
      maxBacklogBytes: 2 ** 28,
      stallMs: 20_000,
      maxIncomingBytes: 4_096,
      idleMs: 30_000,
    },
    source: {
      lastRows: Infinity,
      isNewest: false,
      maxTables: 256,
      settleMs: 250,
      pollMs: 5_000,
      replay: undefined,
      replayBy: undefined,
      loops: false,
      maxFileBytes: Infinity,
      maxMemoryBytes: expect.any(Number),
      maxCellBytes: 2 ** 24,
    },
    csv: {
      delimiter: undefined,
      encoding: undefined,
      skipLines: undefined,
      headerLine: undefined,
      skipAfterHeader: undefined,
      comment: undefined,
      noHeader: false,
      names: undefined,
      trim: false,
      quote: undefined,
      escape: undefined,
      types: undefined,
      maxColumns: 100_000,
    },
    feeds: { maxFrameBytes: 32 * 2 ** 20, maxHistory: 2 ** 24, heartbeatMs: 5_000 },
    relay: { relayUrl: undefined, isStandby: false, relayHeartbeatMs: 1_000 },
    access: { token: undefined, isPublic: false, allowedHosts: [], allowedOrigins: [], trustedProxies: [] },
    program: {
      tokenFile: undefined,
      tlsCert: undefined,
      tlsKey: undefined,
      log: "text",
      opensBrowser: false,
      help: false,
      version: false,
    },
  });
});

describe("the command line", () => {
  type Grouped = ReturnType<typeof read>["values"];
  type Values = { [G in keyof Grouped]?: Partial<Grouped[G]> };
  const cases: { name: string; argv: string[]; env?: Env; expected: Values; positionals?: string[] }[] = [
    { name: "gives values as words of their own", argv: ["--port", "8080"], expected: { network: { port: 8080 } } },
    { name: "gives values after an equals sign", argv: ["--port=0"], expected: { network: { port: 0 } } },
    {
      name: "has short names",
      argv: ["-p", "1", "-i", "2s", "-d", ";", "-h", "-V"],
      expected: {
        network: { port: 1, intervalMs: 2_000 },
        csv: { delimiter: ";" },
        program: { help: true, version: true },
      },
    },
    { name: "has short names with the value attached", argv: ["-p8080"], expected: { network: { port: 8080 } } },
    {
      name: "takes the last of several values",
      argv: ["--port", "1", "--port", "2"],
      expected: { network: { port: 2 } },
    },
    {
      name: "takes files among the options",
      argv: ["a.csv", "--no-token", "b.csv"],
      expected: { access: { isPublic: true } },
      positionals: ["a.csv", "b.csv"],
    },
    {
      name: "takes all that follows -- as files",
      argv: ["--", "--port", "-x"],
      expected: { network: { port: undefined } },
      positionals: ["--port", "-x"],
    },
    { name: "knows delimiters by name", argv: ["--delimiter", "tab"], expected: { csv: { delimiter: "\t" } } },
    { name: "knows a tab as a person types it", argv: ["--delimiter", "\\t"], expected: { csv: { delimiter: "\t" } } },
    {
      name: "takes any other character as delimiter",
      argv: ["--delimiter", "-"],
      expected: { csv: { delimiter: "-" } },
    },
    {
      name: "knows encodings by their labels",
      argv: ["--encoding", "latin1"],
      expected: { csv: { encoding: "windows-1252" } },
    },
    {
      name: "reads sizes",
      argv: ["--max-file", "500MiB", "--max-message=64k"],
      expected: { source: { maxFileBytes: 500 * 2 ** 20 }, feeds: { maxFrameBytes: 65_536 } },
    },
    {
      name: "takes speeds",
      argv: ["--replay", "0.5x", "--replay-by", "t", "--loop"],
      expected: { source: { replay: { times: 0.5 }, replayBy: "t", loops: true } },
    },
    { name: "takes types", argv: ["--types", "auto"], expected: { csv: { types: "auto" } } },
    {
      name: "takes types by name, which may have an equals sign",
      argv: ["--types=price=number,a=b=text"],
      expected: { csv: { types: { price: "number", "a=b": "text" } } },
    },
    {
      name: "collects names",
      argv: ["--allow-host", "a.example", "--allow-host", "b.example,c.example"],
      expected: { access: { allowedHosts: ["a.example", "b.example", "c.example"] } },
    },
    {
      name: "collects origins",
      argv: ["--allow-origin", "https://a.example", "--allow-origin=http://b.example:8080"],
      expected: { access: { allowedOrigins: ["https://a.example", "http://b.example:8080"] } },
    },
    { name: "takes addresses of all kinds", argv: ["--host", "::1"], expected: { network: { hostname: "::1" } } },
    {
      name: "takes a token that begins with a dash",
      argv: ["--token=-0123456789"],
      expected: { access: { token: "-0123456789" } },
    },
    {
      name: "takes an empty environment variable as none",
      argv: [],
      env: { CSVCAST_PORT: "" },
      expected: { network: { port: undefined } },
    },
    {
      name: "wins over the environment",
      argv: ["--port", "1"],
      env: { CSVCAST_PORT: "2" },
      expected: { network: { port: 1 } },
    },
    {
      name: "wins over a faulty environment",
      argv: ["--port", "1"],
      env: { CSVCAST_PORT: "x" },
      expected: { network: { port: 1 } },
    },
    {
      name: "can be left to the environment",
      argv: [],
      env: { CSVCAST_PORT: "2", CSVCAST_MAX_CLIENTS: "7", CSVCAST_NO_TOKEN: "yes", CSVCAST_ALLOW_HOST: "a,b" },
      expected: { network: { port: 2, maxClients: 7 }, access: { isPublic: true, allowedHosts: ["a", "b"] } },
    },
    {
      name: "leaves a flag off that the environment turns off",
      argv: [],
      env: { CSVCAST_NO_TOKEN: "0" },
      expected: { access: { isPublic: false } },
    },
    {
      name: "has --help and --version to itself: no variable asks for them",
      argv: [],
      env: { CSVCAST_VERSION: "0.1.0", CSVCAST_HELP: "1" },
      expected: { program: { version: false, help: false } },
    },
  ];
  test.each(cases)("$name", ({ argv, env, expected, positionals }) => {
    const parsed = read(argv, env);
    expect(parsed.values).toMatchObject(expected);
    expect(parsed.positionals).toEqual(positionals ?? []);
  });
});

describe("a mistake is named, with its value and the way out:", () => {
  const port = "a port is a number from 0 to 65535";
  const interval = "a time from 10ms to 1h, such as 500ms or 2s; a bare number is seconds";
  const speed = "10x, as a multiple of the time it took, or 100/s, in rows";
  const token = "8 to 512 characters from A-Z a-z 0-9 - . _ ~ + / =, without blanks";
  const cases: { argv: string[]; env?: Env; expected: string }[] = [
    {
      argv: ["--types", "a=number,a=text"],
      expected:
        "--types a=number,a=text: auto, or NAME=TYPE with commas between, each name once, such as price=number,id=text",
    },
    { argv: ["--port", "70000"], expected: `--port 70000: ${port}` },
    { argv: ["--port", "-1"], expected: `--port -1: ${port}` },
    { argv: ["--port", "1e3"], expected: `--port 1e3: ${port}` },
    { argv: ["--port", "80.5"], expected: `--port 80.5: ${port}` },
    { argv: ["--port="], expected: `--port : ${port}` },
    { argv: ["--port"], expected: `--port: needs a value, ${port}` },
    { argv: ["-p"], expected: `-p: needs a value, ${port}` },
    { argv: ["--port", "--open"], expected: `--port: needs a value, ${port}` },
    { argv: [], env: { CSVCAST_PORT: "70000" }, expected: `CSVCAST_PORT=70000: ${port}` },
    { argv: ["--interval", "0"], expected: `--interval 0: ${interval}` },
    { argv: ["--interval", "9ms"], expected: `--interval 9ms: ${interval}` },
    { argv: ["--interval", "2h"], expected: `--interval 2h: ${interval}` },
    { argv: ["--interval", "soon"], expected: `--interval soon: ${interval}` },
    { argv: [], env: { CSVCAST_INTERVAL: "0" }, expected: `CSVCAST_INTERVAL=0: ${interval}` },
    { argv: ["--interval", "200"], expected: "--interval 200: 200ms or 200s?" },
    { argv: [], env: { CSVCAST_SETTLE: "100" }, expected: "CSVCAST_SETTLE=100: 100ms or 100s?" },
    { argv: ["--last", "0"], expected: "--last 0: a number of rows, 1 or more" },
    {
      argv: ["--settle", "5m"],
      expected: "--settle 5m: a time from 10ms to 1m, such as 250ms; a bare number is seconds",
    },
    { argv: ["--replay", "fast"], expected: `--replay fast: ${speed}` },
    { argv: ["--replay", "0x"], expected: `--replay 0x: ${speed}` },
    { argv: ["--replay=10"], expected: `--replay 10: ${speed}` },
    { argv: ["--replay-by", ""], expected: "--replay-by : the name of a column" },
    {
      argv: ["--poll", "10ms"],
      expected: "--poll 10ms: a time from 100ms to 24h, such as 5s; a bare number is seconds",
    },
    { argv: ["--host", "not a host"], expected: "--host not a host: an address such as 127.0.0.1, :: or localhost" },
    {
      argv: ["--delimiter", "ab"],
      expected: "--delimiter ab: one ASCII character, or comma, semicolon, tab, pipe, space, whitespace",
    },
    {
      argv: ["--delimiter", '"'],
      expected: '--delimiter ": one ASCII character, or comma, semicolon, tab, pipe, space, whitespace',
    },
    {
      argv: ["--encoding", "klingon"],
      expected: "--encoding klingon: an encoding such as utf-8, utf-16le, windows-1252 or shift_jis",
    },
    { argv: ["--max-file", "0"], expected: "--max-file 0: a size of 1 byte or more, such as 500MiB" },
    { argv: ["--max-message", "12"], expected: "--max-message 12: a size from 1KiB to 1GiB, such as 64MiB" },
    { argv: ["--max-clients", "0"], expected: "--max-clients 0: a number from 1 to 1000000" },
    { argv: ["--token", "short"], expected: `--token short: ${token}` },
    { argv: ["--allow-host", "a b"], expected: "--allow-host a b: a host name such as csv.example" },
    {
      argv: ["--allow-origin", "dash.example"],
      expected: "--allow-origin dash.example: an origin such as https://dash.example, without a path",
    },
    {
      argv: ["--allow-origin", "https://a.example/x"],
      expected: "--allow-origin https://a.example/x: an origin such as https://dash.example, without a path",
    },
    { argv: ["--no-token=yes"], expected: "--no-token=yes: takes no value" },
    {
      argv: [],
      env: { CSVCAST_NO_TOKEN: "perhaps" },
      expected: "CSVCAST_NO_TOKEN=perhaps: is on with 1 or true, off with 0 or false",
    },
    { argv: ["--prot", "1"], expected: "--prot: unknown option; did you mean --port?" },
    { argv: ["--intervall=1s"], expected: "--intervall: unknown option; did you mean --interval?" },
    { argv: ["--max-mesage", "1"], expected: "--max-mesage: unknown option; did you mean --max-message?" },
    { argv: ["--frobnicate"], expected: "--frobnicate: unknown option; see --help" },
    { argv: ["-z"], expected: "-z: unknown option; see --help" },
    { argv: ["--constructor"], expected: "--constructor: unknown option; see --help" },
    { argv: ["--__proto__"], expected: "--__proto__: unknown option; see --help" },
  ];
  test.each(cases)("$expected", ({ argv, env, expected }) => {
    expect(complaint(argv, env)).toBe(expected);
  });

  test("but a token from the environment is not repeated in it", () => {
    expect(complaint([], { CSVCAST_TOKEN: "s3cr3t!" })).not.toContain("s3cr3t!");
  });
});

describe("a time", () => {
  const cases: { input: string; expected: number | undefined }[] = [
    { input: "10", expected: 10_000 },
    { input: "0.5", expected: 500 },
    { input: "99.5", expected: 99_500 },
    { input: "100", expected: undefined },
    { input: "250", expected: undefined },
    { input: "250ms", expected: 250 },
    { input: "1s", expected: 1_000 },
    { input: "1.5s", expected: 1_500 },
    { input: "2m", expected: 120_000 },
    { input: "2min", expected: 120_000 },
    { input: "1h", expected: 3_600_000 },
    { input: " 1s ", expected: 1_000 },
    { input: "0", expected: 0 },
    { input: "2h", expected: undefined },
    { input: "-1s", expected: undefined },
    { input: "1 s", expected: undefined },
    { input: "1sec", expected: undefined },
    { input: ".5s", expected: undefined },
    { input: "1e3", expected: undefined },
    { input: "Infinity", expected: undefined },
    { input: "", expected: undefined },
  ];
  test.each(cases)("written '$input' is $expected ms", ({ input, expected }) => {
    expect(durationMs(input, 0, 3_600_000)).toBe(expected);
  });
});

describe("a size", () => {
  const cases: { input: string; expected: number | undefined }[] = [
    { input: "1", expected: 1 },
    { input: "64k", expected: 65_536 },
    { input: "64kB", expected: 65_536 },
    { input: "64KiB", expected: 65_536 },
    { input: "1.5M", expected: 1_572_864 },
    { input: "32 MiB", expected: 33_554_432 },
    { input: "1GiB", expected: 1_073_741_824 },
    { input: "0", expected: undefined },
    { input: "2g", expected: undefined },
    { input: "1TiB", expected: undefined },
    { input: "-1", expected: undefined },
    { input: "MiB", expected: undefined },
    { input: "", expected: undefined },
  ];
  test.each(cases)("written '$input' is $expected bytes", ({ input, expected }) => {
    expect(sizeBytes(input, 1, 2 ** 30)).toBe(expected);
  });
});

describe("a whole number", () => {
  const cases: { input: string; expected: number | undefined }[] = [
    { input: "1", expected: 1 },
    { input: "007", expected: 7 },
    { input: "10", expected: 10 },
    { input: "11", expected: undefined },
    { input: "0", expected: undefined },
    { input: "+5", expected: undefined },
    { input: "5.0", expected: undefined },
    { input: "0x5", expected: undefined },
    { input: "٥", expected: undefined },
    { input: "", expected: undefined },
  ];
  test.each(cases)("written '$input' is $expected", ({ input, expected }) => {
    expect(wholeNumber(input, 1, 10)).toBe(expected);
  });
});

describe("the options of a program", () => {
  const size: Option<number> = {
    flag: "size",
    value: "SIZE",
    help: "how large\n(default: 1)",
    rule: "a number",
    parse: Number,
    default: 1,
    isAdvanced: true,
  };
  const options = { switches: { isOn: onOff("on", "turns it on", { short: "o" }) }, sizes: { size } };

  test("are grouped by who consumes them, under the names of the consumers", () => {
    expect(readOptions(options, ["--on"], { CSVCAST_SIZE: "7" }).values).toEqual({
      switches: { isOn: true },
      sizes: { size: 7 },
    });
    expect(defaultsOf(options)).toEqual({ switches: { isOn: false }, sizes: { size: 1 } });
  });

  test("are described in columns, also below the first line of a description", () => {
    expect(describeOptions(options, { sizes: "How much", switches: "Whether" }, true)).toBe(
      [
        "How much:",
        "      --size SIZE  how large",
        "                   (default: 1) [CSVCAST_SIZE]",
        "",
        "Whether:",
        "  -o, --on         turns it on [CSVCAST_ON]",
      ].join("\n"),
    );
  });

  test("are described without those that few need, and without a group that has no others, if not all are wanted", () => {
    expect(describeOptions(options, { sizes: "How much", switches: "Whether" }, false)).toBe(
      "Whether:\n  -o, --on  turns it on [CSVCAST_ON]",
    );
  });
});
