"""An independent check of the live feed, with nothing of csvcast in it: writes a CSV as programs do, follows it over WebSocket by the
rules of docs/protocol.md, and reads what the file was with Python's csv module. Each table that was held must be one that the file was, up to
whole rows; and the last one must be the file.

    python3 checker.py WS_URL[,WS_URL...] FILE SEED ACTIONS

The servers, such as a publisher and its replicas, wait for their default `--settle`.
"""

import asyncio
import csv
import io
import json
import os
import random
import sys
import time

import websockets

URLS, PATH, SEED, ACTIONS = sys.argv[1].split(","), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
HEADER = ["id", "text", "value"]
dice = random.Random(SEED)
number = 0
states = set()  # tables that the file was, as JSON
last = None  # what the file was last, and since when
SETTLE = 0.25


def row():
    global number
    number += 1
    text = dice.choice(["plain", "a,b", 'say "hi"', "two\nlines", "grün", "", "x" * 200])
    return [str(number), text, f"{dice.random():.3f}"]


def text_of(rows):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def read():
    with open(PATH, encoding="utf-8", newline="", errors="ignore") as file:
        return file.read()


def allow(text):
    """The rows of a text, filled up as csvcast fills them up."""
    records = list(csv.reader(io.StringIO(text, newline="")))
    if records:
        states.add(json.dumps([(record + [""] * 3)[:3] for record in records[1:]]))


def remember(before=""):
    """All tables between what was there and what is: the borders are where the csv module sees a record end."""
    global last
    settled(time.monotonic())
    content = read()
    if not content.startswith(before):
        before = ""
    for end in range(len(before), len(content) + 1):
        if end not in (len(before), len(content)) and content[end - 1] != "\n":
            continue
        part = content[:end]
        if part.count('"') % 2 == 1:
            part = part[: part.rfind("\n", 0, part.rfind('"')) + 1]  # a cell with line ends, not all there
        allow(part[: part.rfind("\n") + 1])
    last = (content, time.monotonic())


def settled(now):
    """A row without its end may count only if nothing came for as long as csvcast waits at least."""
    if last and now - last[1] >= SETTLE:
        allow(last[0])


async def pause():
    await asyncio.sleep(dice.choice([0, 0.005, 0.03, 0.1]))


def append(text):
    before = read()
    with open(PATH, "ab", buffering=0) as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    remember(before)


def replace(rows):
    with open(PATH + ".new", "w", encoding="utf-8", newline="") as file:
        file.write(text_of([HEADER] + rows))
    os.replace(PATH + ".new", PATH)
    remember()


async def buffered():
    data = text_of([row() for _ in range(dice.choice([30, 120]))]).encode()
    for at in range(0, len(data), 4096):
        append(data[at : at + 4096])
        await pause()


async def pieces():
    data = text_of([row(), row()])
    for at in range(0, len(data), 7):
        append(data[at : at + 7])
        await pause()


async def ticker():
    for _ in range(6):
        replace([row() for _ in range(4)])
        await pause()


async def rotate():
    os.rename(PATH, PATH + ".1")
    replace([row()])
    for _ in range(5):
        append(text_of([row()]))
        await pause()


async def write():
    for _ in range(ACTIONS):
        action = dice.choice(["append", "append", "buffered", "pieces", "replace", "ticker", "rotate"])
        if action == "append":
            append(text_of([row() for _ in range(dice.choice([1, 3, 10]))]))
        elif action == "replace":
            replace([row() for _ in range(dice.choice([0, 1, 50]))])
        else:
            await {"buffered": buffered, "pieces": pieces, "ticker": ticker, "rotate": rotate}[action]()
        await asyncio.sleep(dice.choice([0, 0.1, 0.4]))
    append(text_of([row()]))


class Copy:
    def __init__(self):
        self.rows, self.cursor, self.held, self.coming, self.is_current = None, None, set(), None, False

    def take(self, message):
        kind = message["type"]
        if kind == "snapshot":
            if message["at"] == 0:
                self.coming = []
            assert self.coming is not None and len(self.coming) == message["at"]
            self.coming += message["rows"]
            if len(self.coming) == message["count"]:
                self.rows, self.coming = self.coming, None
                self.cursor = (message["epoch"], message["version"])
                self.hold()
        elif kind == "delta":
            assert self.cursor == (message["epoch"], message["from"]), (self.cursor, message["from"])
            for start, deleted, rows in message["splices"]:
                self.rows[start : start + deleted] = rows
            assert len(self.rows) == message["count"]
            self.cursor = (message["epoch"], message["to"])
            self.hold()
        elif kind == "sync" and self.cursor == (message["epoch"], message["version"]):
            self.is_current = True
            self.hold()

    def hold(self):
        """Until the first sync it may be catching up, from a table of before this check."""
        if self.is_current:
            self.held.add(json.dumps(self.rows))


async def follow(url, copy, until):
    async with websockets.connect(url, subprotocols=["csvcast.v1"], max_size=None) as feed:
        while not until():
            try:
                copy.take(json.loads(await asyncio.wait_for(feed.recv(), 0.2)))
            except asyncio.TimeoutError:
                pass


async def main():
    remember()
    replace([row()])
    copies = {url: Copy() for url in URLS}
    writing = asyncio.create_task(write())
    is_last = lambda copy: json.dumps(copy.rows) == json.dumps(list(csv.reader(open(PATH, newline="")))[1:])
    final = lambda copy: lambda: writing.done() and is_last(copy)
    await asyncio.wait_for(asyncio.gather(*(follow(url, copy, final(copy)) for url, copy in copies.items())), 120)
    await writing
    settled(float("inf"))
    for url, copy in copies.items():
        never = [table for table in copy.held if table not in states]
        assert not never, f"seed {SEED}, {url}: a table that the file never was: {never[0][-300:]}"
    print(f"{sum(len(copy.held) for copy in copies.values())} tables, all of them were there")


asyncio.run(main())
