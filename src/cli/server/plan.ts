// What the command line of the server comes to, before anything is opened.
import { CliError } from "../errors.ts";
import type { Parsed, Values } from "../options.ts";
import { givenToken } from "../token.ts";
import { certificateFiles } from "./certificate.ts";
import { clientsWithin, openFileLimit } from "./descriptors.ts";
import { uselessOption } from "./effect.ts";
import { serverOptions } from "./options.ts";
import { promptsForPath } from "./prompt.ts";
import { givenFiles } from "./words.ts";

export type Plan = ReturnType<typeof planOf>;
type Access = Values<typeof serverOptions>["access"];

/** Throws CliError for what is wrong with it. */
export function planOf({ values, positionals, flags }: Parsed<typeof serverOptions>) {
  const { program, access, network, source } = values;
  const given = givenFiles(positionals, source.isNewest);
  const useless = uselessOption(flags, given, values.relay.relayUrl !== undefined);
  if (useless !== undefined) throw new CliError("usage", useless);
  const isGiven = given.file !== undefined || given.tables !== undefined;
  const isForMachines = program.log === "json";
  const isStdin = positionals.some((given) => /^(.*=)?-$/.test(given));
  const openFiles = openFileLimit();
  return {
    ...given,
    ...{ values, isGiven, isForMachines, openFiles },
    prompts: promptsForPath({ isGiven, isStdin, isForMachines }),
    token: serverToken(access, program.tokenFile),
    certificate: certificateFiles(program.tlsCert, program.tlsKey),
    maxClients: Math.min(network.maxClients, clientsWithin(openFiles)),
  };
}

/** Undefined for a random one. Throws CliError("usage"), also for one beside --no-token, which would let everyone in. */
function serverToken({ token: text, isPublic }: Access, path: string | undefined): string | undefined {
  const token = givenToken(text, path, serverOptions.access.token);
  if (token === undefined || !isPublic) return token;
  throw new CliError("usage", "--no-token and a token (--token, --token-file, CSVCAST_TOKEN): one of them at a time");
}
