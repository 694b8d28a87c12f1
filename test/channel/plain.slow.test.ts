// The plain feed over real sockets, where much is sent to many. The rest is in `plain.test.ts`.
import { setDefaultTimeout, test } from "bun:test";
import { TEST_TIMEOUT_MS } from "../support.ts";
import { skipsWholeFrames } from "./plain.ts";

setDefaultTimeout(TEST_TIMEOUT_MS);

test("a client that does not read skips whole frames and gets the newest, others miss none, when a tick is sent in slices", () =>
  skipsWholeFrames(6));
