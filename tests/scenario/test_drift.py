#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl report: features and scores of a bundle's last week against its first four, beside the same computed by hand."""
import csv
import json
import math
import os
import random
import shutil
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone

from records import Records, bundle
from store import AISLECTL, main

FOLDER = tempfile.mkdtemp(prefix="aisle-drift-")
FIRST = datetime(2026, 10, 7, 9, 30, tzinfo=timezone.utc)


def when(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Log(Records):
    def __init__(self, hash, seed):
        self.hash, self.dice, self.rows = hash, random.Random(seed), []

    def add(self, type, at, body):
        self.rows.append(("0001", "00000000000000e1", "decision", len(self.rows) + 1, type, when(at), json.dumps(body)))

    def decision(self, at, subject, features, **more):
        self.add("decision", at, {"decision": f"d{len(self.rows)}", "at": when(at), "station": "7", **({"subject": subject} if subject else {}),
                                  "policy": {"name": "p", "version": 1, "hash": self.hash}, **({"features": features} if features else {}), **more})

    def settled(self, at, subject, p1):
        self.add("settled", at, {"decision": "d", "visit": f"v{len(self.rows)}", "placement": "tablet", "slot": 1, "subject": subject, "at": when(at),
                                 "bundle": self.hash, "rev": 0, "counted": True, "cost_max": 2,
                                 "rows": [{"action": "coffee-off", "p": 1, "p1": p1, "p0": p1 / 2, "margin": 10, "cost": 0, "drawn": True,
                                           "shown": True, "other": False, "y": 0}]})


def report(source, built, *words):
    done = subprocess.run([*AISLECTL, "report", "--from", source, "--bundle", built, "--start", "2026-10-05", "--weeks", "8", *words],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_hand(values):
    """values: [(week, customer, value)], the first of a customer's week first. (PSI, corrected, bins, base, now)."""
    seen, base, now = set(), [], []
    for week, who, value in values:
        if (week, who) in seen or not (week < 4 or week == 5):
            continue
        seen.add((week, who))
        (base if week < 4 else now).append(value)
    numbers = sorted(v for v in base if isinstance(v, (int, float)) and not isinstance(v, bool))
    edges = sorted({numbers[len(numbers) * k // 10] for k in range(1, 10)} - {numbers[0]}) if numbers else []

    def bin_of(v):
        if v is None or isinstance(v, (str, bool)):
            return v if v is None or v in base else "other"
        return 1000 + sum(v >= e for e in edges)
    bins = sorted({bin_of(v) for v in base + now}, key=str)
    counts = [[sum(bin_of(v) == b for v in of) for b in bins] for of in (base, now)]
    n, m, k = len(base), len(now), len(bins)
    psi = 0
    for a, b in zip(*counts):
        p, q = (a + 0.5) / (n + k / 2), (b + 0.5) / (m + k / 2)
        psi += (p - q) * math.log(p / q)
    return psi, psi - (k - 1) * (1 / n + 1 / m), k, n, m


def test_what_is_other_than_it_was_is_named_with_the_index_that_is_computed_by_hand():
    built, hash = bundle(FOLDER)
    log, values = Log(hash, 1), {}
    dice = log.dice
    log.decision(FIRST, None, {"steady": 1.0})
    values.setdefault("steady", []).append((0, "first", 1.0))
    for week in range(6):
        for n in range(300):
            subject = f"{n:032x}" if n % 3 else None
            for again in range(1 + (subject is not None and n % 2)):
                at = FIRST + timedelta(days=7 * week, minutes=1 + 10 * n + 4000 * again)
                late = week == 5
                features = {"steady": dice.gauss(0, 1), "moved": dice.gauss(0.6 if late else 0, 1), "nudged": dice.gauss(0.28 if late else 0, 1),
                            "count": dice.choice((0, 0, 0, 0, 1, 2)), "tier": dice.choice(("gold", "silver", "plum" if late else "gold")),
                            "known": bool(n % 2), "gone": None if late and n % 4 else dice.gauss(0, 1), "same": 7}
                log.decision(at, subject, features)
                for name, value in features.items():
                    values.setdefault(name, []).append((week, subject or f"w{week} {n}", value))
                p1 = dice.random() * (0.5 if late else 1)
                who = subject or f"{n + 1000:032x}"
                log.settled(at, who, p1)
                values.setdefault("p1 of coffee-off", []).append((week, who, p1))
    log.decision(FIRST + timedelta(days=42), None, {"steady": 99.0})      # the week after: not over
    log.decision(FIRST + timedelta(days=36), None, {}, note="another bundle says \"features\":")
    log.hash = "ff" * 32
    log.decision(FIRST + timedelta(days=36), None, {"steady": 99.0, "foreign": 1})
    source = log.write(FOLDER + "/drift.db")
    drift = json.loads(report(source, built, "--json"))["drift"]
    assert drift["base"] == when(FIRST) and drift["week"] == when(FIRST + timedelta(days=35)) and drift["unread"] == 0, drift
    told = {one["of"]: one for one in drift["of"]}
    assert sorted(told) == sorted(set(values) - {"same"}), sorted(told)     # of what is always the same nothing is said
    for name, one in told.items():
        psi, corrected, bins, base, now = by_hand(values[name])
        assert (one["bins"], one["base"], one["now"]) == (bins, base, now), (name, one, (bins, base, now))
        assert abs(one["psi"] - psi) < 1e-9 and abs(one["corrected"] - corrected) < 1e-9, (name, one, psi)
    says = {name: one["says"] for name, one in told.items()}
    assert says["moved"] == says["gone"] == says["tier"] == says["p1 of coffee-off"] == "alarm", says
    assert says["steady"] == says["count"] == says["known"] == "none" and says["nudged"] in ("none", "watch"), says
    report(source, built, "-o", FOLDER + "/drift.html")
    with open(FOLDER + "/drift.html", encoding="utf-8") as f:
        page = f.read()
    assert "<td>moved</td>" in page and "<td>steady</td>" not in page and "the week from 2026-11-11" in page, page
    with open(FOLDER + "/drift-figures.csv", encoding="utf-8", newline="") as f:
        lines = {r["of"]: float(r["value"]) for r in csv.DictReader(f) if r["by"] == "drift" and r["figure"] == "psi"}
    assert lines == {name: one["psi"] for name, one in told.items()}, lines


def test_of_few_customers_and_of_the_first_weeks_nothing_is_said():
    built, hash = bundle(FOLDER)
    log = Log(hash, 2)
    for week in range(5):
        for n in range(90):
            log.settled(FIRST + timedelta(days=7 * week, minutes=n), f"{n:032x}", 0.1 + 0.1 * week)
    few = json.loads(report(log.write(FOLDER + "/few.db"), built, "--json"))
    assert "drift" not in few, few      # the fifth week is not over
    log.settled(FIRST + timedelta(days=35, minutes=90), f"{1:032x}", 0.5)
    few = json.loads(report(log.write(FOLDER + "/few2.db"), built, "--json"))["drift"]["of"]
    assert [one["says"] for one in few] == ["too-few-customers"] and few[0]["psi"] > 0.1, few


def test_last():
    shutil.rmtree(FOLDER, ignore_errors=True)
    assert not os.path.exists(FOLDER)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
