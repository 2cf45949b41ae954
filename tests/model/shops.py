# SPDX-License-Identifier: Apache-2.0
"""Made-up shops as recorded events: who comes when and buys what by chance alone, or with what is planted in it.

    shops.py COUNT [--seed N]     trains on COUNT shops without any signal and says which models came out
"""
import argparse
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

PEPPER = "00112233445566778899aabbccddeeff" * 2
GRANTED = {"personalise": "granted", "profile": "granted", "contact": "granted"}
START = datetime.datetime(2026, 1, 5, 8)
DAYS = 300


def card(n):
    return f"60{n:014d}"


class Customer:
    """Comes every `gap` days on average; takes each category with a chance of its own."""

    def __init__(self, number, gap, wants):
        self.card, self.gap, self.wants = card(number), gap, wants
        self.fades = None  # day after which each time away is twice as long as the one before
        self.rhythm = {}  # category: days after which it is bought again
        self.last = {}

    def takes(self, rng, category, day):
        if category in self.rhythm:
            due = day - self.last.get(category, -99) >= self.rhythm[category]
            return rng.random() < (0.8 if due else 0.02)
        return rng.random() < self.wants.get(category, 0)


class Shop:
    """Customers, strangers, and the visits that they make, in order."""

    def __init__(self, seed, customers=60, gap=7, categories=8, chance=0.3):
        self.rng = random.Random(seed)
        self.categories = [f"aisle/{chr(97 + n)}" for n in range(categories)]
        share = {c: chance * (1 - n / (2 * categories)) for n, c in enumerate(self.categories)}
        self.customers = [Customer(n, gap, dict(share)) for n in range(customers)]
        self.strangers = [Customer(9000, gap / customers, dict(share))]
        self.strangers[0].card = None

    def visits(self):
        made = []
        for who in self.customers + self.strangers:
            day, gap = self.rng.expovariate(1 / who.gap), who.gap
            while day < DAYS:
                made.append((day, who))
                gap *= 2 if who.fades is not None and day > who.fades else 1
                day += 0.01 + self.rng.expovariate(1 / gap)
        return sorted(made, key=lambda v: v[0])

    def write(self, path):
        number = 0
        with open(path, "w") as f:
            for n, (day, who) in enumerate(self.visits()):
                goods = [c for c in self.categories if who.takes(self.rng, c, day)]
                who.last.update({c: day for c in goods})
                events = [("basket.opened", {"basket": f"b{n}", "terminal": "1"})]
                if who.card is not None:
                    events.append(("customer.identified", {"card": who.card, "basket": f"b{n}", "station": "1"}))
                events += [("basket.item-added", {"basket": f"b{n}", "line": i + 1, "sku": g, "category": g, "qty": 1,
                                                  "amount": self.rng.randrange(50, 900), "currency": "EUR"}) for i, g in enumerate(goods)]
                events.append(("basket.closed", {"basket": f"b{n}", "total": sum(e[1].get("amount", 0) for e in events),
                                                 "currency": "EUR"}))
                at = (START + datetime.timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                for kind, data in events:
                    number += 1
                    f.write(json.dumps({"specversion": "1.0", "id": str(number), "source": "/store/0/pos/1", "type": f"aisle.{kind}",
                                        "time": at, "recordedtime": at, "data": data}) + "\n")

    def train(self, folder, aislectl, name="out"):
        """{model: None if it came out, else why not}"""
        path = lambda name: os.path.join(folder, name)
        self.write(path("events.jsonl"))
        with open(path("pepper"), "w") as f:
            f.write(PEPPER + "\n")
        with open(path("profiles.jsonl"), "w") as f:
            for who in self.customers:
                f.write(json.dumps({"card": who.card, "consent": GRANTED}) + "\n")
        subprocess.run([*aislectl, "profiles", "build", path("profiles.jsonl"), "--store", "0", "--pepper", path("pepper"), "-o",
                        path("profiles.bundle")], check=True, capture_output=True)
        done = subprocess.run([*aislectl, "train", path("events.jsonl"), "--profiles", path("profiles.bundle"), "--pepper",
                               path("pepper"), "-o", path(name)], capture_output=True, text=True)
        assert done.returncode in (0, 65), (done.returncode, done.stderr)
        self.said, self.errors = done.stdout, done.stderr
        split = [line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith(("lapse_", "next_", "redeem_"))]
        return {name: says if says.startswith("left out") else None for name, says in split}


# From a corner shop's regulars to a store of hundreds; often bought and rarely.
SIZES = [dict(customers=n, gap=g, chance=c) for n, g, c in (
    (40, 4, 0.5), (40, 9, 0.3), (60, 7, 0.3), (60, 12, 0.2), (90, 5, 0.15), (90, 10, 0.4), (120, 14, 0.3), (150, 7, 0.1), (200, 20, 0.25))]


def silent(seed, size):
    """Nobody differs from anybody else, and no visit from another."""
    return Shop(seed, **SIZES[size % len(SIZES)])


# ---- planted ----

def habits(seed):
    """Half of the customers like one category, the other half another."""
    shop = Shop(seed, customers=80)
    for n, who in enumerate(shop.customers):
        who.wants["aisle/a"], who.wants["aisle/b"] = (0.6, 0.1) if n % 2 else (0.1, 0.6)
    return shop, {"next_aisle-a", "next_aisle-b"}


def rhythm(seed):
    """A category is bought again when three weeks have gone by."""
    shop = Shop(seed, customers=80)
    for who in shop.customers:
        who.rhythm["aisle/c"] = 21
    return shop, {"next_aisle-c"}


def rare(seed):
    """Half of the customers come once in six weeks."""
    shop = Shop(seed, customers=160, gap=8)
    for who in shop.customers[::2]:
        who.gap = 42
    return shop, {"lapse_40d"}


def leaving(seed):
    """Whoever leaves comes less and less often before."""
    shop = Shop(seed, customers=300, gap=8)
    for n, who in enumerate(shop.customers[::2]):
        who.fades = 30 + 1.6 * n
    return shop, {"lapse_40d"}


def few(seed):
    """One customer in eight has a habit that nobody else has."""
    shop = Shop(seed, customers=120)
    for who in shop.customers:
        who.wants["aisle/d"] = 0.06
    for who in shop.customers[::8]:
        who.wants["aisle/d"] = 0.7
    return shop, {"next_aisle-d"}


PLANTED = [habits, rhythm, rare, leaving, few]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    aislectl = [os.path.join(os.environ["BUILD"], "aislectl")]
    models = out = shops = 0
    for n in range(args.count):
        folder = tempfile.mkdtemp(prefix="aisle-")
        try:
            shop = silent(args.seed + n, n)
            came = shop.train(folder, aislectl)
        finally:
            shutil.rmtree(folder)
        found = [name for name, why in came.items() if why is None]
        models, out, shops = models + len([w for w in came.values() if w is None or "base rate" in w]), out + len(found), shops + bool(found)
        if found:
            print(f"seed {args.seed + n}, size {n % len(SIZES)}: {' '.join(found)}\n{shop.said}", flush=True)
    print(f"{args.count} shops without a signal, {models} models trained: {out} came out, of {shops} shops")
    sys.exit(shops * 100 > args.count)


if __name__ == "__main__":
    main()
