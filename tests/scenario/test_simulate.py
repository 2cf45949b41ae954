#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Policies over the same recorded days, with customers whose truth is stated: sums that can be made by hand."""
import json
import math
import os
import re
import shutil
import subprocess

import policy
from store import AISLECTL, main
from test_outcomes import Recording, advice

CUSTOMERS = [f"{n:02x}" * 16 for n in range(1, 5)]
ONE = {"placements": {"tablet": {"slots": 1}}}
OFFER = {**policy.OFFER, "personal": False, "on": ["aisle.basket.item-added"], "propensity": 0.5, "incremental": 0.5,
         "caps": [], "treatments": [{"treatment": "plain", "language": "en", "headline": "Coffee"}]}
del OFFER["eligible"], OFFER["applicable"]


class Days:
    """Two stores. Customer n comes n times to the first, and once to the second; so does a stranger."""

    def __init__(self):
        self.recordings = {}
        for store in ("0001", "0002"):
            made = Recording([advice("milk", 200)])
            for n, customer in enumerate(CUSTOMERS, 1):
                made.tell(20, 0, "consent.changed", {"subject": customer, "purpose": "profile", "state": "granted"}, "care")
                for visit in range(n if store == "0001" else 1):
                    made.sell(21, 600 * n + 60 * visit, f"{n}-{visit}", ["bread"], customer)
            made.sell(21, 6000, "stranger", ["bread"])
            self.recordings[store] = made
        self.folder = next(iter(self.recordings.values())).folder
        self.files = []
        for store, made in self.recordings.items():
            self.files.append(os.path.join(self.folder, store + ".jsonl"))
            with open(self.files[-1], "w") as f:
                f.write("\n".join(made.lines).replace("/store/0042/", f"/store/{store}/") + "\n")

    def bundle(self, name, actions, **patch):
        folder = os.path.join(self.folder, "of-" + name)
        os.makedirs(folder, exist_ok=True)
        made = policy.bundle(folder, policy={**policy.POLICY, **ONE, "name": name, **patch}, actions=actions)
        return shutil.move(made, os.path.join(self.folder, name + ".bundle"))

    def run(self, bundles, model=None, *more, code=0, text=False):
        words = ["simulate", "--policies", ",".join(bundles), *more, *self.files]
        if model is not None:
            path = os.path.join(self.folder, "model.json")
            with open(path, "w") as f:
                json.dump(model, f)
            words += ["--model", path]
        done = subprocess.run(AISLECTL + words + ([] if text else ["--json"]), capture_output=True, text=True)
        assert done.returncode == code, (done.returncode, done.stderr)
        self.said = done.stderr
        return done.stdout if text or code else json.loads(done.stdout)


MADE = {}


def days():
    if not MADE:
        MADE["days"] = Days()
    return MADE["days"]


def surely(p1, p0, **more):
    return {"actions": {"coffee-off": {"p1": p1, "p0": p0}, "milk": {"p1": p1, "p0": p0}}, **more}


def test_who_is_willing_with_the_card_alone_brings_its_margin_and_costs_the_discount():
    made = days()
    bundle = made.bundle("offer", [OFFER])
    told = made.run([bundle], surely(1, 0))
    one = told["policies"][0]
    assert told["stores"] == 2 and told["visits"] == 16 and told["known_customers"] == 4, told
    # A card a visit: 16 of them; 10 % of 450 is our cost, the margin 180.
    assert one["cards"] == 16 and one["discounts"] == 16 * 45 and math.isclose(one["margin"]["is"], 16 * (180 - 45)), one
    assert one["actions"] == [{"action": "coffee-off", "cards": 16, "came": 16, "margin": 16 * 135, "discounts": 16 * 45}]
    # Who would have come anyway has the discount for nothing; who never comes costs nothing.
    one = made.run([bundle], surely(1, 1))["policies"][0]
    assert math.isclose(one["margin"]["is"], -16 * 45) and one["discounts"] == 16 * 45, one
    one = made.run([bundle], surely(0, 0))["policies"][0]
    assert one["margin"]["is"] == 0 == one["discounts"] and one["actions"][0]["came"] == 0, one
    one = made.run([bundle], {"actions": {"coffee-off": {"p1": 1, "p0": 0, "margin": 1000}}})["policies"][0]
    assert math.isclose(one["margin"]["is"], 16 * (1000 - 45)), one


def test_attention_is_counted_by_customer_over_all_stores():
    made = days()
    one = made.run([made.bundle("offer", [OFFER])], surely(0, 0))["policies"][0]
    # 2, 3, 4 and 5 cards.
    cards = [2, 3, 4, 5]
    mean = sum(cards) / 4
    gini = sum(abs(a - b) for a in cards for b in cards) / (2 * 16 * mean)
    assert math.isclose(one["cards_a_customer"], mean) and math.isclose(one["gini"], gini) and one["unserved"] == 0, one
    late = {**OFFER, "applicable": {">": [{"var": "basket_total"}, 1000]}}
    told = made.run([made.bundle("offer", [OFFER]), made.bundle("silent", [advice("milk", 200), late], interrupt=60)], surely(0, 0))
    silent = told["policies"][1]
    assert silent["unserved"] == 1 and silent["gini"] == 0 and silent["cards"] == 0, silent
    assert silent["never_speak"] == ["coffee-off", "milk"] and silent["less_first"]["is"] == 0, silent


def test_policies_are_compared_by_the_same_customers():
    made = days()
    both = [made.bundle("milk", [advice("milk", 200)]), made.bundle("offer", [OFFER])]
    told = made.run(both, surely(1, 0))
    first, second = told["policies"]
    assert math.isclose(first["margin"]["is"], 16 * 200) and first["less_first"] == {"is": 0, "low": 0, "high": 0}, first
    assert math.isclose(second["less_first"]["is"], 16 * (135 - 200)), second
    assert second["less_first"]["low"] < second["less_first"]["is"] < second["less_first"]["high"]


def test_without_a_model_all_comes_as_promised_on_average():
    made = days()
    one = made.run([made.bundle("offer", [OFFER])])["policies"][0]
    assert math.isclose(one["expected"], one["promised"]) and math.isclose(one["promised"], 16 * (0.5 * 135 - 0.25 * 180)), one
    half = made.run([made.bundle("offer", [OFFER])], {"others": {"lambda": 0.5}})["policies"][0]
    assert half["promised"] == one["promised"] and half["expected"] < one["expected"], half


def test_each_card_makes_the_next_one_weaker():
    made = days()
    one = made.run([made.bundle("milk", [advice("milk", 200)])],
                   {"actions": {"milk": {"p1": 0.5, "p0": 0.5}}, "weariness": {"card": 1, "half_life": "1000d"}})["policies"][0]
    # By visit n of a customer at a store, and the one at the second store that begins anew: 1 / (1 + exp(n)) less a half.
    seen = [n for count in (1, 2, 3, 4, 1, 1, 1, 1, 1, 1) for n in range(count)]
    truth = sum(200 * (1 / (1 + math.exp(n)) - 0.5) for n in seen)
    assert math.isclose(one["expected"], truth, rel_tol=1e-3), (one["expected"], truth)


def test_what_is_accepted_is_paid_and_counts_in_budgets():
    made = days()
    bundle = made.bundle("budget", [{**OFFER, "budget": {"units": 3, "per": "store-day"}}])
    one = made.run([bundle], surely(1, 0))["policies"][0]
    assert one["cards"] == 6 == one["actions"][0]["came"], one
    one = made.run([bundle], surely(0, 0))["policies"][0]
    assert one["cards"] == 16, one
    # Once a customer and year, by what was redeemed.
    bundle = made.bundle("cap", [{**OFFER, "caps": [{"per": "customer", "outcome": "redeemed", "max": 1, "within": "365d"}]}])
    one = made.run([bundle], surely(1, 0))["policies"][0]
    assert one["cards"] == 4 + 4 + 2, one


def test_who_says_no_is_left_alone():
    made = days()
    once = {"contact.json": {"suppress": [{"after": {"outcome": "dismissed", "count": 1, "within": "30d"}, "scope": "all", "for": "30d"}]}}
    folder = os.path.join(made.folder, "no")
    os.makedirs(folder, exist_ok=True)
    bundle = policy.bundle(folder, policy={**policy.POLICY, **ONE, "name": "no"}, actions=[advice("milk", 200)], extra=once)
    assert made.run([bundle], surely(0, 0, dismiss=1))["policies"][0]["cards"] == 4 + 4 + 2
    assert made.run([bundle], surely(0, 0, dismiss=0))["policies"][0]["cards"] == 16


def test_the_same_seed_is_the_same_to_the_byte_however_many_work_on_it():
    made = days()
    both = [made.bundle("milk", [advice("milk", 200)]), made.bundle("offer", [OFFER])]
    model = {"spread": 0.7, "dismiss": 0.3, "weariness": {"card": 0.3, "half_life": "7d"}}
    pages = [os.path.join(made.folder, f"page{n}.html") for n in range(3)]
    told = [made.run(both, model, "--jobs", str(jobs), "--seed", "5", "-o", page) for jobs, page in zip((1, 3, 2), pages)]
    assert told[0] == told[1] == told[2]
    texts = [open(page).read() for page in pages]
    assert texts[0] == texts[1] == texts[2]
    assert told[0]["policies"] != made.run(both, model, "--seed", "6")["policies"]
    page = texts[0]
    assert "<h1>Simulated days</h1>" in page and page.count("<svg") == 3 and "milk 1" in page and "offer 1" in page
    assert not re.search(r'(src|href)=|https?:|<script|url\(', page), "the page asks for something"
    table = made.run(both, model, "--seed", "5", text=True)
    assert "2 stores, 2 days, 16 visits, 4 known customers; EUR, seed 5" in table and "never speak" in table, table


def test_mistakes_are_told():
    made = days()
    bundle = made.bundle("milk", [advice("milk", 200)])
    for model, said in (({"weary": 1}, '"weary" of "model" is unknown'), ({"spread": -1}, '"spread", expected a number from 0 to 5'),
                        ({"actions": {"milk": {"p1": 2, "p0": 0}}}, '"p1", expected a number from 0 to 1'),
                        ({"weariness": {"card": 1, "half_life": 7}}, '"half_life", expected a duration')):
        made.run([bundle], model, code=65)
        assert said in made.said, made.said
    made.run([os.path.join(made.folder, "none.bundle")], code=66)
    made.run([bundle], None, made.files[0], code=64)
    assert "is there twice" in made.said, made.said
    bad = os.path.join(made.folder, "a store.jsonl")
    shutil.copy(made.files[0], bad)
    made.run([bundle], None, bad, code=64)
    assert "called like its store" in made.said, made.said
    wrong = os.path.join(made.folder, "0009.jsonl")
    with open(wrong, "w") as f:
        f.write("no events\n" * 3)
    made.run([bundle], None, wrong, code=65)
    assert "store 0009 under" in made.said and "no event of this file" in made.said, made.said
    with open(wrong, "w") as f:
        f.write("no event\n" + open(made.files[0]).read())
    made.run([bundle, made.bundle("other", [advice("milk", 100)])], None, wrong)
    assert made.said.count("0009.jsonl: 1 set aside, first in line 1") == 1, made.said


if __name__ == "__main__":
    main([
        test_who_is_willing_with_the_card_alone_brings_its_margin_and_costs_the_discount,
        test_attention_is_counted_by_customer_over_all_stores,
        test_policies_are_compared_by_the_same_customers,
        test_without_a_model_all_comes_as_promised_on_average,
        test_each_card_makes_the_next_one_weaker,
        test_what_is_accepted_is_paid_and_counts_in_budgets,
        test_who_says_no_is_left_alone,
        test_the_same_seed_is_the_same_to_the_byte_however_many_work_on_it,
        test_mistakes_are_told,
    ])
