// What a person at the prompt meets rarely.
import { describe, setDefaultTimeout, test, expect } from "bun:test";
import { basename } from "node:path";
import { atOnce } from "../../at-once.ts";
import { TEST_TIMEOUT_MS, temporaryFolder, until } from "../../support.ts";
import { KEYS, startInTerminal } from "../terminal.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const PROMPT = "Enter the CSV file path:";
const SERVER = ["--host=127.0.0.1", "--port=0", "--interval=30ms", "--settle=20ms"];
const WAITING = "no file yet · 0 clients";

describe.concurrent("at the prompt, a person", () => {
  test("is told where there is no browser to open", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv"], {
      folder,
      columns: 100,
      env: { PATH: folder.path },
    });
    await server.ends(/^a\.csv · 1 row × 1 column ·/, PROMPT);
    server.type(`o${KEYS.enter}`);
    await server.shows(/^no browser was opened: .*open: no such program here; the address is above$/);
  });

  test("can type - and go on: the keys stay with the prompt", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await folder.write("b.csv", "y\n1\n");
    await using server = startInTerminal("server", [...SERVER, "a.csv", "b.csv"], { folder, columns: 100 });
    await server.ends(/^2 tables ·/, PROMPT);
    for (const typed of ["-", "/dev/stdin", "/dev/tty"]) {
      server.type(`${typed}${KEYS.enter}`);
      await server.shows(new RegExp(`^${basename(typed)}: `));
    }
    server.type(`h${KEYS.enter}`);
    await server.shows(/^ {2}-NAME/);
    server.type(KEYS.ctrlC);
    expect(await server.exited).toBe(130);
  });

  test("where nothing can be stopped, Ctrl-Z changes nothing", async () => {
    await using folder = await temporaryFolder();
    await using server = startInTerminal("server", SERVER, { folder });
    await server.ends(WAITING, PROMPT);
    server.type(KEYS.ctrlZ);
    await until("the prompt again", () => server.output().split(WAITING).length > 2);
    server.type("x");
    await server.ends(WAITING, `${PROMPT} x`);
  });
});
