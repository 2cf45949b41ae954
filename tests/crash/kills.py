# SPDX-License-Identifier: Apache-2.0
"""kills.py N: kill -9 at N random moments under load.

Tills send with receipts and send again what was not receipted; a tablet
accepts what it sees. After each kill aisled starts again on the same state. At
the end, from outside only:

  - every event that the broker took or that was receipted is receipted, none refused
  - every event that starts a decision has exactly one, at headquarters
  - every closed basket is one purchase of its customer, with its total
  - every prompt that a tablet saw belongs to a decision that headquarters has
  - every accepted prompt has exactly one till command, no other has any
"""
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
import policy  # noqa: E402
from store import AISLECTL, AISLED, Broker, Client, ShippedBroker, Store, main, wait_for  # noqa: E402

KILLS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 50
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
CARDS = [f"77{n:010d}" for n in range(20)]
TILLS = [str(n) for n in range(1, 9)]


class Till(threading.Thread):
    """Sells, one basket after another; keeps each event until its receipt is here."""

    def __init__(self, store, terminal, stop):
        super().__init__(daemon=True)
        self.store, self.terminal, self.stop = store, terminal, stop
        self.chance = random.Random(SEED + int(terminal))
        self.client = Client(store.broker.port, [f"{store.root}/pos/{terminal}/receipt"], client_id=f"till-{terminal}", clean=False)
        self.sent = {}
        self.closed = []
        self.serial = 0

    def send(self, kind, data):
        self.serial += 1
        event = self.store.event(kind, data, terminal=self.terminal, receipt=True)
        event["id"] = f"{self.terminal}-{self.serial}"
        self.sent[(event["source"], event["id"])] = event
        self.client.publish(f"{self.store.root}/pos/{self.terminal}/event", event)

    def run(self):
        basket = 0
        while not self.stop.is_set():
            basket += 1
            name, card, total = f"{self.terminal}-b{basket}", self.chance.choice(CARDS), 0
            self.send("basket.opened", {"basket": name, "terminal": self.terminal})
            self.send("customer.identified", {"card": card, "basket": name, "station": self.terminal})
            for line in range(1, self.chance.randint(2, 5)):
                amount = self.chance.randint(50, 900)
                total += amount
                self.send("basket.item-added", self.store.item(name, line, "grocery/bread", amount))
                time.sleep(0.05)
            self.send("basket.closed", {"basket": name, "total": total, "currency": "EUR"})
            self.closed.append((card, name, total))

    def receipted(self):
        got, refused = {}, []
        for message in self.client.on("/receipt"):
            for key, at in zip(message["ids"], message["at"]):
                got.setdefault(tuple(key), set()).add(at)
            refused += message.get("refused", [])
        return got, refused

    def send_again(self):
        got, _ = self.receipted()
        for key, event in list(self.sent.items()):
            if key not in got:
                self.client.publish(f"{self.store.root}/pos/{self.terminal}/event", event, wait=False)


class Tablet(threading.Thread):
    """Accepts every other prompt as soon as it sees it."""

    def __init__(self, store, stop):
        super().__init__(daemon=True)
        self.store, self.stop = store, stop
        self.client = Client(store.broker.port, [f"{store.root}/guidance/+", f"{store.root}/pos/+/command"],
                             client_id="tablet-1", clean=False)
        self.seen, self.accepted = {}, set()

    def look(self):
        with self.client.lock:
            messages = list(self.client.messages)
        for topic, payload, _ in messages:
            if "/guidance/" not in topic:
                continue
            guidance = json.loads(payload)
            for prompt in guidance.get("prompts", []):
                fresh = prompt["prompt"] not in self.seen
                self.seen.setdefault(prompt["prompt"], guidance["decision"])
                if fresh and len(self.seen) % 2:
                    self.answer(guidance["guidance"], prompt["prompt"])

    def answer(self, guidance, prompt):
        event = self.store.event("guidance.decided", {"guidance": guidance, "prompt": prompt, "decision": "accept"},
                                 source="/tablet/t1")
        event["id"] = f"accept-{prompt}"
        self.client.publish(f"{self.store.root}/tablet/t1/event", event, wait=False)

    def run(self):
        while not self.stop.is_set():
            self.look()
            time.sleep(0.02)

    def commands(self):
        found = {}
        for topic, payload, _ in list(self.client.messages):
            if topic.endswith("/command"):
                command = json.loads(payload)
                if command["type"] == "apply-offer":
                    found.setdefault(command["prompt"], set()).add((command["command"], command["token"]))
        return found


def set_up(folder):
    hq = Broker(folder, "hq")
    # The load is meant: eight tills at full speed, and a few cards in all their baskets. The broker lives on: one that
    # writes all it has to the disk at each change would be what is waited for.
    store = Store(hq_port=hq.port, broker=ShippedBroker, config="[limits]\nterminal_rate = 10000/s\n[loyalty]\nbaskets_a_day = 10000\n")
    store.start()
    store.ctl("tablet", "add", "t1")
    offer = policy.changed(policy.OFFER, expires="3600s", caps=[], eligible=True)
    store.ctl("bundle", "install", policy.bundle(store.folder, actions=[offer]))
    rows = [policy.changed(policy.GOLD, card=card) for card in CARDS]
    store.ctl("profiles", "install", policy.profiles(store.folder, rows, pepper=store.pepper))
    return store, hq


def kill_and_start(store, chance, slowest):
    time.sleep(chance.uniform(0.0, 0.25))
    store.process.kill()
    store.process.wait()
    start = time.monotonic()
    store.process = subprocess.Popen(AISLED + ["--config", store.conf], stdout=store.log, stderr=store.log)
    path = f"{store.folder}/control.sock"
    wait_for("aisled to be back", lambda: store.alive() and os.path.exists(path) and store.status(check=False), 20)
    return max(slowest, time.monotonic() - start)


def load(store, kills):
    """Runs the store under load, killing it; returns what the tills and the tablet know."""
    stop = threading.Event()
    tills = [Till(store, t, stop) for t in TILLS]
    tablet = Tablet(store, stop)
    for thread in [*tills, tablet]:
        thread.start()
    chance, slowest = random.Random(SEED), 0.0
    for _ in range(kills):
        slowest = kill_and_start(store, chance, slowest)
    time.sleep(0.5)
    stop.set()
    for thread in [*tills, tablet]:
        thread.join()
    for till in tills:
        till.send_again()
    wait_for("every receipt", lambda: all(set(t.sent) <= set(t.receipted()[0]) for t in tills), 60)
    tablet.look()
    time.sleep(1)
    print(f"seed {SEED}: {kills} kills, {sum(len(t.sent) for t in tills)} events, {len(tablet.seen)} prompts seen, "
          f"slowest start {slowest:.2f} s")
    return tills, tablet


def check_receipts(tills):
    for till in tills:
        got, refused = till.receipted()
        assert not refused, f"refused {refused[:3]}"
        doubled = {k: at for k, at in got.items() if len(at) > 1}
        assert not doubled, f"one event, two times of arrival: {list(doubled.items())[:3]}"


def check_decisions(tills, tablet, bodies):
    by_trigger = {}
    for body in bodies:
        by_trigger.setdefault((body["trigger"]["source"], body["trigger"]["id"]), []).append(body["decision"])
    doubled = {k: v for k, v in by_trigger.items() if len(v) > 1}
    assert not doubled, f"two decisions for one event: {list(doubled.items())[:3]}"
    due = {k for t in tills for k, e in t.sent.items() if e["type"] in ("aisle.customer.identified", "aisle.basket.item-added")}
    assert due == set(by_trigger), f"without a decision: {sorted(due - set(by_trigger))[:3]}, from nowhere: {sorted(set(by_trigger) - due)[:3]}"
    known = {d for ds in by_trigger.values() for d in ds}
    strangers = {p for p, d in tablet.seen.items() if d not in known}
    assert not strangers, f"shown, and not in the ledger: {sorted(strangers)[:3]}"


def check_purchases(store, tills):
    for card in CARDS:
        expected = sorted(total for t in tills for c, _, total in t.closed if c == card)
        known = json.loads(store.ctl("customer", "show", stdin=card + "\n"))
        got = sorted(p["total"] for p in known["purchases"])
        assert got == expected, f"card {card[-2:]}: {len(got)} purchases of {sum(got)}, sold {len(expected)} of {sum(expected)}"


def check_commands(tablet, outcomes):
    accepted = {o["prompt"] for o in outcomes if o["outcome"] == "accepted"}
    commands = tablet.commands()
    doubled = {p: c for p, c in commands.items() if len(c) > 1}
    assert not doubled, f"two commands for one prompt: {list(doubled.items())[:3]}"
    assert set(commands) == accepted, f"no command: {sorted(accepted - set(commands))[:3]}, no accept: {sorted(set(commands) - accepted)[:3]}"
    assert accepted, "nothing was accepted: the test tests nothing"


def test_nothing_acknowledged_is_lost_or_doubled():
    folder = tempfile.mkdtemp(prefix="aisle-kills-")
    store, hq = set_up(folder)
    database = os.path.join(folder, "records.sqlite")
    collect = subprocess.Popen(AISLECTL + ["collect", "--broker", f"mqtt://127.0.0.1:{hq.port}", "--into", f"sqlite:{database}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        tills, tablet = load(store, KILLS)
        wait_for("headquarters to have every record", lambda: store.status()["hq"]["queued"] == 0, 120)
        rows = sqlite3.connect(database).execute("select lane, seq, type, body from record").fetchall()
        for lane in {r[0] for r in rows}:
            seqs = sorted(r[1] for r in rows if r[0] == lane)
            assert seqs == list(range(1, len(seqs) + 1)), f"lane {lane} has a hole"
        check_receipts(tills)
        check_decisions(tills, tablet, [json.loads(r[3]) for r in rows if r[2] == "decision"])
        check_purchases(store, tills)
        check_commands(tablet, [json.loads(r[3]) for r in rows if r[2] == "outcome"])
        assert json.loads(store.ctl("deadletter", "--json"))["dead_letters"] == []
    finally:
        collect.kill()
        collect.wait()
        store.close()
        hq.stop(signal.SIGKILL)


if __name__ == "__main__":
    main([test_nothing_acknowledged_is_lost_or_doubled])
