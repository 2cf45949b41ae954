# SPDX-License-Identifier: Apache-2.0
"""What headquarters collected, as a file that report and hq merge read."""
import json
import sqlite3
import subprocess

import policy
from store import AISLECTL


class Records:
    """Rows of store, epoch, lane, seq, type, at and body."""

    def write(self, path):
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE record(store TEXT, epoch TEXT, lane TEXT, seq INTEGER, type TEXT, at TEXT, body TEXT, "
                   "PRIMARY KEY(store, epoch, lane, seq))")
        db.executemany("INSERT INTO record VALUES(?, ?, ?, ?, ?, ?, ?)", self.rows)
        db.commit()
        db.close()
        return "sqlite:" + path


def bundle(folder):
    """A bundle, and the hash by which records name it."""
    built = policy.bundle(folder)
    done = subprocess.run([*AISLECTL, "bundle", "inspect", built, "--json"], capture_output=True, text=True)
    return built, json.loads(done.stdout)["hash"]
