#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl report and hq shrink: the same numbers from PostgreSQL as from SQLite."""
import hashlib
import json
import random
import shutil
import subprocess
import tempfile
from datetime import timedelta

import lifting
import policy
import settling
from engines import Postgres
from store import AISLECTL, main


def told(source):
    done = subprocess.run([*AISLECTL, "report", "--from", source, "--start", "2026-10-05", "--weeks", "8", "--effect", "60", "--json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def both(words, built, source):
    done = subprocess.run([*AISLECTL, *words, "--from", source, "--bundle", built], capture_output=True, text=True)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def world(folder):
    """A bundle, and what several stores told of it: sales, complaints, what settled, features, health, weeks."""
    built = policy.bundle(folder, policy={**policy.POLICY, "control": {"share": 0.25, "plan": {"start": "2026-10-05T00:00:00Z", "weeks": 8,
                                                                                              "effect": 60}}})
    done = subprocess.run([*AISLECTL, "bundle", "inspect", built, "--json"], capture_output=True, text=True)
    hash, dice = json.loads(done.stdout)["hash"], random.Random(5)
    sales, _ = lifting.made(5, stores=3, customers=900)
    rows = list(sales.rows)
    for n in range(900):
        store, subject = f"{n % 3:04d}", hashlib.md5(f"5 {n}".encode()).hexdigest()
        at = lifting.when(lifting.START + timedelta(days=n % 42, minutes=n))
        said = ("complaint", {"what": "complaint", "severity": 2}) if n % 2 else ("survey", {"what": "survey", "kind": "nps", "score": n % 11})
        p1, shown = dice.random(), dice.random() < 0.5
        row = {"action": "coffee-off", "p": 0.5, "p1": p1, "p0": p1 / 2, "margin": 180, "cost": 45, "drawn": shown, "shown": shown, "other": False,
               "y": int(dice.random() < p1)}
        for type, lane, body in (
                ("care", "money", {"at": at, "subject": subject, **said[1], "arms": {}, "control": False}),
                ("settled", "decision", {"decision": "d", "visit": f"v{n}", "placement": "tablet", "slot": 1, "subject": subject, "at": at,
                                         "bundle": hash, "rev": 0, "counted": True, "cost_max": 2, "rows": [row]}),
                ("decision", "decision", {"decision": f"d{n}", "at": at, "subject": subject, "policy": {"hash": hash},
                                          **({"features": {"tier": "gold" if n % 3 else "plum", "x": p1}} if n % 2 else {})})):
            rows.append((store, "00000000000000e2", lane, n * 3 + len(type), type, at, json.dumps(body)))
    for store in range(3):
        at = lifting.when(lifting.START + timedelta(days=34))
        rows.append((f"{store:04d}", "00000000000000e2", "telemetry", 1, "health", at, json.dumps({"at": at, "ring": "early" if store else "late"})))
        for week in ("2026-10-05", "2026-10-12"):
            cells = [[a, "", arm, 50, dice.randrange(20), 50 * 20000] for a in ("coffee-off", "enrol") for arm in "TU"]
            rows.append((f"{store:04d}", "00000000000000e2", "telemetry", int(week[-2:]), "learner", at,
                         json.dumps({"bundle": hash, "week": week, "rev": 0, "cells": cells})))
    return built, rows


def write(path, rows):
    sales = lifting.Sales()
    sales.rows = rows
    return sales.write(path)


def load(postgres, rows):
    """In another order than they came in."""
    lines = "".join("\t".join(str(v).replace("\\", "\\\\") for v in row) + "\n" for row in reversed(rows))
    postgres.sql("DROP TABLE IF EXISTS record; CREATE TABLE record(store TEXT, epoch TEXT, lane TEXT, seq BIGINT, type TEXT, at TIMESTAMPTZ, "
                 "body JSONB, PRIMARY KEY(store, epoch, lane, seq, at));\nCOPY record FROM STDIN;\n" + lines + "\\.\n")


def shrunk(source, folder):
    done = subprocess.run([*AISLECTL, "hq", "shrink", "--from", source, "-o", folder + "/shrink.json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with open(folder + "/shrink.json", "rb") as f:
        return f.read()


def test_the_same_sales_give_the_same_bytes_from_both():
    folder = tempfile.mkdtemp(prefix="aisle-report-")
    postgres = Postgres()
    try:
        sales, _ = lifting.made(1, stores=12, customers=4800)
        source = sales.write(folder + "/records.db")
        load(postgres, sales.rows)
        assert int(postgres.value("SELECT count(*) FROM record")) == len(sales.rows) > 10000
        here, there = told(source), told(postgres.into)
        assert json.loads(here)["comparisons"][0]["looks"][4]["other_stores_high"] > 0, here
        assert here == there, (here, there)
        settled = settling.Settled(1)
        for action, noise in (("right", 0), ("noisy", 0.6)):
            settled.noisy(action, 1000, noise)
        source = settled.write(folder + "/settled.db")
        load(postgres, settled.rows)
        assert shrunk(source, folder) == shrunk(postgres.into, folder)
        built, rows = world(folder)
        source = write(folder + "/world.db", rows)
        load(postgres, rows)
        for words in (["report", "--start", "2026-10-05", "--weeks", "8", "--effect", "60", "--json"],
                      ["hq", "merge", "-o", folder + "/merged.json"]):
            here, there = both(words, built, source), both(words, built, postgres.into)
            assert here == there, (here, there)
        told_of = json.loads(both(["report", "--json"], built, source))
        assert told_of["drift"]["of"] and told_of["promised"]["by"] and told_of["figures"][0]["complaints_per_1000_visits"], told_of
        with open(folder + "/merged.json", encoding="utf-8") as f:
            assert len(json.load(f)["cells"]) == 4
        done = subprocess.run([*AISLECTL, "report", "--from", "postgres:host=/nonexistent", "--start", "2026-10-05", "--weeks", "8"],
                              capture_output=True, text=True)
        assert done.returncode == 74 and "PostgreSQL" in done.stderr, done
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
