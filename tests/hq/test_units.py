#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Headquarters' units are sound and tight; its database's roles may do what they are for, and no more."""
import os
import re
import shutil
import subprocess
import tempfile

from engines import ROOT, PG_BIN, Broker, Postgres, shipped
from collecting import Collector, Sender, record
from store import AISLECTL, main, wait_for


def test_units_are_sound_and_tight():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("aisle-collect@.service", "aisle-publish.service"):
            with open(os.path.join(ROOT, "systemd", "hq", name)) as f:
                text = f.read()
            unit = os.path.join(folder, name.replace("@", "@1"))
            with open(unit, "w") as f:
                f.write(re.sub(r"^Documentation=.*\n", "", text, flags=re.M).replace("/usr/bin/aislectl", "/bin/true"))
            done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
            assert done.returncode == 0 and "aisle" not in done.stderr, done.stderr
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout[-2500:]


def test_roles_may_do_what_they_are_for():
    postgres = Postgres()
    folder = tempfile.mkdtemp(prefix="aisle-hq-")
    broker = Broker(folder, "hq")
    sender = Sender(broker.port)
    try:
        postgres.sql("CREATE DATABASE aisle")
        psql = [f"{PG_BIN}/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", postgres.folder, "-p", str(postgres.port)]
        subprocess.run([*psql, "-U", "aisle", "aisle"], input=shipped("postgres", "roles.sql"), text=True, check=True)

        def into(role):
            return f"postgres:host={postgres.folder} port={postgres.port} dbname=aisle user={role}"

        def ask(role, sql):
            done = subprocess.run([*psql, "-U", role, "aisle"], input=sql, text=True, capture_output=True)
            return done.stdout.strip() if done.returncode == 0 else done.stderr
        collector = Collector(into("aisle_collect"), [f"mqtt://127.0.0.1:{broker.port}"], "--keep", "decision=14d", "--erased", f"{folder}/erased",
                              folder=folder).ready()
        sender.send("0001", [record(1, {"subject": "0" * 32}, at="2026-11-29T00:00:00Z"), record(2, at="2026-11-29T00:00:00Z")])
        wait_for("the acknowledgement", lambda: sender.upto("0001") == 2)
        assert collector.stop() == 0
        assert ask("aisle_report", "SELECT count(*) FROM record") == "2"
        for sql in ("DELETE FROM record", "INSERT INTO erased(subject, at) VALUES ('x', now())", "CREATE TABLE x()", "DROP TABLE record"):
            assert "denied" in ask("aisle_report", sql) or "must be owner" in ask("aisle_report", sql), sql
        for sql in ("CREATE TABLE aisle.x()", "DROP TABLE record"):
            assert "denied" in ask("aisle_privacy", sql) or "must be owner" in ask("aisle_privacy", sql), sql
        with open(f"{folder}/pepper", "w") as f:
            f.write("00" * 32)
        done = subprocess.run([*AISLECTL, "hq", "customer", "forget", "--into", into("aisle_privacy"), "--erased", f"{folder}/erased",
                               "--pepper", f"{folder}/pepper"], input="card\n", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert ask("aisle_report", "SELECT count(*) FROM erased") == "1"
    finally:
        sender.close()
        broker.stop()
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main([test_units_are_sound_and_tight, test_roles_may_do_what_they_are_for])
