#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl report: what cards promised and what came of them, beside the same computed by hand from settled records."""
import csv
import json
import math
import os
import random
import shutil
import subprocess
import tempfile

import policy
from records import Records
from store import AISLECTL, main

FOLDER = tempfile.mkdtemp(prefix="aisle-promised-")
CONTROL = 0.1
SHRINK = {"mid": -1, "d": 0.5, "a": 0.1, "beta": 0.9, "delta": -0.1, "lambda": 0.4, "rows": 900, "from": "settled"}


def bundle():
    offer = {**policy.OFFER, "offer": {**policy.OFFER["offer"], "funded": 0.5, "funder": "Acme<b>"}}
    built = policy.bundle(FOLDER, policy={**policy.POLICY, "control": {"share": CONTROL}}, actions=[offer, policy.ENROL],
                          extra={"shrink.json": {"shrink": {"coffee-off": SHRINK}}})
    done = subprocess.run([*AISLECTL, "bundle", "inspect", built, "--json"], capture_output=True, text=True)
    return built, json.loads(done.stdout)["hash"]


def shrunk(action, p1, p0):
    if action != "coffee-off":
        return p1, p0
    l1, l0 = math.log(p1 / (1 - p1)), math.log(p0 / (1 - p0))
    middle = SHRINK["mid"] + SHRINK["a"] + SHRINK["beta"] * ((l1 + l0) / 2 - SHRINK["mid"])
    effect = SHRINK["d"] + SHRINK["delta"] + SHRINK["lambda"] * (l1 - l0 - SHRINK["d"])
    return 1 / (1 + math.exp(-middle - effect / 2)), 1 / (1 + math.exp(-middle + effect / 2))


class Log(Records):
    def __init__(self, hash, seed):
        self.hash, self.dice, self.rows, self.store = hash, random.Random(seed), [], "0001"

    def record(self, visit, rows, subject=None, slot=1, **more):
        at = "2026-11-21T10:00:00.000Z"
        body = {"decision": "d", "visit": visit, "placement": "tablet", "slot": slot, **({"subject": subject} if subject else {}), "at": at,
                "bundle": self.hash, "rev": 0, "counted": True, "cost_max": 2, "rows": rows, **more}
        self.rows.append((self.store, "00000000000000e1", "decision", len(self.rows) + 1, "settled", at, json.dumps(body)))

    def health(self, store, ring, at):
        body = {"at": at, "version": "1", "ring": ring}
        self.rows.append((store, "00000000000000e1", "telemetry", len(self.rows) + 1, "health", at, json.dumps(body)))

    def sale(self, at):
        body = {"visit": "s", "basket": "b", "at": at, "station": "1", "gross": 100, "discount": 0, "lines": 1, "arms": {}, "control": False, "shown": 0}
        self.rows.append(("0001", "00000000000000e1", "money", 1, "sale", at, json.dumps(body)))

    def card(self, action, p, margin, cost, shown, withheld=False):
        p1 = self.dice.uniform(0.2, 0.6)
        p0 = p1 * 0.6
        y = int(self.dice.random() < (p1 if shown else p0))
        return {"action": action, "segment": "", "p": p, "p1": p1, "p0": p0, "margin": margin, "cost": cost, "drawn": shown or withheld,
                "shown": shown, "other": False, **({"withheld": True} if withheld else {}), "y": y}


def clustered(pairs):
    """(V, se) of Σsum/Σweight over customers."""
    v = sum(s for s, _ in pairs) / sum(w for _, w in pairs)
    g = len(pairs)
    return v, math.sqrt(g / (g - 1) * sum((s - v * w) ** 2 for s, w in pairs)) / sum(w for _, w in pairs)


def near(got, want):
    assert abs(got["is"] - want[0]) < 1e-7 * max(1, abs(want[0])) and abs(got["se"] - want[1]) < 1e-7 * max(1, want[1]), (got, want)


def test_gain_and_calibration_are_what_is_computed_by_hand():
    built, hash = bundle()
    log, gains, ratios, slot_two = Log(hash, 1), {}, {}, {}
    for n in range(400):
        subject = f"{n:032x}" if n % 4 else None
        for d in range(1 + n % 3):
            visit = f"v{n}-{d}" if subject else f"v{n}"
            if not subject and d > 0:
                continue
            withheld = bool(subject) and log.dice.random() < CONTROL
            which = 0 if log.dice.random() < 0.9 else 1
            rows = [log.card("coffee-off", 0.9, 180, 45, which == 0 and not withheld, which == 0 and withheld),
                    log.card("enrol", 0.06, 100, 0, which == 1 and not withheld, which == 1 and withheld)]
            slot = 1 + d % 2
            if log.dice.random() < 0.2:     # told otherwise first
                log.record(visit, [{**rows[0], "y": 1 - rows[0]["y"]}], subject, slot)
                log.record(visit, rows + [{"action": "nothing", "p": 0.04, "drawn": False}], subject, slot, rev=1)
            else:
                log.record(visit, rows + [{"action": "nothing", "p": 0.04, "drawn": False}], subject, slot)
            who, realised, promised = subject or visit, 0, 0
            for r in rows:
                p1, p0 = shrunk(r["action"], r["p1"], r["p0"])
                e = r["p"] * (1 - CONTROL if subject else 1)
                if r["shown"]:
                    realised += r["y"] * (r["margin"] - r["cost"]) - p0 * r["margin"]
                    promised += p1 * (r["margin"] - r["cost"]) - p0 * r["margin"]
                    for by in (ratios, slot_two if slot == 2 else {}):
                        old = by.get(who, (0, 0))
                        by[who] = (old[0] + r["y"], old[1] + p1)
                else:
                    realised -= e / (1 - e) * (r["y"] - p0) * r["margin"]
            old = gains.get(who, (0, 0, 0))
            gains[who] = (old[0] + realised, old[1] + promised, old[2] + 1)
    decisions = sum(g[2] for g in gains.values())
    # Neither what could not go otherwise nor another bundle's is in it; what was not counted is in no gain.
    log.record("sure", [log.card("coffee-off", 1, 180, 45, False)])
    log.record("other", [log.card("coffee-off", 0.9, 180, 45, True)], bundle="ff" * 32)
    log.record("later", [log.card("enrol", 0.5, 100, 0, False)], counted=False)
    source = log.write(FOLDER + "/records.db")
    done = subprocess.run([*AISLECTL, "report", "--from", source, "--bundle", built, "--start", "2026-10-05", "--weeks", "8", "--json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["promised"]
    assert told["decisions"] == decisions and told["customers"] == len(gains) and told["left_out_certain"] == 1, (told, decisions)
    assert told["records_of_other_bundles"] == 1 and told["unread"] == 0, told
    near(told["realised_per_decision"], clustered([(r, n) for r, _, n in gains.values()]))
    near(told["promised_per_decision"], clustered([(p, n) for _, p, n in gains.values()]))
    near(told["realised_less_promised"], clustered([(r - p, n) for r, p, n in gains.values()]))
    half = told["realised_per_decision"]["high"] - told["realised_per_decision"]["is"]
    assert 1.96 < half / told["realised_per_decision"]["se"] < 1.98, told
    by = {c["of"]: c for c in told["calibration"]}
    near(by["all cards"]["came_of_promised"], clustered(list(ratios.values())))
    near(by["slot 2"]["came_of_promised"], clustered(list(slot_two.values())))
    assert by["all cards"]["cards"] == by["coffee-off"]["cards"] + by["enrol"]["cards"] == by["slot 1"]["cards"] + by["slot 2"]["cards"], by
    assert sum(c["cards"] for of, c in by.items() if of.startswith("chance ")) == by["all cards"]["cards"], by
    assert "low" not in by["enrol"]["came_of_promised"] or by["enrol"]["customers"] >= 100, by
    # The page says the same.
    done = subprocess.run([*AISLECTL, "report", "--from", source, "--bundle", built, "--start", "2026-10-05", "--weeks", "8", "-o",
                           FOLDER + "/report.html"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with open(FOLDER + "/report.html", encoding="utf-8") as f:
        page = f.read()
    assert f"Of {decisions} decisions for {len(gains)} customers" in page and "<td>coffee-off</td>" in page, page


def test_what_actions_groups_funders_and_rings_earned_is_what_is_computed_by_hand():
    built, hash = bundle()
    log, parts, shown, decisions, off, whole = Log(hash, 3), {}, {}, {}, 0, 0
    for n in range(600):
        subject, visit = f"{n // 2:032x}", f"v{n}"
        log.store = ("0001", "0002", "0003")[n // 2 % 3]      # the last is in no ring
        rings = (("ring", "early"), ("ring", "late"), None)[n // 2 % 3]
        which = log.dice.random() < 0.8
        rows = [log.card("coffee-off", 0.8, 180, 45, which)]
        if n % 3:
            rows.append(log.card("enrol", 0.1, 100, 0, not which))
        if rows[0]["y"] and rows[0]["shown"]:
            rows[0]["amount"] = 45
            off += 1
            # The same money stands in the row of another place.
            log.record(visit, [rows[0]], subject, 2, counted=False)
        log.record(visit, rows + [{"action": "nothing", "p": 0.1, "drawn": False}], subject)
        told = {}
        for r in rows:
            p1, p0 = shrunk(r["action"], r["p1"], r["p0"])
            e = r["p"] * (1 - CONTROL)
            promised = (p1 * (r["margin"] - r["cost"]) - p0 * r["margin"]) if r["shown"] else 0
            realised = r["y"] * (r["margin"] - r["cost"]) - p0 * r["margin"] if r["shown"] else -e / (1 - e) * (r["y"] - p0) * r["margin"]
            coffee = r["action"] == "coffee-off"
            whole += realised
            for part in (("action", r["action"]), ("group", "coffee" if coffee else "loyalty"), ("funder", "Acme<b>") if coffee else None, rings):
                if part:
                    old = told.get(part, (0, 0))
                    told[part] = (old[0] + realised, old[1] + promised)
                    shown[part] = shown.get(part, 0) + r["shown"]
        for part, (realised, promised) in told.items():
            old = parts.setdefault(part, {}).get(subject, (0, 0, 0))
            parts[part][subject] = (old[0] + realised, old[1] + promised, old[2] + 1)
            decisions[part] = decisions.get(part, 0) + 1
    at = "2026-11-21T11:00:00.000Z"
    log.sale(at)
    for store, ring, when in (("0001", "late", "2026-11-20T10:00:00.000Z"), ("0001", "early", at), ("0002", "late", at),
                              ("0002", "early", "2026-12-21T10:00:00.000Z")):      # a clock that ran ahead
        log.health(store, ring, when)
    source = log.write(FOLDER + "/parts.db")
    words = [*AISLECTL, "report", "--from", source, "--bundle", built, "--start", "2026-10-05", "--weeks", "8"]
    done = subprocess.run([*words, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = {(one["by"], one["of"]): one for one in json.loads(done.stdout)["promised"]["by"]}
    assert sorted(told) == sorted(parts), (sorted(told), sorted(parts))
    for part, customers in parts.items():
        one = told[part]
        near(one["realised_per_decision"], clustered([(r, n) for r, _, n in customers.values()]))
        near(one["promised_per_decision"], clustered([(p, n) for _, p, n in customers.values()]))
        near(one["realised_less_promised"], clustered([(r - p, n) for r, p, n in customers.values()]))
        assert one["customers"] == len(customers) and one["decisions"] == decisions[part], (part, one)
        among = sum(by == part[0] and len(c) >= 100 for (by, _), c in parts.items())
        assert abs(one["alpha"] - 0.05 / max(among, 1)) < 1e-12 and ("low" in one["realised_per_decision"]) == (len(customers) >= 100), one
    coffee = told["action", "coffee-off"]
    assert coffee["redeemed"] == off and coffee["redeemed_amount"] == 45 * off and off > 50, (coffee, off)
    assert coffee["shown"] == shown["action", "coffee-off"] + off, coffee     # of all places
    total = sum(one["decisions"] * one["realised_per_decision"]["is"] for (by, _), one in told.items() if by == "action")
    assert abs(total - whole) < 1e-6 * abs(whole), (total, whole)
    # Page and CSV say the same.
    done = subprocess.run([*words, "-o", FOLDER + "/parts.html"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with open(FOLDER + "/parts.html", encoding="utf-8") as f:
        page = f.read()
    for title in ("By action", "By group", "By who pays for it", "By ring of stores"):
        assert f"<h2>{title}</h2>" in page, page
    assert "Acme&lt;b&gt;" in page and "<b>" not in page, page
    with open(FOLDER + "/parts-figures.csv", encoding="utf-8", newline="") as f:
        lines = {(r["by"], r["of"], r["figure"]): r for r in csv.DictReader(f)}
    for (by, of), one in told.items():
        line = lines[by, of, "realised_per_decision"]
        assert float(line["value"]) == one["realised_per_decision"]["is"] and float(line["se"]) == one["realised_per_decision"]["se"], line
        assert line["low"] == "" or float(line["low"]) == one["realised_per_decision"]["low"], line
        assert float(lines[by, of, "decisions"]["value"]) == one["decisions"], line


def test_without_a_bundle_or_without_a_row_of_it_nothing_is_said():
    built, _ = bundle()
    source = Log("", 2).write(FOLDER + "/none.db")
    for more in ((), ("--bundle", built)):
        done = subprocess.run([*AISLECTL, "report", "--from", source, "--start", "2026-10-05", "--weeks", "8", "--json", *more],
                              capture_output=True, text=True)
        assert done.returncode == 0 and "promised" not in json.loads(done.stdout), done


def test_last():
    shutil.rmtree(FOLDER, ignore_errors=True)
    assert not os.path.exists(FOLDER)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
