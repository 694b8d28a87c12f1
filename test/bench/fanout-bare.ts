// The least that a server can do: `bun fanout-bare.ts FILE ORIGIN` publishes the text of FILE every second with Bun.serve.
// ORIGIN is where the string comes from, because in Bun 1.4.5 that decides what it costs to send: one that was decoded
// from bytes (`bytes`) takes half the CPU time of the same one made by JSON.stringify (`stringify`) or Bun.file().text().
import { readFileSync } from "node:fs";

const [file = "", origin = "bytes"] = process.argv.slice(2);
const decoded = readFileSync(file, "utf8");
const text = origin === "bytes" ? decoded : JSON.stringify(JSON.parse(decoded));

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response("", { status: 426 })),
  websocket: {
    open: (socket) => void socket.subscribe("csv"),
    message() {},
  },
});
setInterval(() => server.publish("csv", text, false), 1_000);
console.log(`Listening on ${server.hostname}:${server.port}.`);
