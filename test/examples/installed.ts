// A project in which csvcast is installed, as far as examples need it: its manifest, and the client library as it is built.
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import pkg from "../../package.json";
import type { Folder } from "../support.ts";

export const ROOT = join(import.meta.dir, "../..");
export const EXAMPLES = join(ROOT, "examples");

/** What the frameworks' examples are built with; undefined if `bun install` was not run in test/frameworks. */
export const frameworks = join(ROOT, "test/frameworks/node_modules");

/** The client library, built as `bun run build:client` does. */
export async function clientLibrary(): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [join(ROOT, "src/follow/index.ts")], target: "browser" });
  return outputs[0]!.text();
}

/** Puts csvcast into the folder's node_modules, and links to other packages beside it. */
export async function installInto(folder: Folder, packages: Readonly<Record<string, string>>): Promise<void> {
  const own = join(folder.path, "node_modules/csvcast");
  await mkdir(join(own, "dist/client"), { recursive: true });
  await Bun.write(join(own, "package.json"), JSON.stringify({ ...pkg, scripts: {} }));
  await Bun.write(join(own, "dist/client/index.js"), await clientLibrary());
  await mkdir(join(folder.path, "node_modules/@types"), { recursive: true });
  for (const [name, path] of Object.entries(packages)) await symlink(path, join(folder.path, "node_modules", name));
}
