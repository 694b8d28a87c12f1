// Options of the client that contradict each other, or would do nothing.
import { expect, test } from "bun:test";
import { clientOptions, modeOf, refuseUseless } from "../../../src/cli/client/options.ts";
import { readOptions } from "../../../src/cli/options.ts";

function read(argv: readonly string[], env: Record<string, string> = {}) {
  const { values, flags, positionals } = readOptions(clientOptions, argv, env);
  refuseUseless(flags, positionals[0]);
  return modeOf(values.print);
}

const CA = "--ca: needs a URL that begins with wss://; a server of yours on this machine needs none";

test.each([
  { argv: ["ws://h/", "--ca=ca.pem"], expected: CA },
  { argv: ["h:59050", "--ca=ca.pem"], expected: CA },
  { argv: ["--ca=ca.pem"], expected: CA },
  { argv: ["--list", "--live"], expected: "--list and --live: one of them at a time; see --help" },
  { argv: ["-l", "-n", "3"], expected: "--list and --count: one of them at a time; see --help" },
  { argv: ["--list", "--give-up=3s"], expected: "--list and --give-up: one of them at a time; see --help" },
  { argv: ["--once", "--count=3"], expected: "--once and --count: one of them at a time; see --help" },
  { argv: ["--all"], expected: "--all: goes with --ndjson or --csv; see --help" },
  { argv: ["--ndjson", "--csv"], expected: "--ndjson and --csv: one of them at a time; see --help" },
])("$argv", ({ argv, expected }) => {
  expect(() => read(argv)).toThrow(expected);
});

test.each([
  { argv: ["wss://h/", "--ca=ca.pem"] },
  { argv: ["https://h/", "--ca=ca.pem"] },
  { argv: ["ws://h/"], env: { CSVCAST_CA: "ca.pem" } },
  { argv: ["--list", "--quiet"], env: { CSVCAST_LIVE: "1" } },
  { argv: ["--ndjson", "--once", "--count=3", "--all"] },
])("$argv has an effect, or comes from an environment for several servers", ({ argv, env }) => {
  expect(() => read(argv, env)).not.toThrow();
});
