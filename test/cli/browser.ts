// A program in the place of the one that opens the browser here: what it was to open.
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { openerOf } from "../../src/cli/server/browser.ts";
import { type Folder, until } from "../support.ts";

/** The environment in which it is found. */
export async function withBrowser(folder: Folder): Promise<{ PATH: string }> {
  const opened = join(folder.path, "opened");
  const script = `#!/bin/sh\nprintf %s "$*" >"${opened}.new"\nmv "${opened}.new" "${opened}"\n`;
  await chmod(await folder.write(openerOf(process.platform)[0]!, script), 0o755);
  return { PATH: `${folder.path}:${process.env["PATH"]}` };
}

/** The address that was opened; waits for it. */
export const openedIn = ({ path }: Folder, describe?: () => string) =>
  until(
    "the browser",
    async () => (await Bun.file(join(path, "opened")).exists()) && Bun.file(join(path, "opened")).text(),
    describe,
  );
