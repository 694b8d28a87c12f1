// A FIFO as FILE; what else writers and servers do with one is in `fifo.slow.test.ts`.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, TEST_TIMEOUT_MS } from "./support.ts";
import { openScene } from "./fifo.ts";

setDefaultTimeout(4 * TEST_TIMEOUT_MS);

describe("a FIFO", () => {
  test("is a table that writers make one after the other, and that stays between them", async () => {
    await using scene = await openScene();
    await using client = await connect(scene.server.url);
    await scene.writes("printf 'a,b\\n1,2\\n'");
    await client.nextThat("the first row", (text) => text === '[{"a":"1","b":"2"}]');
    await scene.server.prints("p.csv: 1 row × 2 columns, comma, UTF-8\n");
    const { epoch } = await scene.health();
    await scene.writes("echo 3,4");
    await scene.sees('[{"a":"1","b":"2"},{"a":"3","b":"4"}]');
    await scene.writes("printf 'a,b\\n5,6'"); // the header again, and no line end
    await scene.sees('[{"a":"1","b":"2"},{"a":"3","b":"4"},{"a":"5","b":"6"}]');
    await scene.writes("printf 7,; sleep 0.1; printf '8\\n9,'; sleep 0.1; echo 10");
    await scene.becomes("five rows", ({ rows }) => rows === 5);
    expect(await scene.health()).toMatchObject({ epoch, state: "live", rows: 5 });
    expect(scene.server.stdout()).not.toContain("now:");
  });
});
