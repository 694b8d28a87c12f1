#!/usr/bin/env -S bun --no-env-file --config=/dev/null --tsconfig-override=/dev/null
// `csvcast prices.csv` is the server, `csvcast client` the client: both programs under one name, for an installed package. A file
// that is called `client` or `server` is `./client`.

import { ONE_COMMAND } from "./cli/called.ts";

/** Loads only the program that runs. */
async function run([word, ...rest]: readonly string[]): Promise<void> {
  if (word === "client") return (await import("./client.ts")).main(rest, ONE_COMMAND);
  const { main } = await import("./server.ts");
  main(word === undefined || word === "server" ? rest : [word, ...rest], ONE_COMMAND);
}

if (import.meta.main) await run(process.argv.slice(2));
