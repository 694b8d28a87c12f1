// Clients that we did not write, against the real server. What the machine lacks is skipped here, and installed by .ci/run.
import { expect, setDefaultTimeout, test } from "bun:test";
import { startServer, temporaryFolder } from "./support.ts";

const SAMPLE = '[{"a":"1","b":"é"}]';
const python = ["/usr/bin/python3", "python3"].find((name) => {
  const found = Bun.which(name);
  return found !== null && Bun.spawnSync([found, "-c", "import websockets"], { stderr: "ignore" }).success;
});

test.skipIf(!python)(
  "Python's websockets gets the table, and the next one (skipped without python3-websockets)",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("s.csv", "a,b\n1,é\n");
    await using server = await startServer(["s.csv"], { folder });
    const script = `
import asyncio, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], max_size=None) as feed:
        for _ in range(2): print(await feed.recv())
asyncio.run(main())`;

    setDefaultTimeout(30_000);
    const client = Bun.spawn([python!, "-c", script, server.url], { stdout: "pipe", stderr: "inherit" });
    expect(await new Response(client.stdout).text()).toBe(`${SAMPLE}\n${SAMPLE}\n`);
    expect(await client.exited).toBe(0);
  },
);

test.skipIf(!Bun.which("curl"))(
  "curl is told how to connect, and gets frames if it asks like a WebSocket (skipped without curl)",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("s.csv", "a,b\n1,é\n");
    await using server = await startServer(["s.csv"], { folder });
    const url = server.url.replace("ws:", "http:");
    const plain = Bun.spawn(["curl", "-s", "-o", "-", "-w", "%{http_code}", url], { stdout: "pipe" });
    expect(await new Response(plain.stdout).text()).toBe("csvcast: connect with a WebSocket to this address\n426");
    const upgrade = [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    ];
    const headers = upgrade.flatMap((header) => ["-H", header]);
    await using socket = Bun.spawn(["curl", "-sN", "--max-time", "20", ...headers, "--output", "-", url], {
      stdout: "pipe",
    });
    let received = "";
    for await (const piece of socket.stdout) {
      received += Buffer.from(piece).toString();
      if (received.split(SAMPLE).length > 2) break;
    }
    expect(received).toContain(SAMPLE);
    socket.kill();
  },
);
