# SPDX-License-Identifier: Apache-2.0
"""curves.py [--most 1000000] [--only WHAT] [--time]: what an event costs, over how much there is already.

A state is made old by age.c: with more events, more customers and profiles, more baskets that stay open, a policy of more actions (ten of them
are asked at each event). Then the same kind of day goes on in it, an event a turn, and the instructions of 300 events are counted by
callgrind; --time: processor time of 3,000 beside it. What grows by more than a quarter from the least to the most is named; exit 1.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))
sys.path.insert(0, HERE)
import policy  # noqa: E402
import replay  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
AGE = os.path.join(BUILD, "bench", "age")
GROWS = 1.25
ACTIONS_MOST = 4096  # of a policy
PEPPER = "5a" + 31 * "00"


class Aged:
    """A state that gets older, and what an event costs in it."""

    def __init__(self, folder, name, bundle, *more):
        self.state, self.bundle, self.more, self.told = os.path.join(folder, name), bundle, [str(m) for m in more], 0
        os.mkdir(self.state)

    def age(self, *words, state=None, before=()):
        words = [*before, AGE, *map(str, words), "--from", str(10_000_000 + self.told), "--seed", str(self.told + 1), *self.more, self.bundle, state or self.state]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.told += 1_000_000
        return done

    def cost(self, timed):
        """Instructions an event; microseconds. Of a copy: the state is as it was."""
        copy = self.state + "-copy"
        shutil.copytree(self.state, copy)
        count = self.age("--days", 0, "--measure", 300, state=copy, before=("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                                                                           "--collect-atstart=no", "--toggle-collect=measured"))
        instructions = int(re.search(r"Collected : (\d+)", count.stderr)[1]) / int(re.search(r"measured (\d+) events", count.stdout)[1])
        microseconds = float(re.search(r"([\d.]+) us an event\n.*$", self.age("--days", 0, "--measure", 3000, state=copy).stdout)[1]) if timed else None
        shutil.rmtree(copy)
        return instructions, microseconds


def show(what, n, cost):
    instructions, microseconds = cost
    print(f"| {what} | {n:,} | {instructions / 1000:,.0f} | {'' if microseconds is None else f'{microseconds:.0f}'} |", flush=True)


def steps(first, last):
    while first <= last:
        yield first
        first *= 10


def bundle_of(folder, actions):
    """So many actions, of which ten are asked."""
    os.makedirs(os.path.join(folder, f"policy-{actions}"))
    rows = [dict(replay.write_action(i, replay.TYPES if i < 10 else ["aisle.basket.resumed"], False), action=f"a{i:05d}") for i in range(actions)]
    return policy.bundle(os.path.join(folder, f"policy-{actions}"), policy=dict(policy.POLICY, salts=policy.SALTS, interrupt=3), features=replay.FEATURES,
                         actions=rows)


def of_events(folder, most, timed):
    aged, told = Aged(folder, "events", bundle_of(folder, 10)), 0
    for n in steps(1000, most):
        days = max(1, n // 50000)
        aged.age("--days", days, "--events", (n - told) // days, "--turn", 16)
        told = n
        yield n, aged.cost(timed)


def of_customers(folder, most, timed):
    bundle = bundle_of(folder, 10)
    pepper = os.path.join(folder, "pepper")
    with open(pepper, "w") as f:
        f.write(PEPPER + "\n")
    for n in steps(10000, most):
        rows = os.path.join(folder, "rows.jsonl")
        with open(rows, "w") as f:
            for i in range(n):
                f.write(json.dumps({"card": f"4000{i:012d}", "language": "en", "consent": {"personalise": "granted", "profile": "granted"},
                                    "attributes": {"tier": "gold", "age": 40}}) + "\n")
        built = os.path.join(folder, f"profiles-{n}")
        subprocess.run([os.path.join(BUILD, "aislectl"), "profiles", "build", rows, "--store", "0042", "--pepper", pepper, "-o", built],
                       check=True, stdout=subprocess.DEVNULL)
        aged = Aged(folder, f"customers-{n}", bundle, "--customers", n, "--profiles", built)
        aged.age("--known", n, "--events", 1000, "--turn", 16)
        yield n, aged.cost(timed)
        shutil.rmtree(aged.state)


def of_open(folder, most, timed):
    bundle = bundle_of(folder, 10)
    for n in steps(10, most):
        aged = Aged(folder, f"open-{n}", bundle)
        aged.age("--open", n, "--events", 1000)
        yield n, aged.cost(timed)


def of_actions(folder, most, timed):
    for n in [n for n in steps(10, most) if n < ACTIONS_MOST] + [min(most, ACTIONS_MOST)]:
        aged = Aged(folder, f"actions-{n}", bundle_of(folder, n))
        aged.age("--events", 1000)
        yield n, aged.cost(timed)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=1_000_000, help="events, customers")
    parser.add_argument("--most-open", type=int, default=10_000, help="open baskets, and actions as far as a policy goes")
    parser.add_argument("--only", choices=("events", "customers", "open", "actions"))
    parser.add_argument("--time", action="store_true")
    options = parser.parse_args()
    room = "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 8 << 30 else None
    grows = []
    print("| over | | thousands of instructions an event | µs |\n|---|---|---|---|", flush=True)
    for what, name, curve, most in (("events", "events in the state", of_events, options.most),
                                    ("customers", "customers known, each with a profile", of_customers, options.most),
                                    ("open", "open baskets", of_open, options.most_open), ("actions", "actions, ten of them asked", of_actions, options.most_open)):
        if options.only not in (None, what):
            continue
        with tempfile.TemporaryDirectory(prefix="aisle-curves-", dir=room) as folder:
            points = []
            for point in curve(folder, most, options.time):
                show(name, *point)
                points.append(point)
            if points[-1][1][0] > points[0][1][0] * GROWS:
                grows.append(name)
    print(f"\n{'nothing grows' if not grows else 'GROWS with: ' + '; '.join(grows)}")
    sys.exit(1 if grows else 0)


if __name__ == "__main__":
    main()
