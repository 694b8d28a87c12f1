// Where a web address may lead, with names that lead where a test says.
import { describe, expect, test } from "bun:test";
import { openResolver } from "../../../src/source/remote/resolver.ts";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["2606:4700::1", "203.0.113.7"],
  "other.example": ["198.51.100.1"],
  "inside.example": ["127.0.0.1"],
  "mapped.example": ["::ffff:10.0.0.1"],
  "both.example": ["192.168.0.1", "203.0.113.8"],
  "many.example": Array.from({ length: 20 }, (_, i) => `203.0.113.${i}`),
};

function open(names = NAMES) {
  return openResolver(async (name) => {
    const found = names[name];
    if (found) return found;
    throw Object.assign(new Error("no"), { code: "ENOTFOUND" });
  });
}

const hostOf = (host: string) => new URL(`http://${host}/`).hostname;

describe("from a public host", () => {
  const inside = [
    "inside.example",
    "mapped.example",
    "127.0.0.1",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "169.254.169.254",
    "[fe80::1]",
    "2130706433",
  ];
  test.each(inside)("nothing leads to %s", async (host) => {
    const resolve = open();
    expect(await resolve("public.example")).toEqual(["203.0.113.7", "2606:4700::1"]);
    await expect(resolve(hostOf(host))).rejects.toThrow(/^it leads to .*, which is inside of a network/);
    expect(await resolve("other.example")).toEqual(["198.51.100.1"]);
  });

  test("a host that is inside, too, is taken by its other address", async () => {
    const resolve = open();
    await resolve("public.example");
    expect(await resolve("both.example")).toEqual(["203.0.113.8"]);
  });

  test("its own name does not lead inside later on", async () => {
    const names: Record<string, readonly string[]> = { ...NAMES };
    const resolve = open(names);
    await resolve("public.example");
    names["public.example"] = ["127.0.0.1"];
    await expect(resolve("public.example")).rejects.toThrow(/inside of a network/);
  });
});

test.each(["inside.example", "localhost.example", "10.0.0.1", "[::1]"])("from %s everything is open", async (host) => {
  const resolve = open({ ...NAMES, "localhost.example": ["::1", "127.0.0.1"] });
  await resolve(hostOf(host));
  expect(await resolve("127.0.0.1")).toEqual(["127.0.0.1"]);
  expect(await resolve("public.example")).toEqual(["203.0.113.7", "2606:4700::1"]);
});

test("a name that there is not is said to be none", async () => {
  await expect(open()("nowhere.example")).rejects.toThrow("there is no such host");
});

test("a host has few addresses that are tried", async () => {
  expect(await open()("many.example")).toHaveLength(4);
});
