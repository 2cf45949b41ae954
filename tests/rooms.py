# SPDX-License-Identifier: Apache-2.0
"""rooms.py BUILD - who calls whom, read from the objects with nm, held against this table.

A name goes down only: a room calls those in its line and its own. The middle asks no wire, disk, clock or chance. No more
than three files call each other in a circle. Run by make lint.
"""
import os
import re
import subprocess
import sys

ROOMS = {
    "core": "", "nouns": "core", "store": "core nouns", "logic": "core", "recommend": "core nouns", "score": "core nouns", "policy": "core nouns logic learn recommend score",
    "decide": "core nouns logic learn recommend score policy",
    "ingest": "core nouns logic", "session": "core nouns", "profile": "core nouns store", "deliver": "core nouns", "learn": "core nouns",
    "trust": "core nouns",
    "sync": "core nouns store recommend score policy trust", "hq": "core nouns sync trust learn",
    "spine": "core nouns store recommend score policy decide ingest session profile deliver learn sync trust",
    "daemon": "core nouns store policy decide ingest session profile deliver sync spine trust",
    "tools": "core nouns store logic recommend score policy decide ingest profile deliver sync spine trust learn hq",
    "ctl": "core logic policy profile sync hq tools trust daemon",       # of the daemon: control_ask(), the other end of its socket
    "aisled": "core sync daemon",
    "aisled_heap": "", "aisled_wire": "ingest",
}
PURE = r"(nouns|logic|recommend|score|policy|decide|session|learn)/|deliver/(guidance|command)$|" \
       r"profile/(subject|subject_codec|subject_merge|consent|purchases)$"
OUTSIDE = r"^(mosquitto_|event_|evutil_|evhttp_|evconnlistener_|bufferevent_|sqlite3_|sodium_|crypto_|randombytes|SSL_)|" \
          r"^(time|gettimeofday|clock_gettime|timespec_get|clock|localtime(_r)?|nanosleep|rand|random|[dl]rand48|getrandom|getenv|syscall|" \
          r"open(at)?(64)?|fopen(64)?|fread|fgets|stat(64)?|fstat(64)?|opendir|mmap(64)?|read|pread(64)?|" \
          r"write|pwrite|fsync|fdatasync|socket|connect|bind|send|recv|sendto|recvfrom|poll|select|fork|execve|system|unlink|rename)$"
CIRCLE = 3


def names(path):
    """What an object defines for others, and what it asks for."""
    defined, asked = set(), set()
    for line in subprocess.run(["nm", "-P", path], capture_output=True, text=True, check=True).stdout.splitlines():
        name, kind = line.split()[:2]
        if kind in "TDBRVWC":
            defined.add(name)
        elif kind in "Uw":
            # As the fortified headers have them: __read_chk, __open64_2.
            asked.add(re.sub(r"^__(\w+?)(_chk|_2)$", r"\1", re.sub(r"@.*", "", name)))
    return defined, asked


def read(build):
    """file → what it asks of which file; file → what it asks of nobody here."""
    home, asks = {}, {}
    for folder, _, files in os.walk(os.path.join(build, "src")):
        for name in files:
            source = os.path.relpath(os.path.join(folder, name), build)[:-1]
            # An object whose source is gone is of an older build.
            if name.endswith(".o") and (os.path.exists(source + "c") or os.path.exists(source + "S")):
                file = source[len("src/"):-1]
                defined, asks[file] = names(os.path.join(folder, name))
                # free() and read() are the C library's to whoever calls them.
                if file not in ("aisled_heap", "aisled_wire"):
                    home.update((name, file) for name in defined)
    calls = {file: {} for file in asks}
    outside = {file: set() for file in asks}
    for file, wanted in asks.items():
        for name in wanted:
            if name not in home:
                outside[file].add(name)
            elif home[name] != file:
                calls[file].setdefault(home[name], []).append(name)
    return calls, outside


def room(file):
    return file.split("/")[0]


def wrong_ways(calls):
    for file, others in sorted(calls.items()):
        if room(file) not in ROOMS:
            yield f"{file}: is in no room of tests/rooms.py"
            continue
        for other, called in sorted(others.items()):
            here, there = room(file), room(other)
            if there != here and there not in ROOMS[here].split():
                yield f"{file} calls {' '.join(sorted(called))} of {other}: {here} stands on {ROOMS[here] or 'nothing'}"


def wrong_includes():
    for folder, _, files in os.walk("src"):
        for name in files:
            file = os.path.relpath(os.path.join(folder, name), "src")
            if not name.endswith((".c", ".h")):
                continue
            with open(os.path.join("src", file)) as f:
                for there, rest in re.findall(r'^#include "(\w+)/(\S+)"', f.read(), re.M):
                    here = room(re.sub(r"\.[ch]$", "", file))
                    if there in ROOMS and there != here and there not in ROOMS[here].split():
                        yield f"{file} includes {there}/{rest}"


def impure(outside):
    for file, asked in sorted(outside.items()):
        found = sorted(name for name in asked if re.search(OUTSIDE, name))
        if re.search(PURE, file) and found:
            yield f"{file} asks the world: {' '.join(found)}"


def circles(calls):
    """Tarjan's strongly connected components, smallest first."""
    index, low, stack, on, found = {}, {}, [], set(), []

    def go(file):
        index[file] = low[file] = len(index)
        stack.append(file)
        on.add(file)
        for other in calls[file]:
            if other not in index:
                go(other)
                low[file] = min(low[file], low[other])
            elif other in on:
                low[file] = min(low[file], index[other])
        if low[file] == index[file]:
            part = []
            while not part or part[-1] != file:
                part.append(stack.pop())
                on.discard(part[-1])
            found.append(sorted(part))

    sys.setrecursionlimit(10000)
    for file in sorted(calls):
        if file not in index:
            go(file)
    return sorted((part for part in found if len(part) > 1), key=len)


def main():
    calls, outside = read(sys.argv[1])
    if len(calls) < 100:
        sys.exit(f"rooms: {len(calls)} objects under {sys.argv[1]}, expected a whole build (make all)")
    wrong = [*wrong_ways(calls), *wrong_includes(), *impure(outside)]
    wrong += [f"{len(part)} files call each other in a circle: {' '.join(part)}" for part in circles(calls) if len(part) > CIRCLE]
    for line in wrong:
        print(f"lint: {line}")
    sys.exit(1 if wrong else 0)


main()
