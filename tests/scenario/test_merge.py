#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl hq merge: weeks of many stores added up beside the same by hand, and whose weeks are left out."""
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import tempfile
from datetime import date, timedelta

from records import Records, bundle
from store import AISLECTL, main

FOLDER = tempfile.mkdtemp(prefix="aisle-merge-")
MONDAY = date(2026, 9, 7)
ONE = 65536


class Weeks(Records):
    def __init__(self, hash, seed):
        self.hash, self.dice, self.rows = hash, random.Random(seed), []

    def tell(self, store, week, cells, rev=0, epoch="00000000000000e1", **more):
        body = {"bundle": self.hash, "week": (MONDAY + timedelta(days=7 * week)).isoformat(), "rev": rev, "cells": cells, **more}
        self.rows.append((store, epoch, "telemetry", len(self.rows) + 1, "learner", "2026-11-21T10:00:00.000Z", json.dumps(body)))

    def cells(self, share=0.8, scale=1):
        """What a store of that share of what is expected tells."""
        found = []
        for action, p in (("coffee-off", 0.4), ("enrol", 0.2)):
            for arm in "TU":
                n = scale * self.dice.randrange(100, 200)
                found.append([action, "", arm, n, sum(self.dice.random() < p * share for _ in range(n)), n * math.floor(p * ONE)])
        return found


def merge(source, built, code=0):
    output = FOLDER + "/merged.json"
    done = subprocess.run([*AISLECTL, "hq", "merge", "--from", source, "--bundle", built, "-o", output], capture_output=True, text=True)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    merge.said = done.stdout
    if code:
        return done.stderr
    with open(output, encoding="utf-8") as f:
        return json.load(f)


def by_hand(weeks):
    """{week: [[action, segment, arm, n, y, p]]} → {(action, arm): (n, y, p)} at the end of the last."""
    held = {}
    for week in range(min(weeks), max(weeks) + 1):
        held = {key: [x - (x >> 4) for x in sums] for key, sums in held.items()}
        for action, _, arm, n, y, p in weeks.get(week, []):
            sums = held.setdefault((action, arm), [0, 0, 0])
            for i, more in enumerate((n, y * ONE, p)):
                sums[i] += more
    return {key: tuple(sums) for key, sums in held.items()}


def sums_of(merged):
    return {(c["action"], c["arm"]): (c["n"], c["y_q16"], c["p_q16"]) for c in merged["cells"]}


def test_weeks_of_stores_add_up_as_one_store_would_have_them():
    built, hash = bundle(FOLDER)
    log, weeks = Weeks(hash, 1), {}
    for store in range(5):
        for week in (0, 1, 4):      # nothing was told of two
            cells = log.cells()
            if store % 2:
                log.tell(f"{store:04d}", week, log.cells())     # what was told first is not what it came to
                log.tell(f"{store:04d}", week, cells, rev=1)
                log.tell(f"{store:04d}", week, log.cells())
            else:
                log.tell(f"{store:04d}", week, cells)
            weeks.setdefault(week, []).extend(cells)
    more = log.cells()
    log.tell("0003", 4, more, epoch="00000000000000e2")      # it was put back from a copy
    weeks[4].extend(more)
    log.tell("0004", 2, log.cells(), bundle="ff" * 32)
    log.tell("0004", 2, [["coffee-off", "", "X", 1, 1, 1]])
    log.tell("0004", 2, [["coffee-off", "", "T", -1, 1, 1]])
    log.rows.append(("0004", "00000000000000e1", "telemetry", 999, "learner", "2026-11-21T10:00:00.000Z",
                     json.dumps({"bundle": hash, "week": "2026-09-08", "rev": 0, "cells": []})))      # a Tuesday
    merged = merge(log.write(FOLDER + "/five.db"), built)
    assert sums_of(merged) == by_hand(weeks), (merged, by_hand(weeks))
    assert (merged["stores"], merged["weeks"], merged["first_week"]) == (5, 5, "2026-09-07"), merged
    assert merged["unread"] == 3 and merged["of_other_bundles"] == 1, merged
    assert merged["kappa"] != "none" and all(40000 < c["ratio_q16"] < 60000 for c in merged["cells"]), merged
    assert "coffee-off: not shown " in merge.said and "5 stores" in merge.said, merge.said
    # One store that had all of it is the same to the bit.
    one = Weeks(hash, 2)
    for week, cells in weeks.items():
        one.tell("0000", week, [[a, "", arm, *(sum(c[i] for c in cells if (c[0], c[2]) == (a, arm)) for i in (3, 4, 5))]
                                for a in ("enrol", "coffee-off") for arm in "UT"])
    alone = merge(one.write(FOLDER + "/one.db"), built)
    assert alone["cells"] == merged["cells"] and alone["score_20"] == merged["score_20"] and alone["kappa"] == merged["kappa"], (alone, merged)


def test_a_store_that_says_yes_to_everything_is_left_out_and_of_few_stores_only_named():
    built, hash = bundle(FOLDER)
    for stores in (12, 7):
        log, weeks = Weeks(hash, 3), {0: []}
        for store in range(stores - 1):
            cells = log.cells(scale=5)
            log.tell(f"{store:04d}", 0, cells)
            weeks[0].extend(cells)
        liar = [[a, s, arm, n, n, p] for a, s, arm, n, y, p in log.cells(scale=5)]
        log.tell("9999", 0, liar)
        merged = merge(log.write(f"{FOLDER}/{stores}.db"), built)
        odd = [o for o in merged["odd"] if o["store"] == "9999" and "unlike-the-others" in o["why"]]
        assert {o["arm"] for o in odd} == {"T", "U"} and all(o["z"] > 4 and o["week"] == "2026-09-07" for o in odd), merged["odd"]
        assert all(o["left_out"] == (stores == 12) for o in odd), odd
        assert sums_of(merged) == by_hand(weeks if stores == 12 else {0: weeks[0] + liar}), merged
        t = [(sum(c[4] for c in cells if c[2] == "T"), sum(c[5] for c in cells if c[2] == "T") / ONE)
             for cells in [[*weeks[0][i * 4:i * 4 + 4]] for i in range(stores - 1)] + [liar]]
        logs = [math.log((y + 1) / (p + 1)) for y, p in t]
        middle = statistics.median(logs)
        spread = (1.4826 * statistics.median(abs(x - middle) for x in logs)) ** 2 - statistics.median(1 / (p + 1) for _, p in t)
        z = (logs[-1] - middle) / math.sqrt(max(0, spread) + 1 / (t[-1][1] + 1))
        assert abs(next(o["z"] for o in odd if o["arm"] == "T") - z) < 1e-9, (odd, z)


def test_more_outcomes_than_rows_in_one_cell_is_odd():
    built, hash = bundle(FOLDER)
    log = Weeks(hash, 4)
    for store in range(9):
        log.tell(f"{store:04d}", 0, log.cells())
    bad = log.cells()
    bad[0][4] = bad[0][3] + 1
    bad[1][5] = bad[1][3] * ONE + 1
    log.tell("0009", 0, bad)
    mine = [o for o in merge(log.write(FOLDER + "/bad.db"), built)["odd"] if o["store"] == "0009"]
    assert mine and all(o["left_out"] and {"more-outcomes-than-rows", "more-expected-than-rows"} <= set(o["why"]) for o in mine), mine


def test_what_cannot_be_merged_is_said():
    built, hash = bundle(FOLDER)
    assert "no store has learned by this bundle" in merge(Weeks(hash, 5).write(FOLDER + "/none.db"), built, 65)
    assert merge("sqlite:/nonexistent/x.db", built, 74)
    assert merge("mysql:x", built, 65)
    assert merge("sqlite:" + FOLDER + "/none.db", "/nonexistent.bundle", 66)


def test_last():
    shutil.rmtree(FOLDER, ignore_errors=True)
    assert not os.path.exists(FOLDER)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
