// Tries the two executables as a user would who has only them: from an empty folder that somebody else prepared.
// Run by `bun run verify` after `bun run build`; exits with 1 and says why if one of them does not do its work.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SAMPLE =
  '[{"11":"66","22":"77","33":"88","44":"99","55":"1010"},{"11":"1111","22":"1212","33":"1313","44":"1414","55":"1515"}]';
const executable = (name: string) => Bun.fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "csvcast-executables-"));
const trap = 'console.log("code of the folder was run");';
writeFileSync(join(folder, ".env"), "CSVCAST_PORT=not-a-port\n");
writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./trap.ts"]\n');
writeFileSync(join(folder, "trap.ts"), trap);
mkdirSync(join(folder, "channel"));
writeFileSync(join(folder, "channel", "sources.worker.ts"), trap);
writeFileSync(join(folder, "sample.csv"), await Bun.file(new URL("../sample.csv", import.meta.url)).text());

const env = { PATH: "/nowhere", HOME: folder, XDG_RUNTIME_DIR: folder };
const server = Bun.spawn([executable("csvcast-server"), "sample.csv", "--port", "0"], {
  cwd: folder,
  env,
  stdin: "ignore",
  stdout: "pipe",
  stderr: "inherit",
});
let printed = "";
for await (const chunk of server.stdout) {
  printed += Buffer.from(chunk).toString();
  if (printed.includes("2 rows × 5 columns")) break;
}
const client = Bun.spawnSync([executable("csvcast-client"), "--once", "--quiet"], {
  cwd: folder,
  env,
  timeout: 20_000,
});
const page = `http://127.0.0.1:${/Listening on \S+:(\d+)\./.exec(printed)?.[1]}`;
const html = await (await fetch(page)).text();
const script = await fetch(page + /src="([^"]+)"/.exec(html)?.[1]);
const library = await fetch(`${page}/client.js`);
const isLibraryThere = library.ok && /export\s*\{[^}]*\bsubscribe\b/.test(await library.text());
const isPageThere = script.ok && (await script.text()).includes("csvcast.v1");
server.kill("SIGTERM");
const code = await server.exited;
rmSync(folder, { recursive: true });

const faults = [
  client.stdout.toString() === `${SAMPLE}\n`
    ? ""
    : `the client printed ${JSON.stringify(client.stdout.toString())}${client.stderr}`,
  code === 143 ? "" : `the server exited with ${code} on SIGTERM`,
  printed.startsWith("WebSocket server started. Listening on 0.0.0.0:")
    ? ""
    : `the server printed ${JSON.stringify(printed)}`,
  isPageThere ? "" : `the page at / has no script: ${html.slice(0, 300)}`,
  isLibraryThere ? "" : `/client.js is no client library: ${library.status}`,
  printed.includes("code of the folder") ? "the server ran code of the folder it was started in" : "",
].filter((fault) => fault !== "");
for (const fault of faults) console.error(`executables: ${fault}`);
if (faults.length > 0) process.exit(1);
console.log("executables: both do their work from another folder");
