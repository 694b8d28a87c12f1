"""The table as a pandas DataFrame.

    python frame.py [URL] [TOKEN]

`dtype=False` keeps cells as the strings that they are in the file: without it pandas turns 00123 into 123. What a column is, the
server knows; here numbers and ISO times are converted by that.
"""

import json
import sys
import urllib.request

import pandas


def frame(url="http://127.0.0.1:59050", token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    table = pandas.read_json(f"{url}/csv.ndjson", lines=True, dtype=False, storage_options=headers)
    with urllib.request.urlopen(urllib.request.Request(f"{url}/healthz", headers=headers)) as answer:
        types = json.load(answer)["types"]
    for column, kind in zip(table.columns, types):
        if kind == "number":
            table[column] = pandas.to_numeric(table[column], errors="coerce")
        elif kind == "time:iso":
            table[column] = pandas.to_datetime(table[column], errors="coerce")
    return table


if __name__ == "__main__":
    table = frame(*sys.argv[1:3])
    print(table.dtypes.to_string())
    print(table.tail().to_string())
