// Whoever follows the README to the letter, from a fresh clone: what it says is printed is printed.
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import pkg from "../../package.json";
import { soon, temporaryFolder, TEST_TIMEOUT_MS } from "../support.ts";
import { type Code, codeIn, page, ROOT } from "./markdown.ts";
import { begin } from "./walk.ts";

setDefaultTimeout(8 * TEST_TIMEOUT_MS);

/** The lines of a session, without those that have `…`, which stands for what differs. */
const printed = ({ text }: Code) => text.split("\n").filter((line) => line !== "" && !line.includes("…"));

const isRepository = Bun.spawnSync(["git", "rev-parse"], { cwd: ROOT }).success;

test.skipIf(!isRepository)(
  "install, run, client: as the README shows it (skipped where this is no clone)",
  async () => {
    await using folder = await temporaryFolder();
    const clone = join(folder.path, "csvcast");
    const cloned = Bun.spawnSync(["git", "clone", "--quiet", "--no-local", "--depth=1", `file://${ROOT}`, clone]);
    expect(cloned.stderr.toString()).toBe("");
    const within = { ...folder, path: clone };
    const [commands, shown, session] = codeIn(await page("README.md")) as [Code, Code, Code];

    const [install, serve] = commands.text.trimEnd().split("\n") as [string, string];
    expect(install).toBe("bun install");
    // With what is in the cache of whoever runs the tests.
    const cache = Bun.spawnSync([process.execPath, "pm", "cache"], { cwd: ROOT }).stdout.toString().trim();
    await using installing = begin(["sh", "-c", `BUN_INSTALL_CACHE_DIR=${cache} ${install}`], within);
    expect({ exitCode: await installing.exited, stderr: installing.output.stderr }).toMatchObject({ exitCode: 0 });
    expect(await Bun.file(join(clone, "dist/client/index.js")).exists()).toBe(true);

    // Both ways to the command `csvcast`, each with a folder of commands of its own.
    const { text: readme } = await page("README.md");
    const add = /`(bun add -g [^`]+)`/.exec(readme)![1]!;
    for (const [i, way] of ["bun link", `bun pm pack && ${add}`].entries()) {
      expect(readme).toContain(`\`${way.split(" && ")[0]}\``);
      const env = `export BUN_INSTALL=${join(folder.path, `bun${i}`)} BUN_INSTALL_CACHE_DIR=${cache}`;
      const line = `${env}; ${way} && cd .. && PATH=$BUN_INSTALL/bin:$PATH csvcast --version`;
      await using command = begin(["sh", "-c", line], within);
      expect({ way, exitCode: await command.exited, ...command.output }).toMatchObject({ way, exitCode: 0 });
      expect(command.output.stdout).toEndWith(`${pkg.version}\n`);
    }

    await using server = begin(["sh", "-c", serve], within);
    const [first, ...others] = printed(shown);
    await server.until("the table", ({ stdout }) => stdout.includes(others.at(-1)!));
    const port = /Listening on .*:(\d+)\./.exec(server.output.stdout)?.[1];
    const here = (line: string) => line.replace("0.0.0.0", "127.0.0.1").replace("59050", port!);
    expect(server.output.stdout).toStartWith(`${here(first!)}\n`);
    for (const line of others) expect(server.output.stdout).toContain(`${here(line)}\n`);

    const [typed, ...answer] = printed(session);
    await using client = begin(["sh", "-c", typed!.replace("$ ", "")], within);
    expect(await soon("the client to end", client.exited)).toBe(0);
    const all = `${client.output.stderr}${client.output.stdout}`.trimEnd().split("\n");
    expect(all).toEqual(answer.map((line) => line.replace("59050", port!)));
  },
);

test("the name of the packed file is its version's", async () => {
  expect((await page("README.md")).text).toContain(`./csvcast-${pkg.version}.tgz`);
});
