// Follows a table live in Node 20 or later: `npm install ws`, the packed csvcast, and then
//
//   node follow.mjs [URL]
//
// A token comes from CSVCAST_TOKEN. In Node 22, Bun and browsers leave `WebSocket` out: they have one.
import { subscribe } from "csvcast/client";
import WebSocket from "ws";

const url = process.argv[2] ?? "ws://127.0.0.1:59050/";
const print = (table) => console.log(table.length, "rows; last:", JSON.stringify(table.row(table.length - 1)));

subscribe(url, {
  WebSocket,
  token: process.env.CSVCAST_TOKEN,
  onSnapshot: print,
  onChange: print,
  onStatus: ({ state, message }) => state !== "live" && console.error(`${state}: ${message}`),
  onConnection: (connection) => connection.state === "waiting" && console.error(`${connection.why}; reconnecting`),
  onEnd(why) {
    console.error(why);
    process.exitCode = 1;
  },
});
