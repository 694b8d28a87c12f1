// A FIFO as FILE: real writers that come, go, and come again. The plain case is in `fifo.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { atOnce } from "./at-once.ts";
import { command, environment, startServer, TEST_TIMEOUT_MS, temporaryFolder } from "./support.ts";
import { NOBODY, openScene, sceneOf } from "./fifo.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

describe.concurrent("a FIFO", () => {
  test("without a writer is waited for, and the server answers meanwhile", async () => {
    await using scene = await openScene();
    const { server } = scene;
    await server.prints(`waiting for p.csv: ${NOBODY}\n`, "stderr");
    expect(await scene.health()).toMatchObject({ state: "waiting", message: `p.csv: ${NOBODY}`, file: "p.csv" });
    server.kill("SIGTERM");
    expect(await server.exited).toBe(143);
  });

  test("shows the rows of a writer that stays, as they come", async () => {
    await using scene = await openScene();
    const writer = Bun.spawn(["sh", "-c", "cat > p.csv"], { cwd: scene.folder.path, stdin: "pipe" });
    const write = (text: string) => {
      void writer.stdin.write(text);
      void writer.stdin.flush();
    };
    write("a\n");
    for (let row = 1; row <= 5; row++) {
      write(`${row}\n`);
      await scene.becomes(`${row} rows`, ({ rows }) => rows === row);
    }
    void writer.stdin.end();
    await writer.exited;
    expect(await scene.health()).toMatchObject({ state: "live", rows: 5 });
  });

  test("becomes another table with another header, which is told", async () => {
    await using scene = await openScene();
    await scene.writes("printf 'a,b\\n1,2\\n'");
    await scene.sees('[{"a":"1","b":"2"}]');
    await scene.writes("printf 'x;y;z\\n3;4;5\\n'");
    await scene.sees('[{"x":"3","y":"4","z":"5"}]');
    await scene.server.prints("p.csv: other columns now: 1 row × 3 columns, semicolon, UTF-8\n");
  });

  test("to which something else is written first is waited for all the same", async () => {
    await using scene = await openScene();
    await scene.writes("printf '\\211PNG\\r\\n\\032\\n'");
    await scene.server.prints("waiting: p.csv: not a CSV but a PNG image\n", "stderr");
    await scene.writes("printf 'a\\n1\\n'");
    await scene.sees('[{"a":"1"}]');
    expect(await scene.health()).toMatchObject({ state: "live" });
  });

  test("that is removed is missing, and goes on when it is made again", async () => {
    await using scene = await openScene();
    await scene.writes("printf 'a\\n1\\n'");
    await scene.sees('[{"a":"1"}]');
    await rm(scene.path);
    await scene.becomes("missing", ({ state }) => state === "missing");
    Bun.spawnSync(["mkfifo", scene.path]);
    await scene.becomes("live", ({ state }) => state === "live");
    await scene.writes("echo 2");
    await scene.sees('[{"a":"1"},{"a":"2"}]');
    await rm(scene.path);
    await scene.folder.write("p.csv", "a\n1\n");
    await scene.becomes("stale", ({ state }) => state === "stale");
    expect(await scene.health()).toMatchObject({
      message: "p.csv: is no FIFO any more; start the server again; clients keep the last good table",
    });
  });

  test("keeps the last rows of more than a pipe holds, none lost", async () => {
    await using scene = await openScene(["--last=3"]);
    await scene.writes("echo n; seq 1 200000");
    await scene.sees('[{"n":"199998"},{"n":"199999"},{"n":"200000"}]');
  });

  test("may come later, for a FILE that is not there yet", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer(["p.csv"], { folder });
    const scene = sceneOf(server, folder);
    await server.prints("waiting for p.csv: no such file yet", "stderr");
    Bun.spawnSync(["mkfifo", join(folder.path, "p.csv")]);
    await scene.becomes("waiting for a writer", ({ message }) => message === `p.csv: ${NOBODY}`);
    await scene.writes("printf 'a\\n1\\n'");
    await scene.sees('[{"a":"1"}]');
  });

  test("may be typed: the table before it stays until there is something, and another path takes its place", async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    Bun.spawnSync(["mkfifo", join(folder.path, "p.csv")]);
    await using server = await startServer([], { folder, stdin: "open" });
    const scene = sceneOf(server, folder);
    server.type("a.csv\n");
    await scene.sees('[{"x":"1"}]');
    server.type("p.csv\n");
    await server.prints(`waiting for p.csv: ${NOBODY}\n`, "stderr");
    expect(await scene.health()).toMatchObject({ state: "live", file: "a.csv" });
    await scene.writes("printf 'a\\n1\\n'");
    await scene.sees('[{"a":"1"}]');
    server.type("a.csv\n");
    await scene.sees('[{"x":"1"}]');
  });

  test("is refused by who converts a file once", async () => {
    await using folder = await temporaryFolder();
    Bun.spawnSync(["mkfifo", join(folder.path, "p.csv")]);
    const script = `import { convertCsvToJson } from "${join(import.meta.dir, "../src/index.ts")}";
      await convertCsvToJson("p.csv").catch(({ message }) => console.log(message));`;
    const [bun = ""] = command("server", []);
    const child = Bun.spawn([bun, "-e", script], { cwd: folder.path, env: environment(folder), stdout: "pipe" });
    expect(await new Response(child.stdout).text()).toBe("p.csv: is a FIFO, not a CSV file\n");
  });
});
