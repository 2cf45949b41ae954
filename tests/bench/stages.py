# SPDX-License-Identifier: Apache-2.0
"""stages.py [--rate 40] [--seconds 15] [--keep FILE] | stages.py --read FILE EVENTS: instructions of a serving aisled, by room.

The real daemon under `valgrind --tool=callgrind`, behind a broker, with the tills of load.c and ten candidates: once slowly, so
that an event is a turn, and once flat out. What a library does is its own row, the C library's work that of who called it (the
wiping of what is freed is the heap's). Counted is all that aisled does from the first of these events to the last answer.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import tempfile

import loop
import store

LINE = re.compile(r"(\w+)=\((\d+)\)(?: (.*))?$")
LIBRARIES = {"libsqlite3": "SQLite", "libzstd": "zstd", "libsodium": "libsodium", "libmosquitto": "libmosquitto", "libevent": "libevent",
             "libjansson": "jansson"}


class Profile:
    """A callgrind file: what each function costs itself, and what its calls cost, by (object, file, function)."""

    def __init__(self, path):
        self.own, self.calls = collections.Counter(), collections.Counter()
        names, at, callee = {}, {}, {}
        with open(path) as f:
            lines = iter(f)
            for line in lines:
                found = LINE.match(line.rstrip("\n"))
                if found:
                    kind, number, name = found.groups()
                    space = {"ob": "ob", "cob": "ob", "fn": "fn", "cfn": "fn"}.get(kind, "fl")
                    name = names.setdefault((space, number), name)
                    if kind in ("ob", "fl", "fn"):
                        at[kind] = name
                        callee = {}
                    elif kind in ("fi", "fe"):
                        pass   # inlined: it is the function's all the same
                    else:
                        callee[kind] = name
                elif line.startswith("calls="):
                    cost = int(next(lines).split()[1])
                    to = (callee.get("cob", at["ob"]), callee.get("cfi", callee.get("cfl", at["fl"])), callee["cfn"])
                    self.calls[(at["ob"], at["fl"], at["fn"]), to] += cost
                    callee = {}
                elif re.match(r"[+\-*\d]", line):
                    self.own[at["ob"], at["fl"], at["fn"]] += int(line.split()[1])


def room(function):
    """None: the C library and what links, whose work is that of who called."""
    binary, path, _ = function
    found = re.search(r"src/(\w+)(?:/|\.c)", path)
    if found and os.path.basename(binary) == "aisled":
        return {"aisled_heap": "heap: what is freed is wiped"}.get(found.group(1), found.group(1))
    for name, says in LIBRARIES.items():
        if name in binary:
            return says
    return None


def by_room(profile):
    """The C library's own cost goes to its callers, in the share of what each had it do."""
    rooms, callers = collections.Counter(), collections.defaultdict(list)
    for (who, to), cost in profile.calls.items():
        if room(to) is None and who != to:
            callers[to].append((who, cost))

    def charge(function, cost, depth=0):
        name = room(function)
        whole = sum(c for _, c in callers[function])
        if name is not None or whole == 0 or depth == 8 or cost < 1:
            rooms[name or "other"] += cost
            return
        for who, share in callers[function]:
            charge(who, cost * share / whole, depth + 1)

    for function, cost in profile.own.items():
        charge(function, cost)
    return rooms


def count(folder, words, keep):
    """Runs it; returns thousands of instructions an event by room, and events a turn."""
    out = os.path.join(folder, "callgrind")
    store.AISLED[:] = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"] + store.AISLED[-1:]
    peer = loop.Aisle(os.path.join(folder, "store"), lambda f: loop.bundle(f, 10))
    peer.load("--rate", 20, "--seconds", 2)
    control = ["callgrind_control", str(peer.process.pid)]
    turns = peer.turns()
    subprocess.run(control[:1] + ["-z"] + control[1:], check=True, capture_output=True)
    answered = peer.load(*words)["answered"]
    subprocess.run(control[:1] + ["-d"] + control[1:], check=True, capture_output=True)
    turns = peer.turns() - turns
    peer.close()
    if keep:
        shutil.copy(out + ".1", keep)
    return by_room(Profile(out + ".1")), answered, answered / turns


def table(columns):
    heads = [f"{each:.1f} events a turn" for _, _, each in columns]
    print("| thousands of instructions an event | " + " | ".join(heads) + " |\n|---|" + "---|" * len(columns))
    names = sorted(set().union(*(rooms for rooms, _, _ in columns)), key=lambda n: -columns[0][0][n])
    for name in names:
        print(f"| {name} | " + " | ".join(f"{rooms[name] / events / 1000:.1f}" for rooms, events, _ in columns) + " |")
    print("| all of it | " + " | ".join(f"{sum(rooms.values()) / events / 1000:.1f}" for rooms, events, _ in columns) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--keep", help="the profile of the slow run, for callgrind_annotate")
    parser.add_argument("--read", nargs=2, metavar=("FILE", "EVENTS"), help="a profile that was kept")
    args = parser.parse_args()
    if args.read:
        table([(by_room(Profile(args.read[0])), int(args.read[1]), 1)])
        return
    columns = []
    for words in (["--rate", args.rate, "--seconds", args.seconds], ["--window", 1024, "--seconds", args.seconds / 2]):
        folder = tempfile.mkdtemp(prefix="aisle-stages-")
        columns.append(count(folder, words, args.keep if not columns else None))
        shutil.rmtree(folder, ignore_errors=True)
    table(columns)


if __name__ == "__main__":
    main()
