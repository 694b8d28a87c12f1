// How programs get at what the page shows: the other endpoints of this server, and code that follows the table, with its address in it. Never
// with its token: that goes where others do not read it.

export type Snippet = { readonly title: string; readonly code: string };

const LIBRARY = JSON.stringify("csvcast/client");

/** `origin` is that of the page, such as `http://127.0.0.1:59050`; `here` the address of the table there. */
export function snippetsFor(origin: string, needsToken: boolean, here = "/csv"): Snippet[] {
  const feed = origin.replace(/^http/, "ws") + (here === "/csv" ? "/" : here);
  const bearer = needsToken ? ` -H "Authorization: Bearer $CSVCAST_TOKEN"` : "";
  const shell = needsToken ? "CSVCAST_TOKEN=… " : "";
  const python = needsToken
    ? { imports: ", os", headers: ', additional_headers={"Authorization": f"Bearer {os.environ[\'CSVCAST_TOKEN\']}"}' }
    : { imports: "", headers: "" };
  const pandas = needsToken ? `,\n    storage_options={"Authorization": f"Bearer {os.environ['CSVCAST_TOKEN']}"}` : "";
  return [
    {
      title: "Shell: each new row as JSON",
      code: `${shell}csvcast client ${feed} --ndjson\n${shell}bun run client ${feed} --ndjson   # in a clone of csvcast`,
    },
    {
      title: "JavaScript: browser, Bun, Node 22",
      code: `import { subscribe } from ${LIBRARY};

subscribe("${feed}", {${needsToken ? "\n  token: process.env.CSVCAST_TOKEN," : ""}
  onSnapshot: (table) => console.log(table.columns, table.rows.length),
  onChange: (table, splices) => console.log(splices),
});`,
    },
    {
      title: "Python: every message is the whole table",
      code: `import asyncio, json, websockets${python.imports}

async def main():
    async with websockets.connect("${feed}", max_size=None${python.headers}) as feed:
        async for message in feed:
            print(len(json.loads(message)), "rows")

asyncio.run(main())`,
    },
    {
      title: "pandas",
      code: `import pandas${python.imports}

table = pandas.read_json("${origin}${here}.ndjson", lines=True${pandas})`,
    },
    { title: "curl", code: `curl -s${bearer} ${origin}${here}.csv\ncurl -N${bearer} ${origin}${here}/events` },
  ];
}
