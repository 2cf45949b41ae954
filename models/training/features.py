# SPDX-License-Identifier: Apache-2.0
"""What the models look at, declared as a policy declares it, and its values by `aislectl features`.

Nothing here computes a feature: the rows are made by the engine that serves.
Two exceptions: coupons_redeemed_90d, an attribute that headquarters sends with a
profile, which labels.py counts as headquarters would, up to the day before; and
campaign_kind, the group of the action that is decided on, which a row has none of.
"""
import json
import os
import shutil
import subprocess

import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
STARTER = os.path.join(HERE, "..", "starter")
BUILD = os.environ.get("BUILD", os.path.join(HERE, "..", "..", "build"))
AISLECTL = os.path.join(BUILD, "aislectl")

CATEGORIES = {
    "soft-drinks": "grocery/soft-drinks",
    "milk": "grocery/fluid-milk-products",
    "bread": "grocery/baked-bread-buns-rolls",
    "cheese": "grocery/cheese",
    "snacks": "grocery/bag-snacks",
    "dinners": "grocery/frzn-meat-meat-dinners",
    "beef": "meat/beef",
    "yogurt": "grocery/yogurt",
    "soup": "grocery/soup",
    "pizza": "grocery/frozen-pizza",
    "cereal": "grocery/cold-cereal",
    "coffee": "grocery/coffee",
}
# Of each category; the shared next-category model knows them without the category's name.
OF_CATEGORY = {
    "visits_180d": "local.visits(category=%s, within=180d)",
    "visits_90d": "local.visits(category=%s, within=90d)",
    "recency": "local.recency(category=%s)",
    "overdue": "local.overdue(category=%s)",
}
# Windows, never "since ever": a sum since ever grows with the store's memory and leaves the range of its training.
OF_HOUSEHOLD = {
    "weekday": "time.weekday",
    "visits_28d": "local.visits(within=28d)",
    "visits_90d": "local.visits(within=90d)",
    "spend_28d": "local.total(within=28d)",
    "spend_90d": "local.total(within=90d)",
    "lines_90d": "local.lines(within=90d)",
    "house_lines_90d": "local.count(brand=house, within=90d)",
    "produce_lines_90d": "local.count(category=produce, within=90d)",
    "meat_lines_90d": "local.count(category=meat, within=90d)",
    "contacts_90d": "history.count(all, outcome=shown, within=90d)",
}


def category_feature(name, what):
    return f"{name.replace('-', '_')}_{what}"


def starter_features():
    with open(os.path.join(STARTER, "features.json")) as f:
        return json.load(f)["features"]


def meaning(feature):
    """All but what is said of it on a card."""
    return {key: value for key, value in feature.items() if key != "reason"}


def declared():
    """The starter's features, then those the models add. Equal names must mean the same."""
    found = {f["name"]: f for f in starter_features()}
    more = [{"name": n, "type": "number", "from": source} for n, source in OF_HOUSEHOLD.items()]
    more.append({"name": "coupons_redeemed_90d", "type": "number", "from": "profile.coupons_redeemed_90d", "default": 0})
    more.append({"name": "campaign_kind", "type": "string", "from": "action.group"})
    more += [{"name": category_feature(n, what), "type": "number", "from": source % category}
             for n, category in CATEGORIES.items() for what, source in OF_CATEGORY.items()]
    for feature in more:
        if meaning(found.setdefault(feature["name"], feature)) != feature:
            raise SystemExit(f"feature {feature['name']} is the starter's, and another one")
    return list(found.values())


def aislectl(*words):
    done = subprocess.run([AISLECTL, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"aislectl {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def write_policy(folder, features):
    """The least policy that declares these features: one silent action."""
    os.makedirs(os.path.join(folder, "actions"), exist_ok=True)
    shutil.copy(os.path.join(STARTER, "policy.json"), folder)
    with open(os.path.join(folder, "features.json"), "w") as f:
        json.dump({"features": features}, f)
    silent = {"action": "none-such", "kind": "inform", "issue": "training", "group": "training", "personal": False,
              "on": ["aisle.basket.cancelled"], "applicable": False, "propensity": 0, "incremental": 0, "margin": 0,
              "outcome": {"is": "none", "within": "0d"}, "placements": ["tablet"], "gate": "none", "expires": "1s",
              "treatments": [{"treatment": "none", "language": "en", "headline": "none"}]}
    with open(os.path.join(folder, "actions", "none-such.json"), "w") as f:
        json.dump(silent, f)


def rows(work, events, bundle=None):
    """A table with a row for each card that was read: its event, time, and every declared feature as a number."""
    if bundle is None:
        # The score of a model that is yet to be trained is no feature of its training.
        plain = [f for f in declared() if not f["from"].startswith("model.")]
        write_policy(os.path.join(work, "policy"), plain)
        bundle = os.path.join(work, "training.bundle")
        aislectl("bundle", "build", os.path.join(work, "policy"), "-o", bundle)
    out = os.path.join(work, "rows.csv")
    aislectl("features", "--bundle", bundle, "--events", events, "--on", "aisle.customer.identified", "-o", out)
    frame = pd.read_csv(out, float_precision="round_trip", dtype={"event": str, "subject": str, "basket": str})
    for name in frame.columns:
        if frame[name].dtype == bool:
            frame[name] = frame[name].astype(float)
    return frame
