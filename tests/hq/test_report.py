#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl report and hq shrink: the same numbers from PostgreSQL as from SQLite."""
import json
import shutil
import subprocess
import tempfile

import lifting
import settling
from engines import Postgres
from store import AISLECTL, main


def told(source):
    done = subprocess.run([*AISLECTL, "report", "--from", source, "--start", "2026-10-05", "--weeks", "8", "--effect", "60", "--json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


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
        done = subprocess.run([*AISLECTL, "report", "--from", "postgres:host=/nonexistent", "--start", "2026-10-05", "--weeks", "8"],
                              capture_output=True, text=True)
        assert done.returncode == 74 and "PostgreSQL" in done.stderr, done
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
