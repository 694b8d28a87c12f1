// `bun run docs`: writes docs/options.md from the declarations of the options, so that nobody has to keep the two in step.
import { join } from "node:path";
import { clientHelp, clientOptions } from "../../src/cli/client/options.ts";
import { envName, type Option } from "../../src/cli/options.ts";
import { serverHelp } from "../../src/cli/server/help.ts";
import { serverOptions } from "../../src/cli/server/options.ts";

export const OPTIONS_PAGE = join(import.meta.dir, "../../docs/options.md");

type Group = Readonly<Record<string, Option<unknown>>>;

/** Every group of options has a title here, in the order of the page. */
const SERVER_TITLES: Readonly<Record<keyof typeof serverOptions, string>> = {
  network: "Network",
  source: "What is published",
  csv: "How the file is read",
  access: "Who may come in",
  feeds: "Feeds",
  relay: "Relay",
  program: "Other",
};
const CLIENT_TITLES: Readonly<Record<keyof typeof clientOptions, string>> = {
  print: "What is printed",
  connection: "Connection",
  program: "Other options of the client",
};

const usageOf = (help: string) => /^Usage: (.*)$/m.exec(help)?.[1] ?? "";

const INTRODUCTION = `# Options

<!-- Made from the declarations in src/cli by \`bun run docs\`; a test compares. -->

Every option can also be set by its environment variable; the command line wins over the environment. A switch is on with \`1\` or \`true\`, and off with \`0\` or \`false\`. Sizes are bytes, or have a unit (\`64KiB\`, \`500MiB\`, \`2GiB\`); times have a unit (\`250ms\`, \`2s\`, \`5m\`) or are seconds. An option on the command line that would have no effect, such as \`--poll\` without a web address, is an error that says what it needs. \`--help\` shows what most people need, \`--help all\` everything.

Pages say \`bun run server\` and \`bun run client\`, as in a clone. With an installed package write \`csvcast\` and \`csvcast client\`, with the executables \`csvcast-server\` and \`csvcast-client\`.

## The server

\`\`\`
${usageOf(serverHelp(false))}
\`\`\`

FILE is a file, \`-\` for standard input, a FIFO, a folder, a quoted pattern, \`NAME=FILE\`, a web address, or the \`redis://\` URL of a relay: see [several tables](tables.md), [standard input](writers.md#standard-input-and-fifos) and [relay](relay.md). Without FILE the server asks for one.
`;

const CLIENT_INTRODUCTION = `## The client

\`\`\`
${usageOf(clientHelp)}
\`\`\`

[What it prints](client.md).
`;

export function optionsPage(): string {
  return [
    INTRODUCTION,
    ...sections(serverOptions, SERVER_TITLES),
    CLIENT_INTRODUCTION,
    ...sections(clientOptions, CLIENT_TITLES),
  ].join("\n");
}

const sections = (options: Readonly<Record<string, Group>>, titles: Readonly<Record<string, string>>) =>
  Object.entries(titles).map(([name, title]) => `### ${title}\n\n${tableOf(options[name]!)}`);

const HEADS = ["option", "variable", "what it does", "a value is", "default"];

function tableOf(group: Group): string {
  const rows = [HEADS, HEADS.map(() => "---"), ...Object.values(group).map(rowOf)];
  return `${rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function rowOf({ flag, value, short, help, rule = "", repeat }: Option<unknown>): string[] {
  const about = help.replaceAll("\n", " ");
  const [, told] = /\s*\(default: (.*)\)/.exec(about) ?? [];
  const [fallback, ...remarks] = told?.split(/; (?=[^;]*$)/) ?? [];
  const does = [about.replace(/\s*\(default: .*\)/, ""), ...remarks].join("; ");
  const isCommand = flag === "help" || flag === "version";
  const code = (text: string) => text.replace(/(?<![\w-])--[a-z][a-z-]*/g, "`$&`");
  return [
    `${short ? `\`-${short}\`, ` : ""}\`--${flag}${value ? ` ${value}` : ""}\``,
    isCommand ? "" : `\`${envName(flag)}\``,
    code(does + (repeat && !does.includes("repeated") ? "; may be repeated" : "")),
    value ? rule : "",
    fallback ?? (value || isCommand ? "" : "off"),
  ].map((cell) => cell.replaceAll("|", "\\|"));
}

/** Two texts of the same table: how its columns are aligned is the formatter's. */
export const unaligned = (markdown: string) => markdown.replace(/ +(?=\|)|(?<=\|) +/g, " ").replace(/-{3,}/g, "---");

if (import.meta.main) {
  await Bun.write(OPTIONS_PAGE, optionsPage());
  const formatted = Bun.spawnSync([process.execPath, "fmt", OPTIONS_PAGE]);
  process.exitCode = formatted.exitCode ?? 1;
}
