#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a recording would have told headquarters: the same bytes however it is cut, and the same in a file as in a database."""
import json
import os
import re
import sqlite3
import subprocess
import tempfile

import policy
from store import AISLECTL, main

SUBJECT = "0f" * 16


def advice(name, margin, within="0d", **more):
    return {"action": name, "kind": "recommend", "issue": "grow", "group": "breakfast", "on": ["aisle.basket.item-added"],
            "personal": False, "propensity": 0.5, "incremental": 0.5, "margin": margin, "placements": ["tablet"], "gate": "associate",
            "expires": "120s", "outcome": {"is": "bought", "within": within, "item": {"category": name}},
            "treatments": [{"treatment": "plain", "language": "en", "headline": "Some " + name}], **more}


class Recording:
    def __init__(self, actions):
        self.folder = tempfile.mkdtemp(prefix="aisle-")
        self.lines = []
        self.bundle = policy.bundle(self.folder, policy={**policy.POLICY, "placements": {"tablet": {"slots": 1}}}, actions=actions)

    def tell(self, day, second, kind, data, where="pos/7"):
        hour, rest = divmod(second, 3600)
        self.lines.append(json.dumps({
            "specversion": "1.0", "id": f"r{len(self.lines)}", "source": f"/store/0042/{where}", "type": f"aisle.{kind}",
            "time": f"2026-11-{day:02d}T{10 + hour:02d}:{rest // 60:02d}:{rest % 60:02d}.000Z", "data": data}))

    def sell(self, day, second, basket, categories, subject=None):
        self.tell(day, second, "basket.opened", {"basket": basket, "terminal": "7"})
        if subject:
            self.tell(day, second, "customer.identified", {"subject": subject, "station": "7", "basket": basket})
        for n, category in enumerate(categories, 1):
            self.tell(day, second + n, "basket.item-added", {"basket": basket, "line": n, "sku": f"s{n}", "category": category,
                                                             "qty": 1, "amount": 100, "margin": 30, "currency": "EUR"})
        self.tell(day, second + 20, "basket.closed", {"basket": basket, "total": 100 * len(categories), "currency": "EUR"})

    def replay(self, into, *more, code=0):
        path = os.path.join(self.folder, "events.jsonl")
        with open(path, "w") as f:
            f.write("\n".join(self.lines) + "\n")
        done = subprocess.run(AISLECTL + ["replay", "--bundle", self.bundle, "--store", "0042", "--events", path,
                                          "--outcomes", into, *more], capture_output=True, text=True)
        assert done.returncode == code, (done.returncode, done.stderr)
        self.said = done.stderr
        return done.stdout

    def records(self, name="records.jsonl", *more):
        path = os.path.join(self.folder, name)
        self.replay(path, *more)
        with open(path) as f:
            return [json.loads(line) for line in f]


def of_type(records, kind):
    return [r["body"] for r in records if r["type"] == kind]


def rows_of(settled):
    return [(r["action"], r["drawn"], r.get("shown"), r.get("other"), r.get("y")) for r in settled["rows"]]


def a_day():
    recording = Recording([advice("milk", 200), advice("tea", 100)])
    recording.sell(21, 0, "b1", ["bread", "tea"])
    recording.sell(21, 3600, "b2", ["bread", "milk"])
    recording.tell(21, 7200, "return.completed", {"return": "r1", "basket": "b2", "total": 100, "currency": "EUR", "items": [
        {"sku": "s2", "category": "milk", "qty": 1, "amount": 100}]})
    return recording


def test_a_recorded_day_tells_its_sales_and_what_came_of_each_shortlist():
    records = a_day().records()
    settled, sales = of_type(records, "settled"), of_type(records, "sale")
    assert [(s["basket"], s["gross"], s.get("returned")) for s in sales] == [("b1", 200, None), ("b2", 200, None), ("b2", 100, 100)]
    assert [(s["rev"], s["counted"], rows_of(s)) for s in settled] == [
        (0, True, [("milk", True, True, False, 0), ("tea", False, False, True, 1), ("nothing", False, None, None, None)]),
        (0, True, [("milk", True, True, False, 1), ("tea", False, False, True, 0), ("nothing", False, None, None, None)]),
        (1, True, [("milk", True, True, False, 0)])], settled
    decisions = {d["decision"]: d for d in of_type(records, "decision")}
    for one in settled:
        decision = decisions[one["decision"]]
        assert one["at"] == decision["at"] and one["bundle"] == decision["policy"]["hash"]
        shortlist = {s["action"]: s["p"] for s in decision["slots"][0]["shortlist"]}
        candidates = {c["action"]: c for c in decision["candidates"]}
        for row in one["rows"]:
            assert row["p"] == shortlist[row["action"]]
            if row["action"] != "nothing":
                assert all(row[name] == candidates[row["action"]][name] for name in ("p1", "p0", "margin", "cost"))
    for lane in ("money", "decision"):
        assert [r["seq"] for r in records if r["lane"] == lane] == list(range(1, 1 + sum(r["lane"] == lane for r in records)))


def test_the_same_events_give_the_same_bytes_and_the_table_of_collect():
    recording = a_day()
    paths = [os.path.join(recording.folder, f"r{turn}") for turn in (256, 7, 1)]
    for turn, path in zip((256, 7, 1), paths):
        recording.replay(path, "--turn", str(turn))
    first = open(paths[0]).read()
    assert first and all(open(path).read() == first for path in paths[1:])
    db = os.path.join(recording.folder, "hq.db")
    recording.replay("sqlite:" + db)
    rows = sqlite3.connect(db).execute("SELECT store, epoch, lane, seq, type, at, body FROM record ORDER BY lane, seq").fetchall()
    names = ("store", "epoch", "lane", "seq", "type", "at")
    lines = sorted((json.loads(line) for line in first.splitlines()), key=lambda r: (r["lane"], r["seq"]))
    assert [dict(zip(names, row[:6]), body=json.loads(row[6])) for row in rows] == lines
    recording.replay("sqlite:" + db, code=64)
    assert "is there already, expected a new file" in recording.said
    recording.replay(os.path.join(recording.folder, "events.jsonl"), code=64)
    recording.replay(os.path.join(recording.folder, "none", "r"), code=74)


def test_a_window_that_ends_behind_the_recording_is_not_guessed():
    recording = Recording([advice("milk", 200), advice("tea", 100, within="2d")])
    for purpose in ("personalise", "profile"):
        recording.tell(20, 0, "consent.changed", {"subject": SUBJECT, "purpose": purpose, "state": "granted"}, "care")
    recording.sell(21, 0, "b1", ["bread"], SUBJECT)
    settled = of_type(recording.records(), "settled")
    assert [rows_of(s) for s in settled] == [[("milk", True, True, False, 0), ("nothing", False, None, None, None)]]
    assert "1 actions on shortlists have windows that end after the recording" in recording.said
    recording.sell(22, 0, "b2", ["tea"], SUBJECT)
    recording.sell(24, 0, "b3", ["bread"])
    settled = of_type(recording.records(), "settled")
    tea = [row for s in settled for row in s["rows"] if row["action"] == "tea"]
    assert settled[-1]["decision"] and [row["y"] for row in tea] == [1, 0], tea


def documented_sql():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/headquarters.md")) as f:
        return re.search(r"\n((?:    .*\n)*    FROM settled .*\n(?:    .*\n)+)", f.read()).group(1)


def test_the_view_has_the_last_word_of_each_row():
    recording = a_day()
    db = os.path.join(recording.folder, "hq.db")
    recording.replay("sqlite:" + db)
    hq = sqlite3.connect(db)
    assert hq.execute("SELECT store, placement, slot, rev, counted, action, p1, drawn, shown, other, withheld, y, amount, subject FROM settled "
                      "WHERE action <> 'nothing' ORDER BY decision, action").fetchall() == [
        ("0042", "tablet", 1, 0, 1, "milk", 0.5, 1, 1, 0, 0, 0, None, None), ("0042", "tablet", 1, 0, 1, "tea", 0.5, 0, 0, 1, 0, 1, None, None),
        ("0042", "tablet", 1, 1, 1, "milk", 0.5, 1, 1, 0, 0, 0, None, None), ("0042", "tablet", 1, 0, 1, "tea", 0.5, 0, 0, 1, 0, 0, None, None)]
    assert hq.execute("SELECT count(*), sum(drawn), max(p), max(y) FROM settled WHERE action = 'nothing'").fetchone() == (2, 0, 0, None)
    assert hq.execute(documented_sql()).fetchall() == [("milk", "with", 2, 0.0, 0.5)]


def test_without_the_option_nothing_is_told_and_decisions_are_the_same():
    recording = a_day()
    told = recording.replay(os.path.join(recording.folder, "r"))
    path = os.path.join(recording.folder, "events.jsonl")
    plain = subprocess.run(AISLECTL + ["replay", "--bundle", recording.bundle, "--store", "0042", "--events", path],
                           capture_output=True, text=True, check=True).stdout
    assert told == plain
    assert subprocess.run(AISLECTL + ["decide", "--bundle", recording.bundle, "--events", path, "--outcomes", path + ".r"],
                          capture_output=True, check=False).returncode == 64


if __name__ == "__main__":
    main([
        test_a_recorded_day_tells_its_sales_and_what_came_of_each_shortlist,
        test_the_same_events_give_the_same_bytes_and_the_table_of_collect,
        test_a_window_that_ends_behind_the_recording_is_not_guessed,
        test_the_view_has_the_last_word_of_each_row,
        test_without_the_option_nothing_is_told_and_decisions_are_the_same,
    ])
