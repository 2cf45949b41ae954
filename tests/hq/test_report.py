#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl report: the same numbers from PostgreSQL as from SQLite."""
import json
import shutil
import subprocess
import tempfile

import lifting
from engines import Postgres
from store import AISLECTL, main


def told(source):
    done = subprocess.run([*AISLECTL, "report", "--from", source, "--start", "2026-10-05", "--weeks", "8", "--effect", "60", "--json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_same_sales_give_the_same_bytes_from_both():
    folder = tempfile.mkdtemp(prefix="aisle-report-")
    postgres = Postgres()
    try:
        sales, _ = lifting.made(1, stores=12, customers=4800)
        source = sales.write(folder + "/records.db")
        rows = "".join("\t".join(str(v).replace("\\", "\\\\") for v in row) + "\n" for row in reversed(sales.rows))
        postgres.sql("CREATE TABLE record(store TEXT, epoch TEXT, lane TEXT, seq BIGINT, type TEXT, at TIMESTAMPTZ, body JSONB, "
                     "PRIMARY KEY(store, epoch, lane, seq, at));\nCOPY record FROM STDIN;\n" + rows + "\\.\n")
        assert int(postgres.value("SELECT count(*) FROM record")) == len(sales.rows) > 10000
        here, there = told(source), told(postgres.into)
        assert json.loads(here)["comparisons"][0]["looks"][4]["other_stores_high"] > 0, here
        assert here == there, (here, there)
        done = subprocess.run([*AISLECTL, "report", "--from", "postgres:host=/nonexistent", "--start", "2026-10-05", "--weeks", "8"],
                              capture_output=True, text=True)
        assert done.returncode == 74 and "PostgreSQL" in done.stderr, done
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
