#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each arm earned, by the SQL of docs/headquarters.md over what `collect` wrote: it is what the tills' own lines add up to."""
import collections
import os
import random
import re
import sqlite3

import policy
from store import Client, Store, main, wait_for

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs")
CARDS = [f"97800000{n:05d}" for n in range(12)]
WORDING = {"experiment": "wording", "unit": "customer", "salt": "5a17" * 16, "share": 0.8,
           "arms": {"a": {"weight": 1}, "b": {"weight": 1, "patch": {"policy": {"interrupt": 6}}}}}
MARKED = {"beer/pils": "sensitive", "services/lottery": "no_promotion"}


def documented_sql():
    with open(os.path.join(DOCS, "headquarters.md")) as f:
        block = re.search(r"\n((?:    .*\n)*    WITH told AS(?:.*\n)(?:    .*\n)+)", f.read()).group(1)
    return block.replace("\n    ", "\n")


class Tills:
    """What two tills know of their own sales: margins by basket, without marked goods and what came back."""

    def __init__(self, store, rng):
        self.store, self.rng, self.client, self.baskets, self.returns = store, rng, Client(store.broker.port), {}, 0

    def sell(self, n):
        rng, store, basket, terminal = self.rng, self.store, f"b{n}", rng_choice(self.rng, "78")
        card = rng_choice(rng, CARDS) if rng.random() < 0.8 else None
        sale = self.baskets[basket] = {"card": card, "terminal": terminal, "lines": {}}
        store.till(self.client, "basket.opened", {"basket": basket, "terminal": terminal}, terminal)
        if card:
            store.till(self.client, "customer.identified", {"card": card, "station": terminal, "basket": basket}, terminal)
        for line in range(1, rng.randint(2, 7)):
            self.line(basket, line)
        if rng.random() < 0.2:
            self.void(basket)
        total = sum(x["amount"] for x in sale["lines"].values())
        store.till(self.client, "basket.closed", {"basket": basket, "total": total, "currency": "EUR"}, terminal)

    def line(self, basket, line):
        rng, sale = self.rng, self.baskets[basket]
        qty = rng.randint(1, 3)
        row = {"qty": qty, "amount": qty * rng.randint(50, 400), "margin": qty * rng.randint(5, 90), "back": 0,
               "category": rng_choice(rng, ["grocery/coffee", "home", "beer/pils", "services/lottery"])}
        sale["lines"][line] = row
        self.store.till(self.client, "basket.item-added", {
            "basket": basket, "line": line, "sku": f"sku-{basket}-{line}", "category": row["category"], "qty": qty,
            "amount": row["amount"], "margin": row["margin"], "currency": "EUR",
            "discounts": [{"ref": "happy-hour", "amount": qty}]}, sale["terminal"])

    def void(self, basket):
        sale = self.baskets[basket]
        line = rng_choice(self.rng, sorted(sale["lines"]))
        del sale["lines"][line]
        self.store.till(self.client, "basket.item-voided", {"basket": basket, "line": line}, sale["terminal"])

    def give_back(self):
        rng = self.rng
        basket = rng_choice(rng, sorted(self.baskets))
        sale = self.baskets[basket]
        open_lines = [n for n, x in sale["lines"].items() if x["back"] < x["qty"]]
        if not open_lines:
            return
        line = rng_choice(rng, open_lines)
        row = sale["lines"][line]
        qty = rng.randint(1, row["qty"] - row["back"])
        row["back"] += qty
        self.returns += 1
        amount = row["amount"] // row["qty"] * qty
        data = {"return": f"r{self.returns}", "basket": basket, "terminal": sale["terminal"], "total": amount,
                "currency": "EUR", "items": [{"sku": f"sku-{basket}-{line}", "category": row["category"], "qty": qty,
                                              "amount": amount}]}
        for _ in range(rng.choice([1, 1, 2])):          # told again, as another event
            self.store.till(self.client, "return.completed", data, rng_choice(rng, "78"))

    def earned(self, arm_of):
        """margin and customers by arm"""
        margins, customers = collections.Counter(), collections.defaultdict(set)
        for sale in self.baskets.values():
            arm = arm_of(sale["card"])
            margins[arm] += sum(x["margin"] // x["qty"] * (x["qty"] - x["back"]) for x in sale["lines"].values()
                                if x["category"] not in MARKED)
            if sale["card"]:
                customers[arm].add(sale["card"])
        return {arm: (len(customers[arm]), margins[arm]) for arm in margins}


def rng_choice(rng, of):
    return of[rng.randrange(len(of))]


def arms_by_card(database):
    """From the records themselves: which arm a customer's sales say, one only."""
    said = collections.defaultdict(set)
    for visit, arm, control in database.execute(
            "SELECT json_extract(body, '$.basket'), ifnull(json_extract(body, '$.arms.wording'), '-'), "
            "json_extract(body, '$.control') FROM record WHERE type = 'sale'"):
        said[visit].add((arm, control))
    return said


def test_margin_by_arm_is_what_the_tills_own_lines_say():
    rng = random.Random(8)
    store = Store(hq_folder=True)
    store.start()
    try:
        source = dict(policy.POLICY, control={"share": 0.3}, sensitive=["category=beer"],
                      no_promotion=["category=services/lottery"])
        store.ctl("bundle", "install", policy.bundle(store.folder, policy=source,
                                                    extra={"experiments.json": {"experiments": [WORDING]}}))
        rows = [{"card": c, "consent": {"personalise": "granted", "profile": "granted"}} for c in CARDS]
        store.ctl("profiles", "install", policy.profiles(store.folder, rows, pepper=store.pepper))
        records = f"{store.folder}/records.db"
        collect = ["collect", "--once", "--into", f"sqlite:{records}", "--broker", f"mqtt://127.0.0.1:{store.hq.port}"]
        store.ctl(*collect)             # from now on the broker keeps what comes for it
        wait_for("headquarters", lambda: store.status()["hq"]["connected"])
        tills = Tills(store, rng)
        for n in range(60):
            tills.sell(n)
            if rng.random() < 0.4:
                tills.give_back()
        store.till(tills.client, "return.completed", {
            "return": "nobodys", "items": [{"sku": "x", "category": "home", "qty": 1, "amount": 70}], "total": 70,
            "currency": "EUR"})
        wait_for("the last record", lambda: store.ctl(*collect) is not None and b"nobodys" in everything(records), 60)
        store.ctl(*collect)
        wait_for("all to be acknowledged", lambda: store.status()["hq"]["queued"] == 0, 30)
        with sqlite3.connect(records) as database:
            said = arms_by_card(database)
            assert all(len(arms) == 1 for basket, arms in said.items() if basket), said
            by_card = {}
            for basket, sale in tills.baskets.items():
                arm, = said[basket]
                assert by_card.setdefault(sale["card"], arm) == arm, "a customer is in one arm"
            assert len(set(by_card.values())) >= 4, by_card
            assert by_card[None] == ("-", 0), "a stranger is in no arm"
            found = {(arm, control): (customers, margin) for arm, control, customers, margin, _
                     in database.execute(documented_sql())}
            assert found == tills.earned(lambda card: by_card[card]), (found, tills.earned(lambda card: by_card[card]))
            nobodys, = database.execute("SELECT json_extract(body, '$.gross'), json_extract(body, '$.margin') FROM record "
                                        "WHERE json_extract(body, '$.visit') = 'nobodys'")
            assert nobodys == (-70, 0)
            for word in ("beer", "lottery", *CARDS):
                assert word.encode() not in everything(records), word
        tills.client.close()
    finally:
        store.close()
        store.hq.stop()


def everything(path):
    with open(path, "rb") as f, open(path + "-wal", "rb") if os.path.exists(path + "-wal") else open(os.devnull, "rb") as w:
        return f.read() + w.read()


if __name__ == "__main__":
    main([test_margin_by_arm_is_what_the_tills_own_lines_say])
