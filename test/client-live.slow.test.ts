// The client that prints rows, beside a server with --last that is killed again and again; one restart is in `client-live.test.ts`.
import { setDefaultTimeout, test } from "bun:test";
import { atOnce } from "./at-once.ts";
import { printsAllOverRestarts } from "./client-window.ts";
import { TEST_TIMEOUT_MS } from "./support.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);
atOnce(4);

const RESTARTS = [
  { name: "different rows, fewer than the window", cell: String, steps: [17, 1, 99] },
  { name: "different rows, more than the window", cell: String, steps: [101, 400] },
  { name: "rows that are all the same", cell: () => "0", steps: [17, 100, 400] },
];

test.concurrent.each(RESTARTS.flatMap((each) => ["--ndjson", "--csv"].map((mode) => ({ ...each, mode }))))(
  "$mode beside a server with --last, over its restarts, after $name: no row is lost, repeated, or missing without a word",
  printsAllOverRestarts,
);
