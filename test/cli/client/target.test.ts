// What somebody gives the client, and where it leads.
import { describe, expect, test } from "bun:test";
import { CliError } from "../../../src/cli/errors.ts";
import { targetOf } from "../../../src/cli/client/target.ts";

/** No server is running here. */
const env = { XDG_RUNTIME_DIR: "/nowhere" };

async function led(given: string): Promise<{ url?: string; said: string[]; fault?: string }> {
  const said: string[] = [];
  try {
    const { url } = await targetOf(given, { token: undefined, env, namesTables: true, say: (text) => said.push(text) });
    return { url: String(url), said };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { fault: `${error.kind}: ${error.message}`, said };
  }
}

describe("an address", () => {
  const whole = [
    { given: "ws://h.example/", url: "ws://h.example/" },
    { given: "https://h.example/csvcast/prices?token=x#top", url: "https://h.example/csvcast/prices?token=x" },
    { given: "h.example:80", url: "ws://h.example/" },
    { given: "localhost:8080/prices", url: "ws://localhost:8080/prices" },
    { given: "59051", url: "ws://127.0.0.1:59051/" },
    { given: ":59051", url: "ws://127.0.0.1:59051/" },
    { given: "http://h.example:1/events", url: "http://h.example:1/events" },
  ];
  test.each(whole)("$given is $url, and nothing is said", async ({ given, url }) => {
    expect(await led(given)).toEqual({ url, said: [] });
  });

  const hosts = [
    { given: "localhost", url: "ws://localhost:59050/" },
    { given: "LOCALHOST", url: "ws://localhost:59050/" },
    { given: "192.168.1.20", url: "ws://192.168.1.20:59050/" },
    { given: "[::1]", url: "ws://[::1]:59050/" },
    { given: "h.example/prices?token=x", url: "ws://h.example:59050/prices?token=x" },
  ];
  test.each(hosts)("$given is tried at the usual port, which is said", async ({ given, url }) => {
    expect(await led(given)).toEqual({ url, said: [`${given}: no port given; trying 59050`] });
  });
});

describe("what is none is told with the way out:", () => {
  const cases = [
    {
      given: "sample.csv",
      fault: "usage: sample.csv: a file; bun run server sample.csv publishes it, and then bun run client prints it",
    },
    {
      given: "C:\\data\\a",
      fault: "usage: C:\\data\\a: a file; bun run server C:\\data\\a publishes it, and then bun run client prints it",
    },
    {
      given: "/tmp/a",
      fault: "usage: /tmp/a: a file; bun run server /tmp/a publishes it, and then bun run client prints it",
    },
    {
      given: "data/nowhere.TSV",
      fault:
        "usage: data/nowhere.TSV: a file; bun run server data/nowhere.TSV publishes it, and then bun run client prints it",
    },
    {
      given: "http://h:1/csv.csv?token=secret",
      fault: "usage: http://h:1/csv.csv: a document, for curl and browsers; the table is at http://h:1/csv",
    },
    {
      given: "h:1/prices/events",
      fault: "usage: h:1/prices/events: a document, for curl and browsers; the table is at h:1/prices",
    },
    {
      given: "http://h:1/tables.json",
      fault: "usage: http://h:1/tables.json: a document, for curl and browsers; --list prints the tables",
    },
    {
      given: "prices",
      fault:
        "connect: prices: no server of yours is running on this machine; for a host of that name: bun run client prices:59050",
    },
    { given: "ftp://h/", fault: "usage: ftp://h/: not a WebSocket URL; it looks like ws://127.0.0.1:59050/" },
  ];
  test.each(cases)("$fault", async ({ given, fault }) => {
    expect(await led(given)).toEqual({ fault, said: [] });
  });
});
