// What a person is told when a connection cannot be made.
import { expect, test } from "bun:test";
import { advised, type Attempt } from "../../../src/cli/client/advice.ts";

const status = (code: number) => `Expected 101 status code: ${code}`;

const cases: { why: string; url?: string; attempt?: Partial<Attempt>; expected: string }[] = [
  {
    why: status(401),
    expected:
      "401: a token is needed, in CSVCAST_TOKEN or --token-file; the server prints it in its Network lines, or was started with it",
  },
  {
    why: status(401),
    attempt: { hasToken: true },
    expected: "401: the token is wrong; the server prints it in its Network lines, or was started with it",
  },
  {
    why: status(403),
    expected: "403: the server may not know that it is h.example; start it with --allow-host h.example",
  },
  ...["ws://127.0.0.1:1/", "ws://[::1]:1/", "ws://localhost:1/"].map((url) => ({
    why: status(403),
    url,
    expected: "403: refused, and not by csvcast, which goes by this name: another server, or a proxy before it",
  })),
  { why: status(404), expected: "404: no such table; --list prints those that there are" },
  { why: status(200), expected: "200: no table at this address, but something else" },
  { why: status(502), expected: status(502) },
  {
    why: "TLS handshake failed: Hostname/IP does not match certificate's altnames",
    expected: "its certificate is not for h.example; connect by a name that it is for",
  },
  {
    why: "the table is larger than --max-message (32 MiB): take csvcast.v1 or /csv.ndjson",
    attempt: { wasOpen: true },
    expected:
      "the table is larger than --max-message (32 MiB): --live, --ndjson and --csv print it, however large it is",
  },
  {
    why: "TLS handshake failed: self signed certificate",
    expected: "TLS handshake failed: self signed certificate; see --ca",
  },
  {
    why: "TLS handshake failed: error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER",
    expected: "no TLS is spoken there; try ws:// or http://",
  },
  { why: "Connection ended", expected: "Connection ended; if TLS is spoken there, try wss://" },
  { why: "Connection ended", url: "wss://h.example:1/", expected: "Connection ended" },
  { why: "Connection ended", attempt: { wasOpen: true }, expected: "Connection ended" },
  { why: "Failed to connect", expected: "Failed to connect" },
  {
    why: "Failed to connect",
    url: "ws://h.example/",
    expected: "Failed to connect; no port was given, and a server's own is 59050 unless it says another",
  },
];

test.each(cases)("$why: $expected", ({ why, url = "ws://h.example:1/", attempt, expected }) => {
  expect(advised(why, { url: new URL(url), hasToken: false, wasOpen: false, ...attempt })).toBe(expected);
});
