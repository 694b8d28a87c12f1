// How the programs are called. Texts say `bun run server` and `bun run client`, which is right in a clone; where they were started in
// another way, they say that. Pure.

/** The commands for both. */
export type Commands = { readonly server: string; readonly client: string };

export const IN_A_CLONE: Commands = { server: "bun run server", client: "bun run client" };
/** `csvcast`, of an installed package. */
export const ONE_COMMAND: Commands = { server: "csvcast", client: "csvcast client" };
/** The executables, and the same names of an installed package. */
export const TWO_COMMANDS: Commands = { server: "csvcast-server", client: "csvcast-client" };

/** What the first line of the programs tells Bun; `bun run server` and `bun src/server.ts` do not. */
const FIRST_LINE = "--config=/dev/null";

/** How one of the two was started: as itself, or by `bun` in a clone. `flags`: Bun's own; `path`: of the program. */
export function commandsOf(isExecutable: boolean, flags: readonly string[], path: string): Commands {
  const isInstalled = flags.includes(FIRST_LINE) || /[\\/]node_modules[\\/]/.test(path);
  return isExecutable || isInstalled ? TWO_COMMANDS : IN_A_CLONE;
}

const WRITTEN = /bun run (server|client)\b/g;
/** A line of a help text that begins with a command, and the blanks before what it does. */
const EXAMPLE = /^( {2}(?:\w+ \| )?bun run (?:server|client)\b.*?)( {2,})(?=\S)/gm;

/** The text with these commands; the columns of examples stay where they are. */
export function asCalled(text: string, commands: Commands): string {
  const said = (part: string) => part.replace(WRITTEN, (_, program: keyof Commands) => commands[program]);
  return said(
    text.replace(EXAMPLE, (whole: string, example: string) =>
      said(example).padEnd(Math.max(whole.length, said(example).length + 2)),
    ),
  );
}
