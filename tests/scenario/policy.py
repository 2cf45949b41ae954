# SPDX-License-Identifier: Apache-2.0
"""Policies and profiles of the tests' own, written only from the published format."""
import copy
import json
import os
import subprocess

from store import AISLECTL

SALTS = {"id": "c0ffee00" * 8, "control": "0badcafe" * 8, "explore": "feedface" * 8}

POLICY = {"name": "test", "version": 1, "currency": "EUR", "languages": ["en", "de"], "salts": SALTS,
          "placements": {"tablet": {"slots": 2, "headline_max": 48, "body_max": 120}},
          "explore": "greedy", "interrupt": 3, "quiet": {"tender": True}}


def feature(name, source, kind="number", **more):
    return {"name": name, "type": kind, "from": source, **more}


FEATURES = [
    feature("tier", "profile.tier", "string", default="none"),
    feature("coffee_spend", "local.sum(category=grocery/coffee, half_life=30d)"),
    feature("visits", "local.visits()"),
    feature("basket_coffee", "basket.sum(category=grocery/coffee)"),
    feature("basket_total", "basket.total()"),
    feature("known", "visit.known", "bool"),
    feature("voids", "visit.voids"),
]

OFFER = {"action": "coffee-off", "kind": "offer", "issue": "grow", "group": "coffee",
         "on": ["aisle.customer.identified", "aisle.basket.item-added"],
         "eligible": {"in": [{"var": "tier"}, ["gold", "silver"]]},
         "applicable": {"==": [{"var": "basket_coffee"}, 0]},
         "propensity": 0.4, "incremental": 0.5, "margin": 180, "outcome": {"is": "redeemed", "within": "0d"},
         "offer": {"type": "percent", "depth": 10, "typical": 450, "max": 300, "apply": "till-code",
                   "include": {"category": "grocery/coffee"}},
         "placements": ["tablet"], "gate": "associate", "expires": "120s",
         "caps": [{"per": "customer", "outcome": "shown", "max": 3, "within": "7d"}],
         "treatments": [{"treatment": "plain", "language": "en", "headline": "{{depth}} % off any coffee today",
                         "say": "Would you like {{depth}} % off your coffee?", "why": ["A gold customer"]},
                        {"treatment": "einfach", "language": "de", "headline": "{{depth}} % auf Kaffee",
                         "why": ["Goldkunde"]}]}

ENROL = {"action": "enrol", "kind": "inform", "issue": "grow", "group": "loyalty", "on": ["aisle.basket.item-added"],
         "personal": False, "eligible": {"!": {"var": "known"}}, "applicable": {">": [{"var": "basket_total"}, 1000]},
         "propensity": 0.2, "incremental": 1, "margin": 100, "outcome": {"is": "none"}, "placements": ["tablet"],
         "gate": "none", "expires": "60s",
         "treatments": [{"treatment": "plain", "language": "en", "headline": "Ask: would they like a card?",
                         "say": "Would you like a card? You save today."}]}


def write(folder, policy=None, features=None, actions=None, extra=None):
    """A policy folder; extra: further files by relative name."""
    os.makedirs(os.path.join(folder, "actions"), exist_ok=True)
    files = {"policy.json": policy or POLICY, "features.json": {"features": features or FEATURES}}
    for action in actions if actions is not None else [OFFER, ENROL]:
        files[f"actions/{action['action']}.json"] = action
    files.update(extra or {})
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
    return folder


def bundle(folder, **what):
    """Writes and builds; the bundle's path."""
    source = os.path.join(folder, "policy-source")
    write(source, **what)
    out = os.path.join(folder, "policy.bundle")
    done = subprocess.run(AISLECTL + ["bundle", "build", source, "-o", out], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


def profiles(folder, rows, store="0042", pepper=None):
    source = os.path.join(folder, "profiles.jsonl")
    with open(source, "w") as f:
        for row in rows or [{"card": "9999999999999999"}]:  # a set of nobody is refused: somebody whom no test knows
            f.write(json.dumps(row) + "\n")
    out = os.path.join(folder, "profiles.bundle")
    done = subprocess.run(AISLECTL + ["profiles", "build", source, "--store", store, "-o", out]
                          + (["--pepper", pepper] if pepper else []), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


GOLD = {"card": "4000123412341234", "language": "en", "line": "Gold · 6th visit this month",
        "consent": {"personalise": "granted", "profile": "granted", "contact": "granted"}, "attributes": {"tier": "gold"}}


def changed(base, **members):
    copied = copy.deepcopy(base)
    copied.update(members)
    return copied
