// Does what a page says, to the letter, in a project of its own: commands by a shell, programs by what runs them. Only what a page
// can but name, such as another machine, is put in its place.
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { environment, type Folder, temporaryFolder, until } from "../support.ts";
import { ROOT } from "./markdown.ts";

/** Files of the names that pages use. */
const FILES: Readonly<Record<string, string>> = {
  "sample.csv": "11,22,33,44,55\n66,77,88,99,1010\n1111,1212,1313,1414,1515\n",
  "prices.csv": "time,price\n2026-01-02 09:00,10\n2026-01-02 09:01,11\n",
  "orders.csv": "id,quantity\n1,2\n",
  "rates/eur.csv": "day,rate\n2026-01-02,1.1\n",
  "data/temperatures.csv": "time,celsius\n2026-01-02 09:00,21.5\n",
  "logs/run-1.csv": "time,value\n2026-01-02 09:00,1\n",
  "logs/run-2.csv": "time,value\n2026-01-02 10:00,2\n",
  "yesterday.csv": "time,value\n2026-01-02 09:00:00,1\n2026-01-02 09:00:01,2\n2026-01-02 09:00:02,3\n",
  "token.txt": "sesame-open-sesame\n",
};

/** A project in which the two programs are there as they are in this one. */
export async function openProject(): Promise<Folder> {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(FILES)) await Bun.write(join(folder.path, name), content);
  const scripts = { server: `bun ${ROOT}/src/server.ts`, client: `bun ${ROOT}/src/client.ts` };
  await folder.write("package.json", JSON.stringify({ name: "walk", type: "module", scripts }));
  await folder.write("bunfig.toml", "[run]\nsilent = true\n");
  const modules = join(folder.path, "node_modules");
  await mkdir(modules);
  await symlink(ROOT, join(modules, "csvcast"));
  await symlink(join(ROOT, "node_modules/ws"), join(modules, "ws"));
  return folder;
}

export type Command = AsyncDisposable & {
  readonly output: { stdout: string; stderr: string };
  /** The exit code, once all that it started has ended. */
  readonly exited: Promise<number>;
  until(what: string, isThere: (output: { stdout: string; stderr: string }) => boolean): Promise<void>;
};

/** Any free port, on this machine only: what a page says of 59050 goes for `port`. */
const QUIET = { CSVCAST_PORT: "0", CSVCAST_HOST: "127.0.0.1", PYTHONUNBUFFERED: "1" };

/** Starts a line of shell, or a program; leaving the block ends it, and all that it has started. */
export function begin(command: readonly string[], folder: Folder): Command {
  const PATH = `${join(process.execPath, "..")}:${process.env["PATH"] ?? ""}`;
  const child = Bun.spawn([...command], {
    cwd: folder.path,
    env: environment(folder, { ...QUIET, PATH }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true, // a group of its own, which ends as one
  });
  const output = { stdout: "", stderr: "" };
  const collect = async (name: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    for await (const chunk of child[name]) output[name] += decoder.decode(chunk, { stream: true });
  };
  let hasEnded = false;
  const exited = Promise.all([child.exited, collect("stdout"), collect("stderr")]).then(([code]) => {
    hasEnded = true;
    return code;
  });
  const shown = () => `${command.join(" ")}\n${JSON.stringify(output)}`;
  return {
    output,
    exited,
    async until(what, isThere) {
      await until(what, () => isThere(output) || hasEnded, shown);
      if (!isThere(output)) throw new Error(`ended without ${what}: ${shown()}`);
    },
    async [Symbol.asyncDispose]() {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // all of it has ended
      }
      await exited;
    },
  };
}

export const shell = (line: string, folder: Folder) => begin(["sh", "-c", line], folder);

/** A server that the page takes for granted, and its port. */
export async function beginServer(folder: Folder, args: string): Promise<Command & { readonly port: number }> {
  const server = shell(`bun run server ${args} --interval 50ms --allow-origin http://127.0.0.1`, folder);
  const files = args.match(/\S+\.csv/g) ?? [];
  await server.until("each table", ({ stdout }) => files.every((file) => stdout.includes(`${file}: `)));
  return { ...server, port: Number(/Listening on .*:(\d+)\./.exec(server.output.stdout)?.[1]) };
}
