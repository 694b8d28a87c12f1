// How the programs are called. Texts say `bun run server` and `bun run client`, which is right in a clone; where they were started in
// another way, they say that. Pure.

/** The commands for both. */
export type Commands = { readonly server: string; readonly client: string };

export const IN_A_CLONE: Commands = { server: "bun run server", client: "bun run client" };
export const INSTALLED: Commands = { server: "csvcast", client: "csvcast client" };
export const EXECUTABLES: Commands = { server: "csvcast-server", client: "csvcast-client" };

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
