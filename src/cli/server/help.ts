// --help of the server.
import pkg from "../../../package.json";
import { HTTP_ENDPOINTS } from "../../feed/endpoints.ts";
import { describeOptions } from "../options.ts";
import { serverOptions } from "./options.ts";

const TITLES = {
  csv: "The file [environment variable]",
  source: "What of it is published",
  network: "Network",
  access: "Access",
  feeds: "Feeds",
  relay: "Relay",
  program: "Other",
};

/** `isAll`: with the options that few need. */
export const serverHelp = (isAll: boolean) => `csvcast-server ${pkg.version} - broadcasts a CSV file, live

Usage: bun run server [FILE…] [options]

  bun run server                     asks for the file
  bun run server prices.csv          publishes prices.csv every second
  bun run server log.csv -i 200ms    five times a second
  logger | bun run server -          a CSV that grows on standard input
  bun run server a.csv eur=x/b.csv   two tables: /a, which is / and /csv, too, and /eur
  bun run server data/               all *.csv and *.tsv of a folder, as they come and go
  bun run server 'logs/*.csv' --newest
                                     always the newest of them
  bun run server https://h/a.csv     one on the web, asked for every --poll
  bun run server a.csv --replay 10x  a finished one, as if it were written now
  bun run server prices.csv --relay redis://cache
                                     publishes all FILEs to Redis, too, and
  bun run server redis://cache       (elsewhere) is a replica of them
  bun run client                     (elsewhere) prints what arrives

Every client gets the whole table as a JSON array of row objects, at once and then
every interval, and every change of the file with it. Type another path at the
prompt to switch to another file. A FILE that is not there yet is waited for; a FIFO
is read as standard input is, by whoever writes to it.

Clients that offer the subprotocol csvcast.v1 get the table once, and then each change
within milliseconds (bun run client --live). To look at it, open the address in a browser:
--open does it, and so does o at the prompt, where h lists what can be typed.
On the same port:

${HTTP_ENDPOINTS.map(({ path, about }) => `  ${path.padEnd(16)}${about}`).join("\n")}

${describeOptions(serverOptions, TITLES, isAll)}
${isAll ? "" : "\nbun run server --help all shows every option.\n"}
Who may come in: programs on this machine are free to; others need the token in the
network URL. Behind a proxy on this machine set a token: without a forwarding header
its visitors would count as this machine. What --token holds others on this machine can
see (ps, /proc); what CSVCAST_TOKEN or --token-file holds they cannot.

Exit codes: 0 done, 1 failure, 2 usage, 3 file (it cannot be published, or its folder
is not there), 4 cannot listen, 128 + signal.
`;
