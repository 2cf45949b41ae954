#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl report: lift from sale records beside the same computed by hand, and when it says nothing."""
import csv
import html
import io
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
from datetime import timedelta

import lifting
import policy
from lifting import START, Sales
from store import AISLECTL, main

FOLDER = tempfile.mkdtemp(prefix="aisle-lift-")


def report(source, *words, code=0, read=True):
    done = subprocess.run([*AISLECTL, "report", "--from", source, *words, *(["--json"] if read else [])], capture_output=True, text=True)
    assert done.returncode == code, (done.returncode, done.stderr)
    report.notes = done.stderr
    return json.loads(done.stdout) if read and code == 0 else done.stdout


def wanted(weeks=8, effect=40):
    return "--start", "2026-10-05", "--weeks", str(weeks), "--effect", str(effect)


def near(got, want):
    assert abs(got - want) <= 1e-7 * max(1, abs(want)), (got, want)


def test_lift_is_what_is_computed_by_hand_from_the_sales():
    sales, truth = lifting.made(1)
    source = sales.write(FOLDER + "/hand.db")
    for planned in (8, 5):
        told = report(source, *wanted(planned, 100))
        one, = told["comparisons"]
        assert one["experiment"] == "control group" and one["of"] == "margin" and one["cap"] == "none", one
        hand = lifting.looks(truth, 5, planned, 100)
        assert len(one["looks"]) == 5, one
        for look, (diff, se, half) in zip(one["looks"], hand):
            near(look["difference"], diff)
            near(look["se"], se)
            near(look["per_week"], diff / look["week"])
            if half is not None:
                near(look["high"] - look["per_week"], half)
                assert look["interval"] == "sequence", look
        control, treated = one["arms"]
        assert treated["customers"] == sum(not c for _, c, _ in truth) and control["customers"] == sum(c for _, c, _ in truth), one
        last = one["looks"][-1]
        assert last["low"] < 60 < last["high"], last
        if planned == 5:
            assert last["interval"] == "fixed" and 1.95 < (last["high"] - last["per_week"]) / (last["se"] / 5) < 1.98, last
        assert one["says"] == "told" and "per customer and week" in one["sentence"], one
        assert one["left_out"]["visits_of_strangers"] == 1, one


def test_where_the_interval_is_too_wide_the_stores_cannot_tell_and_it_says_what_would():
    sales, _ = lifting.made(2)
    source = sales.write(FOLDER + "/wide.db")
    one, = report(source, *wanted(8, 3))["comparisons"]
    assert one["says"] == "cannot-tell" and one["smallest_effect"] > 3 and one["times_these_stores"] > 1, one
    assert one["sentence"].startswith("These stores alone cannot tell yet: ") and "times as many" in one["sentence"], one
    one, = report(lifting.made(1)[0].write(FOLDER + "/enough.db"), *wanted(8, 40))["comparisons"]
    assert one["times_these_stores"] <= 1 and one["sentence"].endswith(" which is enough for the planned effect."), one
    few, = report(Sales_of_few(), *wanted())["comparisons"]
    assert few["says"] == "too-few-customers" and few["looks"] == [], few
    none, = report(source, "--start", "2026-10-05", "--weeks", "8")["comparisons"]
    assert none["says"] == "no-planned-effect" and none["looks"] == [], none
    early, = report(source, "--start", "2026-11-05", "--weeks", "8", "--effect", "40")["comparisons"]
    assert early["says"] == "no-week-over", early


def Sales_of_few():
    sales, _ = lifting.made(3, customers=300)
    return sales.write(FOLDER + "/few.db")


def test_one_large_customer_is_capped_and_the_report_says_what_that_cuts():
    sales, _ = lifting.made(4)
    # A wholesaler who is new: his week is beyond what nearly all weeks are.
    for week in (1, 2, 3):
        sales.sale("0000", f"w{week}", START + timedelta(days=7 * week + 1), 900000, 200000, "ab" * 16, control=False)
    one, = report(sales.write(FOLDER + "/large.db"), *wanted(8, 100))["comparisons"]
    assert one["cap"] == "99.9 %" and 0 < one["cap_cuts"] < 0.5 and abs(one["skew"]) <= 5, one
    assert 1000 < one["cap_minor"] < 200000, one
    assert one["says"] == "told", one


def test_a_sale_without_margin_makes_it_takings():
    sales, _ = lifting.made(5)
    sales.sale("0000", "late", START + timedelta(days=2), 500, None, "cd" * 16)
    assert report(sales.write(FOLDER + "/takings.db"), *wanted(8, 400))["comparisons"][0]["of"] == "takings"


def test_who_is_forgotten_is_a_stranger_and_two_cards_of_one_person_are_left_out():
    sales, truth = lifting.made(6)
    forgotten = json.loads(sales.rows[0][6])
    # The same visit once more, without its customer; and one who has two cards.
    sales.sale("0000", forgotten["visit"], START - timedelta(days=50), forgotten["gross"], 999999, told=START)
    sales.sale("0001", "two", START + timedelta(days=1), 999999, 999999, "ef" * 16, mixed=True)
    one, = report(sales.write(FOLDER + "/mixed.db"), *wanted())["comparisons"]
    assert one["left_out"]["two_cards_one_person"] == 1, one
    assert sum(a["customers"] for a in one["arms"]) in (len(truth), len(truth) - 1), one
    assert max(a["per_customer"] for a in one["arms"]) < 5000, one


def test_an_experiment_that_is_drawn_by_visit_is_not_told():
    sales, _ = lifting.made(7)
    dice = random.Random(7)
    rows = []
    for row in sales.rows:
        body = json.loads(row[6])
        body["arms"] = {"wording": dice.choice("ab"), "steady": "control" if (body.get("subject") or "0")[0] in "01234567" else "new"}
        rows.append((*row[:6], json.dumps(body)))
    sales.rows = rows
    told = report(sales.write(FOLDER + "/visit.db"), *wanted(8, 200))
    assert [c["experiment"] for c in told["comparisons"]] == ["control group", "steady"], told
    assert 'experiment “wording”' in report.notes and "not drawn by customer" in report.notes, report.notes
    assert told["comparisons"][1]["arms"][0]["arm"] == "control", told


def experiment(**more):
    return {"experiments": [{"experiment": "wording", "unit": "customer", "salt": "00112233" * 8, "share": 0.8,
                             "arms": {"a": {"weight": 1}, "b": {"weight": 3, "patch": {"policy": {"interrupt": 6}}}},
                             "plan": {"start": "2026-10-05T00:00:00Z", "weeks": 8, "effect": 300}, **more}]}


def arm_of(subject):
    if chance("share", subject) >= 0.8:
        return None
    return "a" if chance("arm", subject) * 4 < 1 else "b"


def chance(purpose, subject):
    return lifting.chance("00112233" * 8, purpose, "wording", subject)


def test_with_the_policy_who_stayed_away_counts_and_a_sample_ratio_fault_silences_it():
    bundle = policy.bundle(FOLDER, policy={**policy.POLICY, "control": {"share": 0.25, "plan": {"start": "2026-10-05T00:00:00Z", "weeks": 6, "effect": 40}}},
                           extra={"experiments.json": experiment()})
    sales, _ = lifting.made(8, customers=1600, control=lambda n: False)
    rows, away, lost = [], {"a": 0, "b": 0}, []
    since = {json.loads(r[6]).get("subject") for r in sales.rows if json.loads(r[6])["at"] >= lifting.when(START)}
    seen = set()
    for row in sales.rows:
        body = json.loads(row[6])
        subject = body.get("subject")
        if subject:
            arm = arm_of(subject)
            if body["at"] >= lifting.when(START) and arm:
                body["arms"] = {"wording": arm}
            if subject not in since and subject not in seen and arm:
                away[arm] += 1
            seen.add(subject)
            body["control"] = lifting.chance(policy.SALTS["control"], "control", subject) < 0.25
        rows.append((*row[:6], json.dumps(body)))
        if not (subject and arm_of(subject) == "a" and body["at"] >= lifting.when(START) and int(subject[:2], 16) < 130):
            lost.append(rows[-1])
    sales.rows = rows
    told = report(sales.write(FOLDER + "/policy.db"), "--bundle", bundle)
    assert told["currency"] == "EUR" and [c["experiment"] for c in told["comparisons"]] == ["control group", "wording"], told
    control, wording = told["comparisons"]
    assert control["weeks_planned"] == 6 and wording["weeks_planned"] == 8, told
    assert control["sample_ratio_ln_b"] < 4.6 and wording["sample_ratio_ln_b"] < 4.6, told
    for arm in wording["arms"]:
        assert arm["customers"] == sum(arm_of(s) == arm["arm"] for s in seen), (arm, away)
    assert away["b"] > 0, away
    # Half of an arm is not told of since the start.
    sales.rows = lost
    wording = report(sales.write(FOLDER + "/lost.db"), "--bundle", bundle)["comparisons"][1]
    assert wording["says"] == "not-as-drawn" and wording["looks"] == [] and wording["sample_ratio_ln_b"] > 4.6, wording


def test_page_json_and_csv_stand_beside_each_other_and_the_page_needs_nothing_else():
    sales, _ = lifting.made(9)
    sales.rows = [(*row[:6], row[6].replace('"arms": {}', '"arms": {"<b>&": "%s"}' % ("x" if '"subject": "%s' % "0" in row[6] else "y"))) for row in sales.rows]
    source = sales.write(FOLDER + "/page.db")
    report(source, *wanted(8, 200), "-o", FOLDER + "/report.html", read=False)
    with open(FOLDER + "/report.html", encoding="utf-8") as f:
        page = f.read()
    with open(FOLDER + "/report.json", encoding="utf-8") as f:
        data = json.load(f)
    with open(FOLDER + "/report.csv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(io.StringIO(f.read())))
    assert data == report(source, *wanted(8, 200))
    for one in data["comparisons"]:
        assert html.escape(one["sentence"]) in page, one
        mine = [r for r in rows if r["experiment"] == one["experiment"]]
        assert [float(r["low"]) for r in mine] == [look["low"] for look in one["looks"]], one
    assert page.count("<svg") == sum(bool(c["looks"]) for c in data["comparisons"]) > 0
    assert "<b>" not in page and "<script" not in page and "&lt;b&gt;&amp;" in page
    assert not re.search(r"(src|href)=|url\(|https?:", page), "the page loads something"
    report(source, *wanted(), "-o", FOLDER + "/report.txt", read=False, code=64)


def test_each_ring_of_stores_is_told_beside_the_whole():
    sales, truth = lifting.made(10, stores=4, customers=2400)
    end = lifting.when(START + timedelta(days=35))
    for store, ring in (("0000", "early"), ("0001", "early"), ("0002", "late")):
        sales.rows.append((store, "00000000000000e1", "telemetry", 1, "health", end, json.dumps({"at": end, "ring": ring})))
    source = sales.write(FOLDER + "/rings.db")
    told = report(source, *wanted(8, 100))["comparisons"]
    assert [(c["experiment"], c.get("ring")) for c in told] == [("control group", None), ("control group", "early"), ("control group", "late")], told
    for one, stores in zip(told[1:], (("0000", "0001"), ("0002",))):
        mine = [t for t in truth if t[0] in stores]
        assert one["stores"] == len(stores) and one["alpha"] == 0.025, one
        for look, (diff, se, _) in zip(one["looks"], lifting.looks(mine, 5, 8, 100)):
            near(look["difference"], diff)
            near(look["se"], se)
    report(source, *wanted(8, 100), "-o", FOLDER + "/rings.html", read=False)
    with open(FOLDER + "/rings.html", encoding="utf-8") as f:
        assert "<h2>control group, ring early</h2>" in f.read()
    with open(FOLDER + "/rings.csv", encoding="utf-8", newline="") as f:
        assert {r["ring"] for r in csv.DictReader(f)} == {"", "early", "late"}


def test_what_is_asked_wrongly_is_said():
    source = "sqlite:" + FOLDER + "/hand.db"
    report(source, code=64)
    report(source, "--start", "2026-10-05", code=64)
    report(source, "--start", "in May", "--weeks", "8", code=64)
    report(source, "--start", "2026-10-05", "--weeks", "0", code=64)
    report("sqlite:/nonexistent/x.db", *wanted(), code=74)
    report("mysql:x", *wanted(), code=65)
    report(source, "--bundle", "/nonexistent.bundle", code=66)


def test_last():
    shutil.rmtree(FOLDER, ignore_errors=True)
    assert not os.path.exists(FOLDER)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
