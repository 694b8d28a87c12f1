// The view in the address: whatever it is, it comes back.
import { describe, expect, test } from "bun:test";
import { formatView, NO_VIEW, parseView, type View } from "../../src/viewer/fragment.ts";
import { OVERRIDES } from "../../src/viewer/overrides.ts";
import { NO_PLOT_VIEW } from "../../src/viewer/plot-view.ts";
import { ZONES } from "../../src/viewer/zones.ts";
import { forSeeds, type Random } from "../fuzz/random.ts";

const plot = { ...NO_PLOT_VIEW };

describe("a view is in the address as", () => {
  const cases: { name: string; view: Partial<View>; expected: string }[] = [
    { name: "nothing, if it is that of every beginning", view: {}, expected: "" },
    { name: "what is filtered", view: { filter: "price > 100" }, expected: "filter=price%20%3E%20100" },
    { name: "what goes up", view: { sort: { column: "a b", descending: false } }, expected: "sort=a%20b" },
    { name: "what goes down", view: { sort: { column: "", descending: true } }, expected: "desc=" },
    { name: "what is hidden", view: { hidden: ["a", "b&c"] }, expected: "hide=a&hide=b%26c" },
    { name: "what is pinned", view: { pinned: ["time"] }, expected: "pin=time" },
    { name: "what has been made wider", view: { widths: [["a:b", 120]] }, expected: "width=120:a:b" },
    { name: "what is taken for something else", view: { overrides: [["id", "text"]] }, expected: "type=text:id" },
    { name: "that it follows", view: { isFollowing: true }, expected: "follow" },
    { name: "a plot of what is picked", view: { plot }, expected: "plot" },
    { name: "a plot of nothing", view: { plot: { ...plot, ys: [] } }, expected: "plot=" },
    {
      name: "a plot of columns over another, the last hour of it",
      view: { plot: { ...plot, ys: ["a", "b"], x: "t", lastMs: 3_600_000, split: "site" } },
      expected: "plot=a&plot=b&over=t&split=site&last=1h",
    },
    {
      name: "a plot over the row number, of a range, with all that can be chosen",
      view: { plot: { ...plot, x: null, from: 1, to: 2.5, isLog: true, isApart: true, zone: "utc", height: 300 } },
      expected: "plot&over&range=1~2.5&apart&log&zone=utc&height=300",
    },
    { name: "that it is for a wall", view: { isKiosk: true, hasTable: true }, expected: "kiosk&table" },
  ];
  test.each(cases)("$name: $expected", ({ view, expected }) => {
    const whole = { ...NO_VIEW, ...view };
    expect(formatView(whole)).toBe(expected);
    expect(parseView(`#${expected}`)).toEqual(whole);
  });
});

test("what is not understood is left out", () => {
  expect(parseView("#bogus=1&width=x&type=none:a&plot&last=never&zone=mars&range=5~1&height=-1&&=&sort")).toEqual({
    ...NO_VIEW,
    plot,
  });
  expect(parseView("#filter=100%").filter).toBe("100%");
  expect(parseView("#filter=rel%20humidity%20(%)%FF").filter).toBe("rel humidity (%)%FF");
});

const NAMES = ["", "a", "a b", "=&#%+~,:;", "ä€😀", "<b>", '"', "__proto__", "\u202e\n"];

function randomView(random: Random): View {
  const names = () => NAMES.filter(() => random.chance(0.3));
  const ys = random.chance(0.3) ? undefined : names();
  return {
    filter: random.chance(0.5) ? random.pick(NAMES) : "",
    sort: random.chance(0.5) ? { column: random.pick(NAMES), descending: random.chance(0.5) } : undefined,
    hidden: names(),
    pinned: names(),
    widths: names().map((name) => [name, 44 + random.below(1000)] as const),
    overrides: names().map((name) => [name, random.pick([...OVERRIDES])] as const),
    isFollowing: random.chance(0.5),
    plot: random.chance(0.5)
      ? {
          ...NO_PLOT_VIEW,
          // A plot of the column without a name alone is written as a plot of nothing.
          ys: ys?.length === 1 && ys[0] === "" ? [] : ys,
          x: random.pick([undefined, null, ...NAMES]),
          split: random.pick([undefined, ...NAMES]),
          ...random.pick([
            { last: Infinity, lastMs: undefined },
            { last: 1 + random.below(1e6), lastMs: undefined },
            { last: Infinity, lastMs: 1 + random.below(1e9) },
          ]),
          ...(random.chance(0.5) && { from: random.next() * 1e12, to: 1e12 + random.next() * 1e12 }),
          isApart: random.pick([undefined, true, false]),
          isLog: random.chance(0.5),
          zone: random.pick([...ZONES]),
          height: random.chance(0.5) ? 120 + random.below(900) : undefined,
        }
      : undefined,
    isKiosk: random.chance(0.5),
    hasTable: random.chance(0.5),
  };
}

test("any view comes back as it was, through the address of a browser", () => {
  forSeeds(500, (random) => {
    const view = randomView(random);
    const address = new URL("http://127.0.0.1:59050/?x=1");
    address.hash = formatView(view);
    expect(parseView(address.hash)).toEqual(view);
    expect(address.href.split("#")[0]).toBe("http://127.0.0.1:59050/?x=1");
  });
});
