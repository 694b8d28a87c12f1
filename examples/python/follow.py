"""Follows a table live, and keeps a copy of it that is always complete.

    python follow.py [URL] [TOKEN]

Needs `websockets`, version 10 or later. The protocol is in docs/protocol.md; this is all of it.
"""

import asyncio
import json
import random
import sys

import websockets

# Version 14 has a new API, in which this argument has another name.
HEADERS = "additional_headers" if int(websockets.__version__.split(".")[0]) >= 14 else "extra_headers"

SILENCE_S = 15  # the server speaks every 5 s; this much silence is a dead connection


class Gap(Exception):
    """A change was missed: connect again."""


class Table:
    """`rows` is a list of lists of strings; `cursor` is None until the table is complete."""

    def __init__(self):
        self.columns, self.rows, self.cursor = [], [], None
        self._draft = None

    def take(self, message):
        """Applies a message. True if the table is another one now."""
        kind = message["type"]
        if kind == "snapshot":
            return self._take_part(message)
        if kind == "delta":
            return self._take_delta(message)
        if kind == "sync" and (self._draft is not None or self.cursor != cursor_of(message, "version")):
            raise Gap("the server has another version")
        return False

    def _take_part(self, part):
        if part["at"] == 0:
            self._draft = []
        if self._draft is None or part["at"] != len(self._draft):
            raise Gap("a part of the snapshot is missing")
        self._draft += part["rows"]
        if len(self._draft) < part["count"]:
            return False
        self.columns, self.rows, self._draft = part["columns"], self._draft, None
        self.cursor = cursor_of(part, "version")
        return True

    def _take_delta(self, delta):
        # The one rule: only if it begins where this copy is.
        if self.cursor != cursor_of(delta, "from"):
            raise Gap("a change was missed")
        for start, delete_count, rows in delta["splices"]:
            self.rows[start : start + delete_count] = rows
        self.cursor = cursor_of(delta, "to")
        return True

    def forget_parts(self):
        self._draft = None


def cursor_of(message, version):
    return f"{message['epoch']}:{message[version]}"


async def follow(url, token=None):
    """Yields the table whenever it has changed. Reconnects automatically, and continues where it was."""
    table = Table()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    pause = 0.2
    while True:
        table.forget_parts()
        since = f"{'&' if '?' in url else '?'}since={table.cursor}" if table.cursor else ""
        try:
            options = {"subprotocols": ["csvcast.v1"], "max_size": None, HEADERS: headers}
            async with websockets.connect(url + since, **options) as feed:
                while True:
                    message = json.loads(await asyncio.wait_for(feed.recv(), SILENCE_S))
                    if message["type"] == "status" and message["state"] != "live":
                        print(f"{message['state']}: {message['message']}", file=sys.stderr)
                    if table.take(message):
                        pause = 0.2
                        yield table
        except (OSError, asyncio.TimeoutError, Gap, websockets.WebSocketException) as error:
            print(f"{error or type(error).__name__}; reconnecting", file=sys.stderr)
        await asyncio.sleep(pause * (0.5 + random.random()))
        pause = min(pause * 2, 10)


async def main(url="ws://127.0.0.1:59050/", token=None):
    async for table in follow(url, token):
        last = dict(zip(table.columns, table.rows[-1])) if table.rows else None
        print(len(table.rows), "rows; last:", json.dumps(last, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:3]))
    except KeyboardInterrupt:
        pass
