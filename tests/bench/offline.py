# SPDX-License-Identifier: Apache-2.0
"""offline.py [--days N] [--a-day N] [--max-mib N]: headquarters is away for days, and comes back.

So many events go through the store while its link finds nobody: as fast as they are taken, for what waits is counted in records and
not in hours. Then headquarters' broker and a collector start; while what waits drains, another till scans on and its guidance is timed.
Exit 1 if a record is missing or there twice, if the state outgrew [state] max_mib, if the drain takes more than half an hour, or if the
other till's p99 is not below 250 ms.
"""
import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))
import flood  # noqa: E402
import policy  # noqa: E402
from store import AISLECTL, STARTED, ShippedBroker, Store  # noqa: E402

SHARE = 20  # a part of what is to be sent, so that there is something to see


def load(store, *words):
    done = subprocess.run([os.path.join(flood.BENCH, "load"), "--port", str(store.broker.port), *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def fill(store, events):
    sent, began = 0, time.monotonic()
    for part in range(10 * SHARE):
        if sent >= events:
            break
        sent += load(store, "--tills", 40, "--window", 256, "--seconds", max(1, events // SHARE // 2000), "--run", f"p{part}")["sent"]
        print(f"  {sent} of {events} events, {time.monotonic() - began:.0f} s; {store.status()['hq']['queued']} records wait, "
              f"state {flood.size(store, 'state.db') >> 20} MiB", flush=True)
    return sent


def told(path):
    """How many rows, and whether each lane has all numbers from its first to its last."""
    db = sqlite3.connect(path)
    lanes = db.execute("SELECT lane, count(*), min(seq), max(seq), sum(type = 'gap') FROM record GROUP BY epoch, lane").fetchall()
    db.close()
    return lanes


def drain(store, into):
    began = time.monotonic()
    store.hq.start()
    collector = subprocess.Popen(AISLECTL + ["collect", "--into", f"sqlite:{into}", "--broker", f"mqtt://127.0.0.1:{store.hq.port}"],
                                 stderr=subprocess.DEVNULL)
    STARTED.append(collector)
    beside = load(store, "--tills", 1, "--rate", 10, "--seconds", 30, "--skip", 1, "--run", "beside")
    while store.status()["hq"]["queued"] > 0 and time.monotonic() - began < 1800:
        time.sleep(1)
        print(f"  {store.status()['hq']['queued']} records wait", flush=True)
    took = time.monotonic() - began
    collector.send_signal(signal.SIGTERM)
    collector.wait(20)
    return took, beside


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--days", type=int, default=14)
    words.add_argument("--a-day", type=int, default=50000)
    words.add_argument("--max-mib", type=int, default=1024)
    want = words.parse_args()
    store = Store(config="[log]\nlevel = notice\n", hq_folder=True, broker=ShippedBroker)
    with open(store.conf) as f:
        text = f.read()
    with open(store.conf, "w") as f:
        f.write(text.replace("[state]\n", f"[state]\nmax_mib = {want.max_mib}\n"))
    into = os.path.join(store.folder, "records.db")
    try:
        store.hq.stop(signal.SIGKILL)
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, policy=flood.PLACES, features=flood.FEATURES, actions=flood.actions()))
        sent = fill(store, want.days * want.a_day)
        waited, state = store.status()["hq"]["queued"], flood.size(store, "state.db")
        took, beside = drain(store, into)
        left, lanes = store.status()["hq"]["queued"], told(into)
        whole = left == 0 and all(rows == last - first + 1 and first == 1 and gaps == 0 for _, rows, first, last, gaps in lanes)
        print(f"offline: {sent} events without headquarters; {waited} records waited in a state of {state >> 20} MiB; caught up in {took:.0f} s, "
              f"{'all there once' if whole else f'NOT whole, {left} left'}: {', '.join(f'{lane} {rows}' for lane, rows, *_ in lanes)}; "
              f"beside it another till's p50 {beside['p50'] / 1000:.1f} p99 {beside['p99'] / 1000:.1f} ms", flush=True)
        return 0 if whole and state < want.max_mib << 20 and took < 1800 and beside["p99"] < flood.P99_MS * 1000 else 1
    finally:
        store.close()
        store.hq.stop(signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
