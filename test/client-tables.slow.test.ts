// The client beside servers on addresses that are others than usual.
import { expect, setDefaultTimeout, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { run, startServer, TEST_TIMEOUT_MS, temporaryFolder } from "./support.ts";
import { folderWithTls, startTls } from "./tls.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);

test("a certificate for other names is told as that", async () => {
  await using folder = await folderWithTls();
  await using server = await startTls(folder, ["--host=0.0.0.0"]);
  const { stderr, exitCode } = await run(
    "client",
    [`wss://127.0.0.2:${server.port}/`, "--ca=server.crt", "--give-up=0"],
    { folder },
  );
  expect(exitCode).toBe(5);
  expect(stderr).toEndWith("its certificate is not for 127.0.0.2; connect by a name that it is for\n");
});

/** Of this machine, in a network. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.family === "IPv4" && !found.internal)?.address;

test.skipIf(address === undefined)(
  "a server on the address of a network shows its token, and leaves it to the client here",
  async () => {
    await using folder = await temporaryFolder();
    await folder.write("a.csv", "x\n1\n");
    await using server = await startServer(["a.csv", `--host=${address}`], { folder });
    await server.prints(new RegExp(`^ +Open http://${address}:\\d+/\\?token=[0-9a-f]{32}$`, "m"));
    expect(await run("client", ["--once", "-q"], { folder })).toMatchObject({ stdout: '[{"x":"1"}]\n', exitCode: 0 });
    const bare = await run("client", [`ws://${address}:${server.port}/`, "--give-up=0"], { folder });
    expect(bare.stderr).toContain("401: a token is needed");
  },
);
