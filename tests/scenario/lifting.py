# SPDX-License-Identifier: Apache-2.0
"""Sale records of customers whose truth is known, and their lift computed by hand: a second time, from measurement's formulas."""
import hashlib
import json
import math
import random
from datetime import datetime, timedelta, timezone

from records import Records

START = datetime(2026, 10, 5, tzinfo=timezone.utc)
WEEKS_BEFORE = 8


def when(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def chance(salt, purpose, *parts):
    """U of decisioning's draws, as it is published."""
    text = "\0".join((purpose, *parts)).encode()
    digest = hashlib.blake2b(text, key=bytes.fromhex(salt), digest_size=32).digest()
    return (int.from_bytes(digest[:8], "little") >> 11) * 2.0 ** -53


class Sales(Records):
    """What collect would have written."""

    def __init__(self):
        self.rows, self.seq = [], {}

    def sale(self, store, visit, at, gross, margin=None, subject=None, told=None, **more):
        self.seq[store] = self.seq.get(store, 0) + 1
        body = {"visit": visit, "basket": visit, "at": when(at), **({"subject": subject} if subject else {}), "station": "1",
                "gross": gross, "discount": 0, **({"margin": margin} if margin is not None else {}), "lines": 1, "arms": {},
                "control": False, "shown": 0, **more}
        self.rows.append((store, "00000000000000e1", "money", self.seq[store], "sale", when(told or at), json.dumps(body)))


def made(seed, stores=2, customers=800, weeks=5, effect=60, control=None, **more):
    """Sales, and of each customer (store, control, {week: margin})."""
    dice, sales, truth, visit = random.Random(seed), Sales(), [], 0
    control = control or (lambda n: n // stores % 4 == 0)
    for n in range(customers):
        store, subject = f"{n % stores:04d}", hashlib.md5(f"{seed} {n}".encode()).hexdigest()
        purse, weekly = dice.lognormvariate(6, 0.5), {}
        for week in range(-WEEKS_BEFORE, weeks):
            if dice.random() > 0.5:
                continue
            margin = round(purse * dice.lognormvariate(0, 0.4) + (effect if week >= 0 and not control(n) else 0))
            at = START + timedelta(days=7 * week + dice.randrange(7), minutes=dice.randrange(1, 1439))
            visit += 1
            # What was told first is not what it came to.
            if dice.random() < 0.1:
                sales.sale(store, f"v{visit}", at, margin * 9, margin + 5000, subject, control=control(n), **more)
            sales.sale(store, f"v{visit}", at, margin * 4, margin, subject, told=at + timedelta(hours=1), control=control(n), **more)
            weekly[week] = margin
        if weekly:
            truth.append((store, control(n), weekly))
    sales.sale("0000", "end", START + timedelta(days=7 * weeks, minutes=5), 100, 30)      # a stranger, by whom the last week is over
    return sales, truth


def looks(truth, weeks, planned, effect):
    """Of each week (difference, standard error, half width per week or None at the planned end)."""
    found = []
    for week in range(1, weeks + 1):
        strata = {}
        for store, control, weekly in truth:
            if min(weekly) < week:
                y = sum(m for w, m in weekly.items() if 0 <= w < week)
                x = sum(m for w, m in weekly.items() if w < 0)
                strata.setdefault(store, ([], []))[0 if control else 1].append((y, x))

        def mean(rows, i):
            return sum(r[i] for r in rows) / len(rows)

        def centred(rows, i, j):
            a, b = mean(rows, i), mean(rows, j)
            return sum((r[i] - a) * (r[j] - b) for r in rows)
        arms = [arm for pair in strata.values() for arm in pair]
        theta = sum(centred(a, 0, 1) for a in arms) / (sum(centred(a, 1, 1) for a in arms) or 1)
        n = sum(len(a) for a in arms)
        diff = variance = 0
        for control, treated in strata.values():
            share = (len(control) + len(treated)) / n
            diff += share * (mean(treated, 0) - mean(control, 0) - theta * (mean(treated, 1) - mean(control, 1)))
            for arm in (control, treated):
                rest = centred(arm, 0, 0) - 2 * theta * centred(arm, 0, 1) + theta ** 2 * centred(arm, 1, 1)
                variance += share ** 2 * rest / ((len(arm) - 1) * len(arm))
        se = math.sqrt(variance)
        half = None
        if week < planned:
            s = se / week
            r = (2 * math.log(20) + math.log(2 * math.log(20) + 1)) * (effect / 2.8015852) ** 2 / s ** 2
            half = s * math.sqrt((1 + 1 / r) * (math.log(1 + r) + 2 * math.log(20)))
        found.append((diff, se, half))
    return found
