#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long hq merge takes: STORES WEEKS ACTIONS, by default 1,000 stores that told 8 weeks of 100 actions, from SQLite.

    BUILD=$PWD/build tests/bench/merge.py 1000 8 100
"""
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
import policy
from store import AISLECTL

stores, weeks, actions = (int(a) for a in (sys.argv[1:] + ["1000", "8", "100"][len(sys.argv) - 1:]))
dice = random.Random(1)
with tempfile.TemporaryDirectory(prefix="aisle-merge-") as folder:
    built = policy.bundle(folder)
    inspected = subprocess.run([*AISLECTL, "bundle", "inspect", built, "--json"], capture_output=True, text=True, check=True)
    hash = json.loads(inspected.stdout)["hash"]
    db = sqlite3.connect(folder + "/records.db")
    db.execute("CREATE TABLE record(store TEXT, epoch TEXT, lane TEXT, seq INTEGER, type TEXT, at TEXT, body TEXT, "
               "PRIMARY KEY(store, epoch, lane, seq))")
    for store in range(stores):
        for week in range(weeks):
            cells = [[f"action-{a}", "", arm, 50, dice.randrange(20), 50 * dice.randrange(13107, 26214)] for a in range(actions) for arm in "TU"]
            monday = (date(2026, 9, 7) + timedelta(days=7 * week)).isoformat()
            db.execute("INSERT INTO record VALUES(?, 'e1', 'telemetry', ?, 'learner', '2026-11-21T10:00:00.000Z', ?)",
                       (f"{store:05d}", week + 1, json.dumps({"bundle": hash, "week": monday, "rev": 0, "cells": cells}, separators=(",", ":"))))
    db.commit()
    db.close()
    began = time.monotonic()
    subprocess.run([*AISLECTL, "hq", "merge", "--from", f"sqlite:{folder}/records.db", "--bundle", built, "-o", folder + "/merged.json"],
                   stdout=subprocess.DEVNULL, check=True)
    print(f"{stores} stores, {weeks} weeks, {2 * actions} cells each: {time.monotonic() - began:.2f} s, "
          f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MiB, {os.path.getsize(folder + '/records.db') >> 20} MiB of records")
