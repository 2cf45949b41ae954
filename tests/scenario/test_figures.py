#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl report: what happened in each arm and in each ring of stores, beside the same computed by hand from sale and care records."""
import csv
import json
import math
import os
import random
import shutil
import subprocess
import tempfile
from datetime import timedelta

import lifting
from lifting import START, Sales, when
from store import AISLECTL, main

FOLDER = tempfile.mkdtemp(prefix="aisle-figures-")
WORDS = ["--start", "2026-10-05", "--weeks", "8", "--effect", "100"]
FIGURES = {"takings_per_1000_visits": ("takings", "visits", 1000), "margin_per_1000_visits": ("margin", "visits", 1000),
           "discount_per_1000_visits": ("discount", "visits", 1000), "returned_per_1000_visits": ("returned", "visits", 1000),
           "complaints_per_1000_visits": ("complaints", "visits", 1000), "satisfaction": ("score", "scored", 1),
           "seconds_to_serve": ("seconds", "timed", 1), "shown_per_1000_visits": ("shown", "visits", 1000),
           "accepted_of_shown": ("accepted", "shown", 1), "dismissed_of_shown": ("dismissed", "shown", 1),
           "answered_without_override": ("followed", "answered", 1), "associate_seconds_per_accepted": ("handling", "accepted", 1)}


def report(source, *words):
    done = subprocess.run([*AISLECTL, "report", "--from", source, *WORDS, *words], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout


def near(got, want):
    assert abs(got - want) <= 1e-7 * max(1, abs(want)), (got, want)


def clustered(pairs):
    """(V, se) of Σsum/Σweight over customers."""
    v = sum(s for s, _ in pairs) / sum(w for _, w in pairs)
    g = len(pairs)
    return v, math.sqrt(g / (g - 1) * sum((s - v * w) ** 2 for s, w in pairs)) / sum(w for _, w in pairs)


class World:
    """Records, and of each arm what each customer, or stranger's visit, added up to."""

    def __init__(self, seed, margins=True):
        self.dice, self.sales, self.sums, self.margins, self.visit, self.care_seq = random.Random(seed), Sales(), {}, margins, 0, 0

    def add(self, cuts, who, **sums):
        for cut in cuts:
            mine = self.sums.setdefault(cut, {}).setdefault(who, {})
            for name, n in sums.items():
                mine[name] = mine.get(name, 0) + n

    def cuts(self, store, subject, arm, at):
        if at < START:
            return []
        found = [("all", "everybody")] + ([("ring", "early")] if store == "0001" else [])
        if subject:
            found.append(("control group", "control" if subject[0] in "01234" else "everybody else"))
        return found + ([("wording", arm)] if arm else [])

    def a_visit(self, store, subject, at):
        dice, arm = self.dice, "ab"[int(subject[1], 16) % 2] if subject else None
        self.visit += 1
        name, control = f"v{self.visit}", bool(subject) and subject[0] in "01234"
        shown = 0 if control else dice.randrange(3)
        answered = dice.randrange(shown + 1)
        accepted = dice.randrange(answered + 1)
        dismissed = dice.randrange(answered - accepted + 1)
        answers = {"answered": answered, "accepted": accepted, "dismissed": dismissed, "overridden": answered - accepted - dismissed,
                   "ms": answered * dice.randrange(60000)}
        gross, discount, margin, returned = dice.randrange(100, 9000), dice.randrange(50), dice.randrange(20, 3000), dice.choice((0, 0, 0, 250))
        seconds = dice.choice((0, 20, 65, 300))
        more = {"shown": shown, "discount": discount, "control": control, "arms": {"wording": arm} if arm else {},
                **({"answers": answers} if answered else {}), **({"seconds": seconds} if seconds else {}), **({"returned": returned} if returned else {})}
        margin = margin if self.margins or dice.random() < 0.99 else None
        if dice.random() < 0.2:     # told otherwise first
            self.sales.sale(store, name, at, gross * 3, 5, subject, **{**more, "seconds": 3000})
        self.sales.sale(store, name, at, gross, margin, subject, told=at + timedelta(hours=1), **more)
        self.add(self.cuts(store, subject, arm, at), subject or store + name, visits=1, takings=gross - discount, margin=margin or 0, discount=discount,
                 returned=returned, shown=shown, answered=answered, accepted=accepted, dismissed=dismissed,
                 followed=answered - answers["overridden"], handling=answers["ms"] / 1000 if answered else 0, seconds=seconds, timed=seconds > 0)

    def care(self, store, subject, at, **body):
        self.care_seq += 1
        arm = "ab"[int(subject[1], 16) % 2] if subject else None
        text = {"at": when(at), **({"subject": subject} if subject else {}), **body, "arms": {"wording": arm} if arm else {},
                "control": bool(subject) and subject[0] in "01234"}
        self.sales.rows.append((store, "00000000000000e2", "money", self.care_seq, "care", when(at), json.dumps(text)))
        sums = {"complaints": 1} if body["what"] == "complaint" else {"scored": 1, "score": body["score"]} if body["kind"] == "nps" else None
        if sums:
            self.add(self.cuts(store, subject, arm, at), subject or f"care{self.care_seq}", **sums)


def made(seed, **more):
    world = World(seed, **more)
    dice = world.dice
    people = [f"{dice.randrange(16 ** 32):032x}" for _ in range(700)]
    for n in range(3000):
        at = START + timedelta(days=dice.randrange(-14, 35), minutes=dice.randrange(1, 1439))
        world.a_visit(f"000{dice.randrange(1, 3)}", dice.choice(people) if dice.random() < 0.8 else None, at)
    for n in range(200):
        at = START + timedelta(days=dice.randrange(-14, 35), minutes=5)
        who = dice.choice(people) if dice.random() < 0.8 else None
        if n % 2:
            world.care(dice.choice(("0001", "0002")), who, at, what="complaint", severity=2)
        else:
            world.care(dice.choice(("0001", "0002")), who, at, what="survey", kind="nps" if n % 6 else "wait", score=dice.randrange(11))
    # Goods that came back of a sale that nobody knows, and a sale that was taken back whole, are no visits.
    world.sales.sale("0002", "r1", START + timedelta(days=3), -400, 0, lines=0, returned=400)
    world.add([("all", "everybody")], "r1", takings=-400, returned=400)
    world.sales.sale("0002", "gone", START + timedelta(days=3), 0, 0, lines=0, seconds=50)
    world.add([("all", "everybody")], "gone")
    at = START + timedelta(days=34, hours=23)
    world.sales.rows.append(("0001", "00000000000000e1", "telemetry", 1, "health", when(at), json.dumps({"at": when(at), "ring": "early"})))
    return world


def told_by(figures):
    return {(one["by"], one["of"]): one for one in figures}


def test_each_arm_and_ring_has_the_figures_that_are_computed_by_hand():
    world = made(1)
    source = world.sales.write(FOLDER + "/figures.db")
    told = told_by(json.loads(report(source, "--json"))["figures"])
    assert sorted(told) == sorted(world.sums), (sorted(told), sorted(world.sums))
    for cut, customers in world.sums.items():
        one = told[cut]
        assert one["customers"] == len(customers) and one["visits"] == sum(c.get("visits", 0) for c in customers.values()), (cut, one)
        assert one["survey"] == "nps", one
        for name, (of, over, times) in FIGURES.items():
            pairs = [(c.get(of, 0) * times, c.get(over, 0)) for c in customers.values()]
            if not sum(w for _, w in pairs):
                assert name not in one, (cut, name)
                continue
            v, se = clustered(pairs)
            near(one[name]["is"], v)
            near(one[name]["se"], se)
            if len(customers) < 100 or se == 0:
                assert "low" not in one[name], (cut, name)
            else:
                assert 1.95 < (one[name]["high"] - v) / se < 2.0, (cut, name, one[name])
    other, control = told["control group", "everybody else"], told["control group", "control"]
    assert other["against"] == "control" and "against" not in control, other
    assert "accepted_of_shown" not in control and other["accepted_of_shown"]["is"] > 0, control
    for name in ("margin_per_1000_visits", "seconds_to_serve", "complaints_per_1000_visits"):
        near(other[name]["difference"]["is"], other[name]["is"] - control[name]["is"])
        near(other[name]["difference"]["se"], math.hypot(other[name]["se"], control[name]["se"]))
        assert 1.95 < (other[name]["difference"]["high"] - other[name]["difference"]["is"]) / other[name]["difference"]["se"] < 2.0, other
        assert "difference" not in control[name], control
    assert "difference" not in other["accepted_of_shown"], other


def test_without_a_margin_of_one_sale_there_is_none_of_its_arms():
    told = told_by(json.loads(report(made(2, margins=False).sales.write(FOLDER + "/margin.db"), "--json"))["figures"])
    assert "margin_per_1000_visits" not in told["all", "everybody"] and "takings_per_1000_visits" in told["all", "everybody"], told


def test_page_and_csv_say_the_same():
    source = "sqlite:" + FOLDER + "/figures.db"
    report(source, "-o", FOLDER + "/figures.html")
    told = json.loads(report(source, "--json"))["figures"]
    with open(FOLDER + "/figures.html", encoding="utf-8") as f:
        page = f.read()
    with open(FOLDER + "/figures-figures.csv", encoding="utf-8", newline="") as f:
        lines = {(r["by"], r["of"], r["figure"]): r for r in csv.DictReader(f)}
    for one in told:
        assert f"<h3>{one['by']}: {one['of']}</h3>" in page, one
        assert float(lines[one["by"], one["of"], "visits"]["value"]) == one["visits"], one
        for name in FIGURES:
            if name in one:
                line = lines[one["by"], one["of"], name]
                assert float(line["value"]) == one[name]["is"] and float(line["low"] or 0) == one[name].get("low", 0), (line, one)
    assert "score of surveys (nps)" in page, page
    assert page.index("<h2>What happened</h2>") < page.index("<h2>What this rests on</h2>"), page


def test_last():
    shutil.rmtree(FOLDER, ignore_errors=True)
    assert not os.path.exists(FOLDER)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
