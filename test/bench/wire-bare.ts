// The least that a server of small messages can do: `bun wire-bare.ts CHANGES PER_SECOND BYTES` publishes so many marked strings
// with Bun.serve once it is asked to by GET /go.
const [changes = "", perSecond = "", bytes = ""] = process.argv.slice(2);
const now = () => performance.timeOrigin + performance.now();

async function publishAll(): Promise<void> {
  const startedAt = performance.now();
  for (let n = 0; n < Number(changes); n++) {
    await Bun.sleep(Math.max(0, startedAt + (n * 1000) / Number(perSecond) - performance.now()));
    server.publish("csv", `@${now().toFixed(3)}"`.padEnd(Number(bytes), "x"), false);
  }
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch(request, server) {
    if (server.upgrade(request)) return undefined;
    void publishAll();
    return new Response("");
  },
  websocket: {
    open: (socket) => void socket.subscribe("csv"),
    message() {},
  },
});
console.log(`Listening on ${server.hostname}:${server.port}.`);
