// The token out of a file: found, or refused with the way out, and never shown.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { clientOptions } from "../../src/cli/client/options.ts";
import { CliError } from "../../src/cli/errors.ts";
import { serverOptions } from "../../src/cli/server/options.ts";
import { givenToken } from "../../src/cli/token.ts";
import { connect, run, startServer, temporaryFolder } from "../support.ts";

setDefaultTimeout(30_000);

const SECRET = "sesame-open-sesame";
const RULE = serverOptions.access.token;

async function secretFile(folder: { path: string; write(name: string, text: string): Promise<string> }, text: string) {
  const path = await folder.write("secret", text);
  await chmod(path, 0o600);
  return path;
}

test("the token is what the file holds, without the line end; otherwise what was given, or none", async () => {
  await using folder = await temporaryFolder();
  const path = await secretFile(folder, `${SECRET}\n`);
  expect(givenToken(undefined, path, RULE)).toBe(SECRET);
  expect(givenToken(SECRET, undefined, RULE)).toBe(SECRET);
  expect(givenToken(undefined, undefined, RULE)).toBeUndefined();
});

test.each([0o400, 0o440, 0o640])("a token file may be readable by its group: mode %o", async (mode) => {
  await using folder = await temporaryFolder();
  const file = await folder.write("secret", SECRET);
  await chmod(file, mode);
  expect(givenToken(undefined, file, RULE)).toBe(SECRET);
});

describe("a token file is refused with one line that does not show it:", () => {
  const cases = [
    { name: "not there", path: "nowhere", expected: /^--token-file .*nowhere: no such file$/ },
    { name: "a folder", path: ".", mode: 0o700, expected: /^--token-file .*: is a folder; give a file$/ },
    { name: "readable by others", text: SECRET, mode: 0o644, expected: /others can read or write it; chmod 600 it$/ },
    {
      name: "writable by its group",
      text: SECRET,
      mode: 0o660,
      expected: /others can read or write it; chmod 600 it$/,
    },
    { name: "empty", text: "\n", mode: 0o600, expected: /holds no token: 8 to 512 characters/ },
    { name: "two lines", text: `${SECRET}\nmore`, mode: 0o600, expected: /holds no token: 8 to 512 characters/ },
  ];
  test.each(cases)("$name", async ({ path, text, mode, expected }) => {
    await using folder = await temporaryFolder();
    const file = text === undefined ? join(folder.path, path!) : await folder.write("secret", text);
    if (mode !== undefined) await chmod(file, mode);
    let error: unknown;
    try {
      givenToken(undefined, file, RULE);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(CliError);
    expect((error as CliError).kind).toBe("usage");
    expect((error as CliError).message).toMatch(expected);
    expect((error as CliError).message).not.toContain(SECRET);
  });

  test("together with --token", () => {
    expect(() => givenToken("something-else", "x", clientOptions.connection.token)).toThrow(
      "--token and --token-file: one of them at a time",
    );
  });
});

test("server and client take it from a file: everyone needs it, and it is in nobody's arguments", async () => {
  await using folder = await temporaryFolder();
  const path = await secretFile(folder, SECRET);
  await folder.write("s.csv", "a\n1\n");
  await using server = await startServer(["s.csv", "--token-file", path], { folder });
  await expect(connect(server.url)).rejects.toThrow();
  const refused = await run("client", [server.url, "--once", "-q"], { folder });
  expect(refused.exitCode).toBe(5);
  const outcome = await run("client", [server.url, "--once", "-q", "--token-file", path], { folder });
  expect(outcome).toEqual({ stdout: '[{"a":"1"}]\n', stderr: "", exitCode: 0 });
});
