// Code for other programs, with the address of this server in it, and never with its token.
import { describe, expect, test } from "bun:test";
import { HTTP_ENDPOINTS } from "../../src/feed/endpoints.ts";
import { snippetsFor } from "../../src/viewer/connect.ts";

const ORIGIN = "http://127.0.0.1:59050";
const codeOf = (title: string, origin = ORIGIN, needsToken = false) =>
  snippetsFor(origin, needsToken).find((snippet) => snippet.title.startsWith(title))?.code ?? "";

test("every door is a path with a word about it", () => {
  expect(HTTP_ENDPOINTS.filter(({ path, about }) => !path.startsWith("/") || about === "")).toEqual([]);
  expect(new Set(HTTP_ENDPOINTS.map(({ path }) => path)).size).toBe(HTTP_ENDPOINTS.length);
});

test.each(snippetsFor(ORIGIN, false))("$title: has the address, and no token", ({ code }) => {
  expect(code).toMatch(/(http|ws):\/\/127\.0\.0\.1:59050\//);
  expect(code).not.toMatch(/token|authorization/i);
});

test.each(snippetsFor(ORIGIN, true))("$title: says where the token goes, if one is needed", ({ code }) => {
  expect(code).toContain("CSVCAST_TOKEN");
});

test("what is behind TLS is followed behind TLS", () => {
  const codes = snippetsFor("https://example.org", false).map(({ code }) => code);
  expect(codes.filter((code) => /\b(ws|http):/.test(code))).toEqual([]);
  expect(codes.some((code) => code.includes("wss://example.org/"))).toBe(true);
});

describe("the JavaScript is JavaScript", () => {
  test.each([false, true])("with a token: %j", (needsToken) => {
    const transpiler = new Bun.Transpiler({ loader: "js" });
    expect(transpiler.scanImports(codeOf("JavaScript", ORIGIN, needsToken)).map(({ path }) => path)).toEqual([
      "csvcast/client",
    ]);
  });
});
