# SPDX-License-Identifier: Apache-2.0
"""days.py [--days 35] [--events 50000] [--max-mib N] [--away N] [--policy FOLDER] [--keep FOLDER]: does what is kept fit what is promised?

The daemon's engine (age.c) is told so many days of so many events by a simulated clock, on a RAM disk where there is one. Then what lies in
its state is counted: decisions by day, bytes by table. --away: headquarters hears nothing on the last so many days. Exit 1 if a decision of
a day within [privacy] decision_days is missing, or the state is larger than [state] max_mib.
"""
import argparse
import collections
import datetime
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
DAY_MS = 86400000
DECISION_DAYS = 35


def fill(folder, options):
    """What the store decided, by day."""
    bundle = os.path.join(folder, "policy.bundle")
    subprocess.run([f"{BUILD}/aislectl", "bundle", "build", options.policy, "-o", bundle], check=True, stdout=subprocess.DEVNULL)
    state = os.path.join(folder, "state")
    os.mkdir(state)
    words = [f"{BUILD}/bench/age", "--days", options.days, "--events", options.events, "--customers", options.customers, "--away", options.away,
             "--max-mib", options.max_mib, bundle, state]
    decided = []
    with subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, text=True) as age:
        for line in age.stdout:
            print("  " + line, end="", flush=True)
            found = re.match(r"day \d+: \d+ events, (\d+) decisions", line)
            if found:
                decided.append(int(found.group(1)))
    if age.returncode != 0:
        sys.exit(f"age: {age.returncode}")
    return state, decided


def look(state):
    db = sqlite3.connect(f"file:{state}/state.db?mode=ro&immutable=1", uri=True)
    kept = collections.Counter(at // DAY_MS for (at,) in db.execute("SELECT at - 13 * 3600000 FROM decision"))
    tables = {}
    names = [n for (n,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for name, size in db.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
        rows = db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] if name in names else None
        tables[name] = (rows, size)
    db.close()
    return kept, tables


def show(options, decided, kept, tables, state):
    """A table for docs/benchmarks.md, and whether it fits."""
    events, days = options.days * options.events, sorted(kept)
    size = sum(os.path.getsize(os.path.join(state, name)) for name in os.listdir(state))
    whole = sum(kept[day] >= count for day, count in zip(reversed(days), reversed(decided)))
    print(f"\n{datetime.date.today()}: {options.days} days of {options.events:,} events, {options.customers:,} customers, "
          f"`{os.path.relpath(options.policy, ROOT)}`, headquarters away on the last {options.away}\n")
    print("| table | rows | MiB | bytes an event |\n|---|---|---|---|")
    for name, (rows, used) in sorted(tables.items(), key=lambda t: -t[1][1]):
        if used >= 1 << 20:
            print(f"| `{name}` | {'' if rows is None else f'{rows:,}'} | {used / (1 << 20):,.0f} | {used / events:,.0f} |")
    print(f"| the folder, of `max_mib` {options.max_mib:,} | | {size / (1 << 20):,.0f} | {size / events:,.0f} |")
    print(f"\n{whole} days of decisions are there whole, {sum(kept.values()):,} of {sum(decided):,}; "
          f"{tables['decision'][1] / max(1, sum(kept.values())):,.0f} bytes each on disk")
    return whole >= min(options.days, DECISION_DAYS) and size <= options.max_mib << 20


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=35)
    parser.add_argument("--events", type=int, default=50000)
    parser.add_argument("--customers", type=int, default=8000)
    parser.add_argument("--away", type=int, default=0)
    parser.add_argument("--max-mib", type=int, default=3072, help="what operating.md says to set for so many events")
    parser.add_argument("--policy", default=os.path.join(ROOT, "models", "starter"))
    parser.add_argument("--keep", help="the folder stays there")
    options = parser.parse_args()
    room = "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > options.max_mib << 21 else None
    with tempfile.TemporaryDirectory(prefix="aisle-days-", dir=room) as folder:
        state, decided = fill(folder, options)
        good = show(options, decided, *look(state), state)
        if options.keep:
            shutil.copytree(state, options.keep)
    print("fits" if good else "DOES NOT FIT")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
