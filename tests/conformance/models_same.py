#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# models_same.py - the reference models: made anew they are the same bytes, in a policy they pass,
# and the store serves what the cards measured.
#
# Needs Debian's python3-xgboost, python3-pandas, python3-sklearn; leaves with 77 (skipped) without them.

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import pandas as pd
    import sklearn  # noqa: F401
    import xgboost as xgb
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
os.environ.setdefault("BUILD", os.path.join(ROOT, "build"))
MODELS = os.path.join(ROOT, "models")
REFERENCE = os.path.join(MODELS, "reference")
TRAINING = os.path.join(MODELS, "training")
PAGES = [os.path.join(MODELS, "README.md"), os.path.join(ROOT, "docs", "models.md")]
sys.path.insert(0, TRAINING)
import events  # noqa: E402
import features  # noqa: E402
import fit  # noqa: E402
import journey  # noqa: E402
import labels  # noqa: E402

AISLECTL = features.AISLECTL
HOUSEHOLDS_EVERY = 40  # of all, in the test of what is served


def files(folder):
    return sorted(os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names)


def differing(a, b):
    """Names of files that are not the same, or only in one."""
    only, both = set(files(a)) ^ set(files(b)), set(files(a)) & set(files(b))
    return sorted(only) + [f for f in sorted(both)
                           if not filecmp.cmp(os.path.join(a, f), os.path.join(b, f), shallow=False)]


def make(work, name):
    """A training of its own process, as make models runs it."""
    folder, pages = os.path.join(work, name), [os.path.join(work, f"{name}-{n}.md") for n in range(len(PAGES))]
    for page, copy in zip(PAGES, pages):
        shutil.copy(page, copy)
    subprocess.run([sys.executable, os.path.join(TRAINING, "train.py"), folder, *pages], check=True)
    return folder, pages


def laid_over_the_starter(work, name):
    folder = os.path.join(work, name)
    shutil.copytree(os.path.join(MODELS, "starter"), folder)
    shutil.copy(os.path.join(REFERENCE, "features.json"), folder)
    for file in os.listdir(os.path.join(REFERENCE, "models")):
        shutil.copy(os.path.join(REFERENCE, "models", file), os.path.join(folder, "models"))
    return folder


def aislectl(*words):
    return subprocess.run([AISLECTL, *words], capture_output=True, text=True)


def merged(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merged(out.get(key), value)
    return out


def bundle_of(folder):
    check = aislectl("policy", "check", folder)
    assert check.returncode == 0, check.stdout + check.stderr
    built = aislectl("bundle", "build", folder, "-o", folder + ".bundle")
    assert built.returncode == 0, built.stdout + built.stderr
    return folder + ".bundle"


def test_made_twice_they_are_the_same_and_those_that_are_shipped(work):
    (first, pages), (second, others) = make(work, "first"), make(work, "second")
    assert differing(first, second) == [], differing(first, second)
    assert differing(first, REFERENCE) == [], differing(first, REFERENCE)
    for page, other, shipped in zip(pages, others, PAGES):
        assert filecmp.cmp(page, other, shallow=False)
        assert filecmp.cmp(page, shipped, shallow=False), f"the table of {shipped} is another"


def test_the_shipped_folder_laid_over_the_starter_passes_its_exam(work):
    bundle = bundle_of(laid_over_the_starter(work, "whole"))
    examined = aislectl("bundle", "examine", bundle)
    assert examined.returncode == 0, examined.stdout + examined.stderr
    with open(os.path.join(REFERENCE, "models", "models.json")) as f:
        assert examined.stdout.count("exam rows agree") == len(json.load(f)["models"])


def test_a_margin_that_is_off_by_its_last_bit_fails_the_exam(work):
    folder = laid_over_the_starter(work, "off")
    path = os.path.join(folder, "models", "next-milk.exam.csv")
    with open(path) as f:
        lines = f.read().splitlines()
    row, margin = lines[-1].rsplit(",", 1)
    lines[-1] = f"{row},{float(np.nextafter(np.float32(margin), np.float32(9)))!r}"
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    built = aislectl("bundle", "build", folder, "-o", folder + ".bundle")
    assert built.returncode != 0 or aislectl("bundle", "examine", folder + ".bundle").returncode != 0


def test_the_policy_line_of_every_card_builds(work):
    found = 0
    for name in sorted(os.listdir(os.path.join(REFERENCE, "cards"))):
        if not name.endswith(".md"):
            continue
        with open(os.path.join(REFERENCE, "cards", name)) as f:
            lines = re.findall(r"In `([a-z/.-]+)`:\n\n```json\n(.*)\n```", f.read())
        for number, (file, patch) in enumerate(lines):
            folder = laid_over_the_starter(work, f"card-{name[:-3]}-{number}")
            path = os.path.join(folder, file)
            with open(path) as f:
                action = merged(json.load(f), json.loads(patch))
            with open(path, "w") as f:
                json.dump(action, f)
            assert aislectl("bundle", "examine", bundle_of(folder)).returncode == 0
            found += 1
    assert found == 7, f"{found} cards say how to use their model, expected 7"


# ---- what is served ----

def few(j):
    households = np.sort(j.baskets["household"].unique())[::HOUSEHOLDS_EVERY]
    kept = [frame[frame["household"].isin(households)].reset_index(drop=True)
            for frame in (j.lines, j.baskets, j.targets, j.redemptions)]
    return journey.Journey(*kept, j.households)


def served(work):
    j = few(journey.load())
    path = os.path.join(work, "events.jsonl")
    events.write(path, j, labels.look_days(j))
    return j, features.rows(work, path, bundle_of(laid_over_the_starter(work, "served")))


def margins_of_linear(model, rows, names):
    """As docs/authoring-a-policy.md says that such a file is read."""
    total = np.full(len(rows), model["bias"])
    for name, weight in model["weights"].items():
        values = rows[names.get(name, name)].astype(float)
        if name in model.get("log1p", []):
            values = np.sign(values) * np.log1p(values.abs())
        total = total + weight * values.fillna(model["missing"][name]).to_numpy()
    return total


def margins_by_library(entry, rows):
    names = entry.get("inputs", {})
    path = os.path.join(REFERENCE, "models", entry["file"])
    if path.endswith(".linear.json"):
        with open(path) as f:
            return margins_of_linear(json.load(f), rows, names)
    booster = xgb.Booster(model_file=path)
    x = rows[[names.get(n, n) for n in booster.feature_names]].to_numpy(dtype=np.float32)
    return booster.predict(xgb.DMatrix(x, feature_names=booster.feature_names), output_margin=True).astype(float)


def test_the_store_serves_the_chance_that_the_card_measured(work):
    _, rows = served(work)
    with open(os.path.join(REFERENCE, "models", "models.json")) as f:
        entries = {m["model"]: m for m in json.load(f)["models"]}
    for feature, model in (("lapse", "lapse"), ("absent40", "absent40"), ("trade_up", "trade-up"), ("value", "value")):
        margin = margins_by_library(entries[model], rows)
        want = fit.calibrated(entries[model]["calibration"], margin) if "calibration" in entries[model] else np.exp(margin)
        assert len(rows) > 1000 and rows[feature].notna().all()
        assert np.allclose(rows[feature], want, rtol=2e-6, atol=0), model


def decided(work, group):
    """The chance that a customer without a history redeems the coffee coupon of an action of this group."""
    folder, path = laid_over_the_starter(work, group), os.path.join(work, group + ".jsonl")
    file = os.path.join(folder, "actions", "coffee-off.json")
    with open(file) as f:
        patch = {"group": group, "propensity": {"model": "coupon"}, "eligible": True, "applicable": True}
        action = merged(json.load(f), patch)
    with open(file, "w") as f:
        json.dump(action, f)
    at = pd.Timestamp("2017-03-01 10:00")
    told = [event for _, _, of in events.consents([1], at) for event in of]
    told += [("basket.opened", "o", {"basket": "1", "terminal": "1"}),
             ("customer.identified", "i", {"subject": events.subject(1), "basket": "1", "station": "1"})]
    with open(path, "w") as f:
        f.writelines(json.dumps(events.envelope(kind, number, at, data)) + "\n" for kind, number, data in told)
    replayed = aislectl("replay", "--bundle", bundle_of(folder), "--events", path)
    assert replayed.returncode == 0, replayed.stderr
    return float(re.search(r'"action":"coffee-off",.*?"p1":([0-9.e-]+)', replayed.stdout)[1])


def test_the_store_asks_the_coupon_model_for_the_kind_of_the_action(work):
    with open(os.path.join(REFERENCE, "models", "coupon.linear.json")) as f:
        weights = json.load(f)["weights"]
    a, c = (decided(work, kind) for kind in ("campaign-a", "campaign-c"))
    want = weights["campaign_kind=campaign-a"] - weights["campaign_kind=campaign-c"]
    assert want > 0 and abs(np.log(a / (1 - a)) - np.log(c / (1 - c)) - want) < 1e-9, (a, c, want)


def test_a_row_knows_what_was_bought_before_it_and_nothing_later(work):
    j, rows = served(os.path.join(work, "again"))
    of = {events.subject(h): b for h, b in j.baskets.groupby("household")}
    when = pd.to_datetime(rows["time"]).dt.tz_localize(None)
    for at, row in zip(when, rows.itertuples()):
        bought = of.get(row.subject)
        past = bought[bought["ts"] < at] if bought is not None else j.baskets.iloc[:0]
        recent = past[past["ts"] > at - pd.Timedelta(days=90)]
        assert row.visits == len(past) and row.spend_90d == recent["amount"].sum(), row
        if len(past) > 0:
            assert abs(row.recency - (at - past["ts"].max()) / pd.Timedelta(days=1)) < 1e-9, row


def main():
    failed = passed = 0
    wanted = sys.argv[1:]
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (wanted and not any(w in name for w in wanted)):
            continue
        with tempfile.TemporaryDirectory(prefix="models-", dir=features.BUILD) as work:
            os.makedirs(os.path.join(work, "again"))
            try:
                test(work)
                passed += 1
            except (AssertionError, SystemExit, subprocess.CalledProcessError) as why:
                failed += 1
                print(f"not ok {name}: {why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
