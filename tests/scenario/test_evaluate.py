#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Another policy's value, made a second time by hand from the records; when it is refused; and the draws in other tools' forms."""
import csv
import io
import json
import math
import os
import random
import shutil
import sqlite3
import subprocess

import policy
from store import AISLECTL, main
from test_outcomes import Recording, advice

LOGGED = {"placements": {"tablet": {"slots": 1}}, "explore": {"unit": 100, "cost_max": 20}, "interrupt": 3}
MADE = {}


class Days(Recording):
    """Strangers who are shown milk, tea or nothing at their first line, and buy it more often when they are shown it."""

    def __init__(self, visits=1500, chance={"milk": (0.6, 0.3), "tea": (0.5, 0.2)}):
        super().__init__([advice("milk", 200, incremental=0.5, propensity=0.5), advice("tea", 100, propensity=0.4)])
        self.bundle = self.build("logged", {})
        self.visits, self.chance, self.dice = visits, chance, random.Random(7)
        self.bought = {}
        self.write()
        # The first line is decided about before anything else is bought: the same draws come again.
        first = {}
        for line in self.replay(os.path.join(self.folder, "draft.jsonl")).splitlines():
            decision = json.loads(line)
            first.setdefault(decision["basket"], decision["slots"][0]["action"])
        for basket, drawn in first.items():
            self.bought[basket] = [what for what, (with_, without) in chance.items()
                                   if self.dice.random() < (with_ if drawn == what else without)]
        self.write()
        self.records_path = os.path.join(self.folder, "records.jsonl")
        self.replay(self.records_path)

    def build(self, name, patch, actions=None):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        made = policy.bundle(folder, policy={**policy.POLICY, **LOGGED, "name": name, **patch},
                             actions=actions or [advice("milk", 200, incremental=0.5, propensity=0.5), advice("tea", 100, propensity=0.4)])
        return shutil.move(made, os.path.join(self.folder, name + ".bundle"))

    def tell(self, day, second, kind, data, where="pos/7"):
        """Each event by its basket: what is bought later changes the name of none before it."""
        super().tell(day, second, kind, data, where)
        event = json.loads(self.lines[-1])
        self.lines[-1] = json.dumps({**event, "id": f"{data['basket']}-{kind}-{data.get('line', 0)}"})

    def write(self):
        self.lines = []
        for n in range(self.visits):
            second, basket = n * 20, f"b{n}"
            self.tell(21, second, "basket.opened", {"basket": basket, "terminal": "7"})
            for line, category in enumerate(["bread"] + self.bought.get(basket, []), 1):
                self.tell(21, second + line, "basket.item-added", {"basket": basket, "line": line, "sku": f"s{line}", "category": category,
                                                                   "qty": 1, "amount": 100, "margin": 30, "currency": "EUR"})
            self.tell(21, second + 10, "basket.closed", {"basket": basket, "total": 100, "currency": "EUR"})

    def evaluate(self, candidate, *more, code=0):
        done = subprocess.run(AISLECTL + ["evaluate", "--candidate", candidate, "--bundle", self.bundle, "--store", "0042",
                                          "--events", os.path.join(self.folder, "events.jsonl"), "--json", *more], capture_output=True, text=True)
        assert done.returncode == code, (done.returncode, done.stderr, done.stdout)
        self.said = done.stderr
        return json.loads(done.stdout)

    def draws(self):
        """Of each counted decision its rows."""
        with open(self.records_path) as f:
            settled = [r["body"] for r in map(json.loads, f) if r["type"] == "settled"]
        draws = {}
        for body in sorted(settled, key=lambda b: b["rev"]):
            if body["counted"]:
                draws.setdefault(body["decision"], {}).update({row["action"]: row for row in body["rows"]})
        return draws


def days():
    if not MADE:
        MADE["days"] = Days()
    return MADE["days"]


def first_draws(made, bundle):
    """What a policy does at each visit's first line: nobody has a past here."""
    done = subprocess.run(AISLECTL + ["replay", "--bundle", bundle, "--store", "0042", "--events", os.path.join(made.folder, "events.jsonl")],
                          capture_output=True, text=True, check=True)
    found = {}
    for decision in map(json.loads, done.stdout.splitlines()):
        found.setdefault(decision["basket"], {one["action"]: one["p"] for one in decision["slots"][0]["shortlist"]})
    return found


def by_hand(made, candidate):
    """Each visit is a customer: the formulas of the doubly robust value, one draw at a time."""
    would, baskets = first_draws(made, candidate), {}
    for line in subprocess.run(AISLECTL + ["replay", "--bundle", made.bundle, "--store", "0042", "--events",
                                           os.path.join(made.folder, "events.jsonl")], capture_output=True, text=True, check=True).stdout.splitlines():
        decision = json.loads(line)
        baskets[decision["decision"]] = decision["basket"]
    psi, ips, weights = [], [], []
    for decision, rows in made.draws().items():
        pi = would[baskets[decision]]
        cards = {name: row for name, row in rows.items() if name != "nothing"}
        drawn = next(name for name, row in rows.items() if row["drawn"])
        base = sum(row["p0"] * row["margin"] for row in cards.values())
        q = {name: base + row["p1"] * (row["margin"] - row["cost"]) - row["p0"] * row["margin"] for name, row in cards.items()}
        q["nothing"] = base
        r = sum(row["y"] * row["margin"] for row in cards.values()) - (cards[drawn]["y"] * cards[drawn]["cost"] if drawn in cards else 0)
        w = pi[drawn] / rows[drawn]["p"]
        psi.append(sum(pi[name] * q[name] for name in rows) + w * (r - q[drawn]))
        ips.append(w * r)
        weights.append(w)
    n = len(psi)
    value = sum(psi) / n
    return {"n": n, "dr": value, "se": math.sqrt(n / (n - 1) * sum((x - value) ** 2 for x in psi)) / n, "ips": sum(ips) / n,
            "snips": sum(ips) / sum(weights), "n_eff": sum(weights) ** 2 / sum(w * w for w in weights)}


def test_the_value_of_a_candidate_is_what_the_formulas_make_of_the_records():
    made = days()
    candidate = made.build("tea-first", {"levers": {"action:tea": 3}, "explore": {"unit": 100, "cost_max": 1}})
    told, hand = made.evaluate(candidate), by_hand(made, candidate)
    assert told["decisions"] == told["customers"] == hand["n"] == made.visits, told
    assert told["covered"] == 1 and "refused" not in told, told
    for name, ours in (("dr", told["value"]["is"]), ("se", told["value"]["se"]), ("ips", told["ips"]["is"]), ("snips", told["snips"]["is"]),
                       ("n_eff", told["n_eff"])):
        assert math.isclose(ours, hand[name], rel_tol=1e-9), (name, ours, hand[name])
    # The truth: milk brings 0.6 of 200 where it is drawn, else 0.3; tea 0.5 of 100, else 0.2.
    worth = {"milk": 140, "tea": 110, "nothing": 80}
    pi = next(iter(first_draws(made, candidate).values()))
    p = {name: row["p"] for name, row in next(iter(made.draws().values())).items()}
    true, was = (sum(worth[name] * chances[name] for name in worth) for chances in (pi, p))
    assert told["value"]["low"] < true < told["value"]["high"], (told["value"], true)
    assert told["logged_value"]["low"] < was < told["logged_value"]["high"], (told["logged_value"], was)
    assert told["difference"]["low"] < true - was < told["difference"]["high"], (told["difference"], true, was)
    assert told["logged"]["name"] == "logged" and told["candidate"]["name"] == "tea-first"
    assert "low" not in told["direct"] and "low" not in told["clipped"]


def test_the_policy_itself_is_worth_what_it_earned():
    made = days()
    told = made.evaluate(made.bundle)
    rows = made.draws().values()
    earned = sum(row.get("y", 0) * row.get("margin", 0) for draw in rows for row in draw.values()) / len(rows)
    assert math.isclose(told["earned"]["is"], earned, rel_tol=1e-9) and told["difference"] == {"is": 0}, (told["earned"], earned)
    assert math.isclose(told["ips"]["is"], earned, rel_tol=1e-9)
    assert math.isclose(told["n_eff"], made.visits)


def test_a_database_and_a_file_of_records_tell_the_same():
    made = days()
    candidate = made.build("less", {"interrupt": 30})
    told = made.evaluate(candidate)
    assert made.evaluate(candidate, "--from", made.records_path) == told
    db = os.path.join(made.folder, "hq.db")
    if not os.path.exists(db):
        made.replay("sqlite:" + db)
    assert made.evaluate(candidate, "--from", "sqlite:" + db) == told


def test_what_was_never_drawn_is_refused_or_widens():
    made = days()
    both = [advice("milk", 200, incremental=0.5, propensity=0.5), advice("tea", 100, propensity=0.4)]
    told = made.evaluate(made.build("cocoa", {}, [*both, advice("cocoa", 400, propensity=0.6)]), code=65)
    assert told["refused"] == "uncovered" and told["never_drawn"][0]["action"] == "cocoa" and "value" not in told, told
    assert "refused: only" in made.said and "never drawn: cocoa (" in made.said, made.said
    told = made.evaluate(made.build("a-bit-of-cocoa", {}, [*both, advice("cocoa", 20, propensity=0.5)]))
    assert 0.9 < told["covered"] < 1, told["covered"]
    share = told["never_drawn"][0]["share"]
    assert math.isclose(share, 1 - told["covered"], rel_tol=1e-9)
    # Each way by the margin that it could have brought, or taken.
    above, below = told["value"]["high"] - told["value"]["is"], told["value"]["is"] - told["value"]["low"]
    assert math.isclose(above, below, rel_tol=1e-9) and math.isclose(above - 1.9616 * told["value"]["se"], share * 20, rel_tol=1e-2), (above, share)


def test_too_few_draws_are_no_figure():
    made = Days(visits=60)
    told = made.evaluate(made.bundle, code=65)
    assert told["refused"] == "few-customers" and "60 customers, expected 100" in made.said, (told, made.said)
    made = Days(visits=220)
    told = made.evaluate(made.build("tea-only", {"levers": {"action:tea": 9}, "explore": "greedy"}), code=65)
    assert told["refused"] == "few-draws" and "more exploring" in made.said, (told, made.said)


def test_events_that_make_other_decisions_leave_the_records_out():
    made = days()
    other = os.path.join(made.folder, "other.jsonl")
    with open(os.path.join(made.folder, "events.jsonl")) as f, open(other, "w") as to:
        to.write(f.read().replace('"id": "b', '"id": "x'))
    done = subprocess.run(AISLECTL + ["evaluate", "--candidate", made.bundle, "--bundle", made.bundle, "--store", "0042", "--events", other,
                                      "--from", made.records_path], capture_output=True, text=True)
    assert done.returncode == 65 and f"{made.visits} of decisions that these events do not make" in done.stdout, (done.stdout, done.stderr)


def export(made, form, *more, code=0):
    done = subprocess.run(AISLECTL + ["export", "--format", form, "--from", made.records_path, *more], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout


def test_draws_are_exported_for_other_tools():
    made = days()
    draws = made.draws()
    lines = [json.loads(line) for line in export(made, "dsjson").splitlines()]
    assert len(lines) == len(draws)
    for line in lines:
        rows = draws[line["EventId"].split("-")[0]]
        names = [one["action"]["name"] for one in line["c"]["_multi"]]
        drawn = names[line["_labelIndex"]]
        assert rows[drawn]["drawn"] and line["_label_Action"] == line["a"][0] == line["_labelIndex"] + 1
        assert [rows[names[a - 1]]["p"] for a in line["a"]] == line["p"] and sorted(line["a"]) == [1, 2, 3]
        assert line["_label_probability"] == line["p"][0] and abs(sum(line["p"]) - 1) < 1e-9
        assert -line["_label_cost"] == line["o"][0]["v"] == sum(row.get("y", 0) * row.get("margin", 0) for row in rows.values())
    table = list(csv.DictReader(io.StringIO(export(made, "obp-csv"))))
    assert len(table) == len(draws) and {row["item_id"]: row["action"] for row in table} == {"0": "milk", "1": "nothing", "2": "tea"}
    clicked = [row for row in table if row["click"] == "1"]
    assert clicked and all(row["action"] != "nothing" and row["position"] == "1" for row in clicked)
    table = list(csv.DictReader(io.StringIO(export(made, "csv"))))
    db = os.path.join(made.folder, "hq.db")
    if not os.path.exists(db):
        made.replay("sqlite:" + db)
    view = sqlite3.connect(db).execute("SELECT decision, action, p, drawn, shown, y FROM settled").fetchall()
    ours = [(row["decision"], row["action"], float(row["p"]), int(row["drawn"]), int(row["shown"] or 0), int(row["y"]) if row["y"] else None)
            for row in table]
    assert sorted(map(repr, ours)) == sorted(map(repr, view))
    export(made, "xml", code=64)


def test_what_is_no_record_is_told_with_its_line():
    made = days()
    bad = os.path.join(made.folder, "bad.jsonl")
    with open(made.records_path) as f, open(bad, "w") as to:
        to.write(f.readline() + '{"store":"0042"}\n')
    for path, code, said in ((bad, 65, "bad.jsonl:2:1: no record, expected a line of replay --outcomes"), (bad + ".jsonl", 74, "No such file"),
                             ("nowhere", 65, "cannot read from nowhere, expected sqlite:FILE")):
        done = subprocess.run(AISLECTL + ["export", "--format", "csv", "--from", path], capture_output=True, text=True)
        assert done.returncode == code and said in done.stderr, (done.returncode, done.stderr)


if __name__ == "__main__":
    main([
        test_the_value_of_a_candidate_is_what_the_formulas_make_of_the_records,
        test_the_policy_itself_is_worth_what_it_earned,
        test_a_database_and_a_file_of_records_tell_the_same,
        test_what_was_never_drawn_is_refused_or_widens,
        test_too_few_draws_are_no_figure,
        test_events_that_make_other_decisions_leave_the_records_out,
        test_draws_are_exported_for_other_tools,
        test_what_is_no_record_is_told_with_its_line,
    ])
