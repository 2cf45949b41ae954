#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl hq shrink: from what settled to a file that a policy takes, and what the store makes of it."""
import json
import math
import os
import shutil
import subprocess
import tempfile

import policy
from settling import Settled
from store import AISLECTL, main

FOLDER = tempfile.mkdtemp(prefix="aisle-shrink-")


def ctl(*words, code=0):
    done = subprocess.run([*AISLECTL, *words], capture_output=True, text=True)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def shrink(source, *words, code=0):
    out = FOLDER + "/shrink.json"
    said = ctl("hq", "shrink", "--from", source, "-o", out, *words, code=code)
    if code:
        return said, None
    with open(out, encoding="utf-8") as f:
        return said, json.load(f)["shrink"]


def logit(p):
    return math.log(p / (1 - p))


def means(pairs):
    return (sum((logit(a) + logit(b)) / 2 for a, b in pairs) / len(pairs), sum(logit(a) - logit(b) for a, b in pairs) / len(pairs))


def near(got, want):
    assert abs(got - want) < 1e-9, (got, want)


def test_noise_is_taken_off_and_what_is_right_is_left():
    settled = Settled(1)
    settled.noisy("right", 4000, 0)
    settled.noisy("noisy", 4000, 0.6)
    said, made = shrink(settled.write(FOLDER + "/two.db"))
    assert set(made) == {"right", "noisy"}, made
    for action, pairs in settled.counts.items():
        mid, d = means(pairs)
        near(made[action]["mid"], mid)
        near(made[action]["d"], d)
        assert made[action]["rows"] == 4000 and made[action]["from"] == "settled", made
        assert abs(made[action]["delta"]) < 0.25 and abs(made[action]["a"]) < 0.25, made
    # 0.4² of 0.4² + 2·0.6² is signal
    assert made["right"]["lambda"] > 0.5 > 0.45 > made["noisy"]["lambda"] > 0, made
    assert "right: 4000 rows, 4000 randomised" in said, said


def test_only_what_could_have_gone_either_way_counts_and_without_it_there_is_the_default():
    settled = Settled(2)
    settled.noisy("sure", 600, 0.3, p=1)
    kept = [dict(settled.counts)["sure"]]
    settled.noisy("mixed", 700, 0.3)
    pairs = list(settled.counts["mixed"])
    # Another card of the group, nothing that a line tells of, and a chance of none: not among those that are estimated from.
    for more in ({"other": True, "shown": False}, {"p": 0}, {"y": None}):
        settled.noisy("mixed", 50, 0.3, **more)
    settled.counts["mixed"] = pairs
    # Withheld is untreated, whatever else was shown.
    settled.noisy("mixed", 40, 0.3, withheld=True, other=True, shown=False)
    for _ in range(30):
        settled.record([{"action": "constant", "p": 1, "p1": 0.2, "p0": 0.1, "shown": True, "other": False, "y": 1, "drawn": True}])
    settled.record([{"action": "broken", "p": 2, "p1": 0.2, "p0": 0.1}])
    said, made = shrink(settled.write(FOLDER + "/mixed.db"))
    assert set(made) == {"sure", "mixed"}, made
    assert made["sure"]["from"] == "default" and made["sure"]["lambda"] == 0.7 and made["sure"]["rows"] == 600, made
    near(made["sure"]["d"], means(kept[0])[1])
    assert made["mixed"]["rows"] == 740 and made["mixed"]["from"] == "settled", made
    near(made["mixed"]["mid"], means(settled.counts["mixed"])[0])
    assert "constant: 30 rows, none randomised, and no second model: left out" in said, said


def test_a_single_action_with_little_behind_it_gets_the_default():
    settled = Settled(3)
    settled.noisy("few", 300, 0.3)
    _, made = shrink(settled.write(FOLDER + "/few.db"))
    assert made["few"]["from"] == "default" and made["few"]["lambda"] == 0.7, made


def test_since_leaves_older_rows_out():
    settled = Settled(4)
    settled.noisy("a", 200, 0.3)
    source = settled.write(FOLDER + "/since.db")
    assert shrink(source, "--since", "2026-10-05")[1]["a"]["rows"] == 200
    said, _ = shrink(source, "--since", "2026-10-06", code=65)
    assert "nothing has settled" in said, said
    shrink(source, "--since", "May", code=64)
    shrink("sqlite:/nonexistent/x.db", code=74)
    ctl("hq", "shrink", "--from", source, code=64)


def test_the_policy_takes_it_and_gains_are_made_of_it():
    settled = Settled(5)
    settled.noisy("coffee-off", 3000, 0.6)
    _, made = shrink(settled.write(FOLDER + "/policy.db"))
    with open(FOLDER + "/shrink.json", encoding="utf-8") as f:
        text = f.read()
    offer = policy.changed(policy.OFFER, eligible=True, personal=False, applicable=True)
    source = policy.write(FOLDER + "/p", actions=[offer], extra={"shrink.json": text})
    assert "warning" not in ctl("policy", "check", source)
    event = {"specversion": "1.0", "id": "e1", "source": "/till/7", "topic": "pos/7/event", "type": "aisle.basket.opened", "time": "2026-11-21T10:00:00.000Z",
             "data": {"basket": "b", "terminal": "7"}}
    item = {**event, "id": "e2", "type": "aisle.basket.item-added", "time": "2026-11-21T10:00:01.000Z",
            "data": {"basket": "b", "line": 1, "sku": "1", "category": "grocery/tea", "qty": 1, "amount": 200, "currency": "EUR"}}
    with open(FOLDER + "/e.jsonl", "w", encoding="utf-8") as f:
        f.write("".join(json.dumps(e) + "\n" for e in (event, item)))
    bundle = policy.bundle(FOLDER, actions=[offer], extra={"shrink.json": text})
    told = [json.loads(line) for line in ctl("replay", "--events", FOLDER + "/e.jsonl", "--bundle", bundle).splitlines() if '"candidates"' in line]
    one = next(c for d in told for c in d["candidates"] if "p1" in c)
    by, l1, l0 = made["coffee-off"], logit(0.4), logit(0.2)
    middle = by["mid"] + by["a"] + by["beta"] * ((l1 + l0) / 2 - by["mid"])
    effect = by["d"] + by["delta"] + by["lambda"] * (l1 - l0 - by["d"])
    near(one["p1"], 1 / (1 + math.exp(-middle - effect / 2)))
    near(one["p0"], 1 / (1 + math.exp(-middle + effect / 2)))
    near(one["gain"], one["p1"] * (one["margin"] - one["cost"]) - one["p0"] * one["margin"])


def test_last():
    shutil.rmtree(FOLDER, ignore_errors=True)
    assert not os.path.exists(FOLDER)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
