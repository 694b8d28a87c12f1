// An option of the command line that would do nothing is told, with what it needs.
import { expect, test } from "bun:test";
import { readOptions } from "../../../src/cli/options.ts";
import { uselessOption } from "../../../src/cli/server/effect.ts";
import { serverOptions } from "../../../src/cli/server/options.ts";
import type { Given } from "../../../src/cli/server/words.ts";

function found(argv: readonly string[], env: Record<string, string> = {}): string | undefined {
  const { values, flags, positionals } = readOptions(serverOptions, argv, env);
  const [file, ...more] = positionals;
  const tables = positionals.map((location) => ({ location }));
  const given: Given = file === undefined ? {} : more.length === 0 ? { file } : { tables };
  return uselessOption(flags, given, values.relay.relayUrl !== undefined);
}

test.each([
  {
    argv: ["a.csv", "--poll", "3s"],
    expected: "--poll: needs a FILE that is a web address; a file is looked at when it changes, and every --interval",
  },
  { argv: ["a.csv", "-", "--poll=3s"], expected: expect.stringMatching(/^--poll: needs/) },
  {
    argv: ["a.csv", "--relay-heartbeat", "2s"],
    expected: "--relay-heartbeat: needs --relay, or a FILE that is a relay",
  },
  {
    argv: ["redis://cache", "-d", ";"],
    expected: "--delimiter: a relay has tables, not files; give it to the server that publishes them",
  },
  {
    argv: ["redis://cache", "redis://other", "--trim"],
    expected: expect.stringMatching(/^--trim: a relay has tables/),
  },
])("$argv", ({ argv, expected }) => {
  expect(found(argv)).toEqual(expected);
});

test.each([
  { argv: ["https://h/a.csv", "--poll=3s"] },
  { argv: ["a.csv", "http://h/b.csv", "--poll=3s"] },
  { argv: ["a.csv", "--relay=redis://cache", "--relay-heartbeat=2s"] },
  { argv: ["a.csv", "--relay-heartbeat=2s"], env: { CSVCAST_RELAY: "redis://cache" } },
  { argv: ["redis://cache", "--relay-heartbeat=2s"] },
  { argv: ["redis://cache", "--types=auto", "--last=5", "--max-columns=9"] },
  { argv: ["--poll=3s", "--relay-heartbeat=2s"] }, // an address may be typed
  { argv: ["a.csv"], env: { CSVCAST_POLL: "3s", CSVCAST_RELAY_HEARTBEAT: "2s" } },
])("$argv has an effect, or comes from an environment for several servers", ({ argv, env }) => {
  expect(found(argv, env)).toBeUndefined();
});
