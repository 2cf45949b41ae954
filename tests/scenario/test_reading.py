# SPDX-License-Identifier: Apache-2.0
"""Reading never changes anything: every decision of a day, everything about every customer, every page, twice.

The day has strangers, cards that are shown late, merged cards and forgotten
customers: rows of one decision then lie under several keys, or under none that
is left. Whoever looks at them changes no row and raises no alarm.
"""
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import sqlite3
import tempfile
import time

import policy
from store import Client, Store, main, wait_for

BASKETS = 40
CARDS = [f"77{n:010d}" for n in range(24)]
TIP = policy.changed(policy.ENROL, action="tip", kind="recommend", on=["aisle.basket.item-added"], eligible=True, applicable=True,
                     incremental=0.5, gate="associate", expires="3600s",
                     outcome={"is": "bought", "within": "0d", "item": {"category": "grocery/milk"}})
OFFER = policy.changed(policy.OFFER, expires="3600s", caps=[], eligible=True, applicable=True)
# What a second of doing nothing writes: when it was, and what the broker has acknowledged.
LIVELY = {"meta", "outbox", "turn"}


class Day:
    def __init__(self, store, seed):
        self.store, self.chance = store, random.Random(seed)
        self.watch = Client(store.broker.port, [f"{store.root}/guidance/+", f"{store.root}/pos/+/receipt"])
        self.sent = 0
        store.ctl("tablet", "add", "t1")

    def till(self, kind, data, terminal):
        self.store.till(self.watch, kind, data, terminal=terminal, receipt=True)
        self.sent += 1

    def settle(self):
        wait_for("receipts", lambda: sum(len(m["ids"]) for m in self.watch.on("/receipt")) >= self.sent, 20)

    def shows(self, card, basket, terminal):
        self.till("customer.identified", {"card": card, "basket": basket, "station": terminal}, terminal)

    def buys(self, basket, line, category, terminal):
        self.till("basket.item-added", self.store.item(basket, line, category, 450), terminal)

    def answers(self, terminal):
        """Somebody at the tablet taps what is there."""
        shown = [g for g in self.watch.on(f"/guidance/{terminal}") if g.get("prompts")]
        for prompt in shown[-1]["prompts"] if shown else []:
            for kind, more in (("shown", {}), ("decided", {"decision": self.chance.choice(["accept", "dismiss"])})):
                self.store.serial += 1
                event = self.store.event(f"guidance.{kind}", {"guidance": shown[-1]["guidance"], "prompt": prompt["prompt"], **more},
                                         source="/tablet/t1")
                self.watch.publish(f"{self.store.root}/tablet/t1/event", event)

    def basket(self, n):
        basket, terminal, card = f"b{n}", str(1 + n % 8), CARDS[n % len(CARDS)]
        self.till("basket.opened", {"basket": basket, "terminal": terminal}, terminal)
        if n % 3 == 0:
            self.shows(card, basket, terminal)
        self.buys(basket, 1, "grocery/coffee", terminal)
        self.settle()
        if n % 2:
            self.answers(terminal)
        if n % 3 == 1:  # a stranger until now: what is open for them is replaced
            self.shows(card, basket, terminal)
        self.buys(basket, 2, "grocery/milk", terminal)
        if n % 5 == 2:  # another card after the first
            self.shows(CARDS[(n + 7) % len(CARDS)], basket, terminal)
        if n % 6 == 3:
            self.store.reader(self.watch, "customer.merged", {"card": card, "into": CARDS[(n + 1) % len(CARDS)]})
        self.settle()
        if n % 10 == 4:
            self.store.ctl("customer", "forget", stdin=card + "\n")
        if n % 7:
            self.till("basket.closed", {"basket": basket, "total": 900, "currency": "EUR"}, terminal)
            self.settle()


def rows(store):
    """Each table's rows as they lie on the disk."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            path = os.path.join(store.folder, "state", "state.db" + suffix)
            if os.path.exists(path):
                shutil.copy(path, os.path.join(folder, "state.db" + suffix))
        state = sqlite3.connect(os.path.join(folder, "state.db"))
        tables = [name for name, in state.execute("select name from sqlite_schema where type = 'table'")]
        found = {name: state.execute(f"select * from {name} order by 1, 2").fetchall() for name in tables}
        state.close()
        return found


def digest(found):
    return {name: hashlib.sha256(repr(lines).encode()).hexdigest() for name, lines in found.items() if name not in LIVELY}


def settled(store):
    """Two looks at the disk, apart, that see the same; and nothing is due while it is read: a till that stays silent.
    What is due stands in its table when the store was stopped, and in the last turns' rows until then."""
    store.stop()
    due = [row[0] for row in rows(store)["timer"]]
    store.start()
    if not all(at > 1000 * (time.time() + 45) for at in due):
        time.sleep(5)
        return False
    first = rows(store)
    time.sleep(1.2)
    return digest(first) == digest(rows(store))


def ulid(key):
    alphabet, number = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", int.from_bytes(key, "big")
    return "".join(alphabet[number >> 5 * i & 31] for i in range(25, -1, -1))


def damaged(store):
    return int(re.search(rb"aisle_rows_damaged_total (\d+)", store.http("GET", "/metrics")[1]).group(1))


def read_everything(store, token, decisions):
    """How many decisions, and how many outcomes of them, were given out."""
    given = outcomes = 0
    tablet = http.client.HTTPConnection(store.status()["http"][0], timeout=10)

    def get(path):
        tablet.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = tablet.getresponse()
        return answer.status, answer.read()
    for decision in decisions:
        status, body = get(f"/v1/decisions/{decision}")
        assert status in (200, 404), (status, body)
        if status == 200:
            given += 1
            found = json.loads(body)["outcomes"]
            outcomes += len(found)
            if given % 8 == 0:
                assert json.loads(store.ctl("why", decision, "--json"))["outcomes"] == found
    tablet.close()  # it does not wait so long; the next request opens it again
    for card in CARDS:
        for command in ("show", "export"):
            store.ctl("customer", command, stdin=card + "\n", code=66 if card in FORGOTTEN else 0)
    store.ctl("deadletter", "--json")
    store.ctl("tablet", "list", "--json")
    store.status()
    for path in ["/v1/stations", "/v1/report", "/livez", "/readyz"] + [f"/v1/stations/{n}" for n in range(1, 9)]:
        get(path)
    tablet.close()
    return given, outcomes




def forgotten():
    """Whoever is forgotten is so with all the cards that were merged into theirs."""
    person, gone = {card: card for card in CARDS}, set()
    for n in range(BASKETS):
        card, other = CARDS[n % len(CARDS)], CARDS[(n + 1) % len(CARDS)]
        if n % 6 == 3 and not {card, other} & gone:
            person = {c: person[other] if p == person[card] else p for c, p in person.items()}
        if n % 10 == 4:
            gone |= {c for c, p in person.items() if p == person[card]}
    return gone


FORGOTTEN = forgotten()


def test_a_day_is_read_twice_and_not_a_row_of_it_changes():
    store = Store(config="[limits]\nterminal_rate = 10000/s\n")
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[TIP, OFFER]))
        kept = [policy.changed(policy.GOLD, card=card) for card in CARDS]
        store.ctl("profiles", "install", policy.profiles(store.folder, kept, pepper=store.pepper))
        token = store.pair()
        day = Day(store, 7)
        for n in range(BASKETS):
            day.basket(n)
        day.watch.publish(f"{store.root}/pos/7/event", "{not json")
        wait_for("the dead letter", lambda: json.loads(store.ctl("deadletter", "--json"))["dead_letters"])
        wait_for("an idle minute", lambda: settled(store), 150)
        before = rows(store)
        decisions = [ulid(key) for _, key, *_ in before["decision"]]
        readable = {key for _, key, _, _, _, body in before["decision"] if body is not None}
        expected = sum(body is not None and key in readable for _, key, _, _, _, body in before["log_outcome"])
        mixed = {key for _, key, subject, *_ in before["log_outcome"] if subject is None} & {
            key for _, key, subject, *_ in before["log_outcome"] if subject is not None}
        assert mixed, "no decision has rows under two keys: the test tests nothing"
        for _ in range(2):
            given, outcomes = read_everything(store, token, decisions)
            assert given == len(readable) and given > BASKETS, (given, len(readable), len(decisions))
            assert outcomes == expected, f"{outcomes} outcomes given out, {expected} on record"
            assert damaged(store) == 0
        assert store.stop() == 0   # with it, what a turn wrote would be in its table
        after = digest(rows(store))
        assert after == digest(before), [name for name in after if after[name] != digest(before)[name]]
        store.start()
        assert damaged(store) == 0
        assert "set aside table" not in store.log_text()
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
