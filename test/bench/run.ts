// `bun run bench [NAME…]`: measures csvcast against its peers. Prints tables, and at the end the same as markdown.
import { existsSync } from "node:fs";
import { cpus, loadavg } from "node:os";

const NAMES = ["convert", "fanout", "live", "writers", "wire", "viewer", "relay", "many", "wide"] as const;
type Name = (typeof NAMES)[number];
/** `wide` is `convert` with text that is not Latin-1: for the curious. */
const DEFAULT: readonly Name[] = ["convert", "fanout", "live", "writers", "wire", "viewer", "relay", "many"];

async function bench(name: Name): Promise<string> {
  switch (name) {
    case "convert":
      return (await import("./convert.ts")).benchPlainAndQuoted();
    case "wide":
      return (await import("./convert.ts")).benchWide();
    case "live":
      return (await import("./live.ts")).benchLive();
    case "writers":
      return (await import("./writers.ts")).benchWriters();
    case "wire":
      return (await import("./wire.ts")).benchWire();
    case "viewer":
      return (await import("./viewer.ts")).benchViewer();
    case "relay":
      return (await import("./relay.ts")).benchRelay();
    case "many":
      return (await import("./many.ts")).benchMany();
    case "fanout":
      return (await import("./fanout.ts")).benchFanout();
  }
}

/** The peers are this folder's own dependencies. */
function installPeers(): void {
  if (existsSync(`${import.meta.dir}/node_modules`)) return;
  const command = [process.execPath, "install", "--frozen-lockfile"];
  const { success } = Bun.spawnSync(command, { cwd: import.meta.dir, stdio: ["ignore", "inherit", "inherit"] });
  if (!success) fail(`${command.join(" ")} failed in ${import.meta.dir}`);
}

function chosen(names: readonly string[]): readonly Name[] {
  const unknown = names.find((name) => !NAMES.some((known) => known === name));
  if (unknown !== undefined) fail(`${unknown}: no such bench; there are ${NAMES.join(", ")}`);
  return names.length === 0 ? DEFAULT : NAMES.filter((name) => names.includes(name));
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

/** Whether someone else was at work on this machine. */
function load(): string {
  return `load ${loadavg()[0]?.toFixed(1)}`;
}

const benches = chosen(process.argv.slice(2));
installPeers();
const machine = `Bun ${Bun.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model.trim()}`;
console.log(`${machine}, ${load()}`);
const startedAt = performance.now();
const sections: string[] = [];
for (const name of benches) sections.push(await bench(name));
const seconds = Math.round((performance.now() - startedAt) / 1_000);
console.log(`\nDone in ${seconds} s, ${load()}. As markdown:\n\n${machine}\n\n${sections.join("\n\n")}`);
