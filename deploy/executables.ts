// `bun run build:all`: the two programs for every platform, each in one file, and their checksums, into dist/executables. The runtime
// of a platform is fetched from the npm registry the first time; where it cannot be had, that platform is left out and said.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const OUT = join(ROOT, "dist/executables");
const TARGETS = ["linux-x64", "linux-arm64", "darwin-arm64", "windows-x64"];
const PROGRAMS = {
  "csvcast-server": ["src/server.ts", "src/channel/sources.worker.ts", "dist/library.bundle"],
  "csvcast-client": ["src/client.ts"],
};

/** The reason if it could not be built. */
async function build(program: keyof typeof PROGRAMS, target: string): Promise<string | undefined> {
  const suffix = target.startsWith("windows") ? ".exe" : "";
  const built = Bun.spawn(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      `--target=bun-${target}`,
      ...PROGRAMS[program],
      "--root=src",
      "--outfile",
      join(OUT, `${program}-${target}${suffix}`),
    ],
    { cwd: ROOT, stdout: "ignore", stderr: "pipe" },
  );
  const stderr = await new Response(built.stderr).text();
  if ((await built.exited) === 0) return undefined;
  return stderr.split("\n").find((line) => /error|failed/i.test(line)) ?? "it failed without a word";
}

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
const missing: string[] = [];
for (const target of TARGETS) {
  const reasons = [await build("csvcast-server", target), await build("csvcast-client", target)];
  const reason = reasons.find((why) => why !== undefined);
  if (reason === undefined) console.log(`${target}: built`);
  else {
    missing.push(target);
    console.error(`${target}: left out: ${reason.trim()}`);
  }
}
const names = (await readdir(OUT)).filter((name) => !missing.some((target) => name.includes(target))).sort();
const sums: string[] = [];
for (const name of names) {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(join(OUT, name)).stream()) hasher.update(chunk);
  sums.push(`${hasher.digest("hex")}  ${name}\n`);
}
await Bun.write(join(OUT, "SHA256SUMS"), sums.join(""));
console.log(`${names.length} executables in dist/executables; check them with: sha256sum -c SHA256SUMS`);
process.exitCode = missing.length > 0 ? 1 : 0;
