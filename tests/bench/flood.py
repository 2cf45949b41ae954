# SPDX-License-Identifier: Apache-2.0
"""flood.py [--events N] [--seconds T] [--only PART,...]: what comes too fast, over the broker as it is shipped.

backlog: a till's events while aisled is down, then it starts: how many are missing, how long it takes.
line, reading, bad: one till sends 10,000 messages a second; hello: a tablet asks 200 times a second about one station, 64
times in each message. Beside it another till scans ten lines a second, and its guidance is timed. Exit 1 if an event is
missing, if the other till's p99 is not below 250 ms, or if state or log grow without bound.
"""
import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))
import policy  # noqa: E402
from store import BUILD, Client, shipped_store, wait_for  # noqa: E402

BENCH = os.path.join(BUILD, "bench")
P99_MS = 250


# Each line has a card of its own, so that each is answered.
CARD = {"action": "line", "kind": "inform", "issue": "i", "group": "g", "on": ["aisle.basket.item-added"], "personal": False,
        "eligible": True, "applicable": True, "propensity": 0.2, "incremental": 1, "margin": 500, "outcome": {"is": "none"},
        "placements": ["tablet"], "gate": "none", "expires": "12h"}


def actions():
    """As tests/bench/loop.py: of two actions one suits odd lines, one even ones."""
    return [dict(CARD, action=f"a{n}", applicable={"==": [{"%": [{"var": "line"}, 2]}, n]},
                 treatments=[{"treatment": "plain", "language": "en", "headline": "{{name}}", "say": "Say it."}]) for n in (0, 1)]


FEATURES = [{"name": "line", "type": "number", "from": "event.line"}, {"name": "name", "type": "string", "from": "event.name"}]
PLACES = dict(policy.POLICY, name="flood", placements={"tablet": {"slots": 1, "headline_max": 48}})


def open_store():
    store = shipped_store("[log]\nlevel = notice\n")
    store.start()
    store.ctl("bundle", "install", policy.bundle(store.folder, policy=PLACES, features=FEATURES, actions=actions()))
    return store


def metric(store, name):
    for line in store.http("GET", "/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(name)


def size(store, name):
    return sum(os.path.getsize(os.path.join(store.folder, "state", f)) for f in os.listdir(os.path.join(store.folder, "state"))
               if f.startswith(name))


def flood(store, what, sender, count, *words):
    return subprocess.Popen([os.path.join(BENCH, "flood"), "--port", str(store.broker.port), "--what", what, "--from", sender,
                             "--count", str(count), *map(str, words)], stdout=subprocess.PIPE, text=True)


def ended(process):
    text = process.communicate(timeout=600)[0]
    assert process.returncode == 0
    return json.loads(text)


def taken(store):
    return int(metric(store, 'aisle_events_total{type="aisle.basket.item-added",result="accepted"}'))


def backlog(count):
    store = open_store()
    try:
        store.stop()
        sent = ended(flood(store, "line", "9", count, "--step", 20, "--tag", "back"))
        queued = sum(os.path.getsize(os.path.join(store.folder, f)) for f in os.listdir(store.folder) if f.endswith(".db"))
        began = time.monotonic()
        store.start()
        most = 0
        while taken(store) < count and time.monotonic() - began < 300:
            most = max(most, metric(store, "aisle_events_waiting"))
            time.sleep(0.2)
        took = time.monotonic() - began
        missing = count - taken(store)
        letters = json.loads(store.ctl("deadletter", "--json"))["dead_letters"]
        print(f"backlog: {count} events in {sent['seconds']:.1f} s to the broker ({queued >> 20} MiB saved), "
              f"{took:.1f} s after the start all but {missing} are taken; {most:.0f} waited at most; state {size(store, 'state.db') >> 20} MiB",
              flush=True)
        return missing == 0 and not letters
    finally:
        store.close()


def beside(what, seconds, rate):
    store = open_store()
    try:
        other = os.path.join(BENCH, "load")
        words = ["--port", store.broker.port, "--tills", 1, "--rate", 10, "--skip", 1]
        log = len(store.log_text())
        sender = "t9" if what == "hello" else "9"
        more = []
        if what == "hello":
            more = ["--tag", "9"]
            store.ctl("tablet", "add", sender, code=None)
            till = Client(store.broker.port, client_id="till")
            store.till(till, "basket.item-added", store.item("open", 1, "grocery/tea", 100, name="it"), terminal="9")
            till.close()
        process = flood(store, what, sender, seconds * rate, "--rate", rate, *more)
        measured = subprocess.run([other, *map(str, words), "--seconds", str(seconds + 2)], capture_output=True, text=True)
        sent = ended(process)
        figures = json.loads(measured.stdout)
        waiting = metric(store, "aisle_events_waiting")
        lost = metric(store, 'aisle_events_rejected_total{reason="rate"}')
        bad = metric(store, 'aisle_events_rejected_total{reason="not-json"}')
        began = time.monotonic()
        wait_for("the queue's end", lambda: metric(store, "aisle_events_waiting") == 0, 300)
        lines = store.log_text()[log:].count("\n")
        state = size(store, "state.db")
        print(f"{what}: {sent['sent'] / sent['seconds']:.0f}/s for {sent['seconds']:.0f} s; the other till p50 {figures['p50'] / 1000:.1f} "
              f"p99 {figures['p99'] / 1000:.1f} max {figures['max'] / 1000:.1f} ms, {figures['wrong']} wrong; {waiting:.0f} waited at the end, "
              f"{lost:.0f} lost, {bad:.0f} bad; taken {time.monotonic() - began:.1f} s later; {lines} lines of log, state {state >> 20} MiB", flush=True)
        return figures["p99"] < P99_MS * 1000 and figures["wrong"] == 0 and lines < 20 * (seconds + 20)
    finally:
        store.close()


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--events", type=int, default=100000)
    words.add_argument("--seconds", type=int, default=20)
    words.add_argument("--only", default="backlog,line,reading,bad,hello")
    want = words.parse_args()
    parts = {"backlog": lambda: backlog(want.events), "hello": lambda: beside("hello", want.seconds, 200)}
    for what in ("line", "reading", "bad"):
        parts[what] = lambda what=what: beside(what, want.seconds, 10000)
    failed = [name for name in want.only.split(",") if not parts[name]()]
    if failed:
        sys.exit(f"flood: not held: {', '.join(failed)}")


if __name__ == "__main__":
    main()
