#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records in PostgreSQL: every one once, whoever dies; a partition a day and lane; old days go, and lanes that are kept stay."""
import datetime
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from engines import Broker, Postgres, wait_for
from collecting import Collector, Sender, record
from store import AISLECTL, main

POSTGRES = None
TODAY = datetime.datetime.now(datetime.timezone.utc).replace(hour=12, minute=0, second=0, microsecond=0)


def day(days):
    return (TODAY + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Chain:
    """One broker before a database that is empty again."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aisle-hq-")
        self.broker = Broker(self.folder, "hq")
        self.sender = Sender(self.broker.port)
        POSTGRES.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public;")

    def collector(self, *words, **more):
        return Collector(POSTGRES.into, [f"mqtt://127.0.0.1:{self.broker.port}"], *words, folder=self.folder, **more)

    def send(self, store, records, lane="decision"):
        upto = records[-1]["seq"]
        end = time.monotonic() + 30
        while self.sender.upto(store, lane) < upto:
            assert time.monotonic() < end, f"no acknowledgement to {store}"
            self.sender.send(store, records, lane)
            try:
                wait_for("an acknowledgement", lambda: self.sender.upto(store, lane) >= upto, 2)
            except AssertionError:
                pass        # the store sends again

    def close(self):
        self.sender.close()
        self.broker.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def test_each_record_lies_once_in_the_partition_of_its_day_and_lane():
    chain = Chain()
    try:
        collector = chain.collector().ready()
        text = 'a\ttab, a\nline, a \\ and a "quote", é €'
        chain.send("0001", [record(1, {"text": text}, at=day(0)), record(2, at=day(-1)), record(3, at=day(-399)), record(4, at="1999-01-01T00:00:00Z"),
                            record(5, at=day(200))])
        chain.send("0001", [record(1, at=day(0), kind="sale")], "money")
        again = [record(1, {"text": "another"}, at=day(0)), record(2, at=day(-1))]
        chain.sender.send("0001", again)
        wait_for("a second acknowledgement", lambda: len(chain.sender.acks[("0001", "decision")]) > 1)
        assert POSTGRES.value("SELECT count(*) FROM record") == "6"
        assert POSTGRES.value("SELECT body->>'text' = $$" + text + "$$ FROM record WHERE lane = 'decision' AND seq = 1") == "t"
        where = dict(POSTGRES.sql("SELECT lane || seq, tableoid::regclass FROM record"))
        name = lambda days: "record_" + day(days)[:10].replace("-", "")
        assert where == {"decision1": name(0) + "_decision", "decision2": name(-1) + "_decision", "decision3": name(-399) + "_decision",
                         "decision4": "record_default", "decision5": "record_default", "money1": name(0) + "_money"}
        assert POSTGRES.value(f"SELECT to_regclass('{name(3)}_telemetry') IS NOT NULL") == "t"     # made ahead
        assert collector.stop() == 0
    finally:
        chain.close()


def test_a_gap_that_stands_for_what_is_there_already_does_not_come_in_a_second_time():
    chain = Chain()
    try:
        collector = chain.collector().ready()
        chain.send("0001", [record(seq, at=day(-1)) for seq in (1, 2, 3)])
        # The acknowledgement was lost, and then the rows; the gap has another time.
        chain.send("0001", [record(3, {"lane": "decision", "from": 1, "to": 3}, "gap", day(0)), record(4, at=day(0)),
                            record(6, {"lane": "decision", "from": 5, "to": 6}, "gap", day(-2))])
        assert POSTGRES.sql("SELECT seq, type FROM record ORDER BY 1") == [
            ("1", "decision"), ("2", "decision"), ("3", "decision"), ("4", "decision"), ("6", "gap")]
        assert collector.stop() == 0
    finally:
        chain.close()


def test_what_a_fast_clock_sent_is_moved_when_its_day_comes():
    chain = Chain()
    try:
        chain.collector().ready().stop()
        today = "record_" + day(0)[:10].replace("-", "")
        POSTGRES.sql(f"DROP TABLE {today}; INSERT INTO record VALUES ('0001', '00112233aabbccdd', 'decision', 1, 'decision', '{day(0)}', '{{}}')")
        assert POSTGRES.value("SELECT tableoid::regclass FROM record") == "record_default"
        collector = chain.collector().ready()
        chain.send("0001", [record(1, at=day(0)), record(2, at=day(0))])
        assert POSTGRES.sql("SELECT seq, tableoid::regclass FROM record ORDER BY 1") == [("1", today + "_decision"), ("2", today + "_decision")]
        assert collector.stop() == 0
    finally:
        chain.close()


def test_old_days_go_and_a_lane_that_is_kept_longer_stays():
    chain = Chain()
    try:
        first = chain.collector().ready()
        for lane in ("decision", "money", "consent"):
            chain.send("0001", [record(1, at=day(-20)), record(2, at=day(-50)), record(3, at="1999-01-01T00:00:00Z"), record(4, at=day(0))], lane)
        assert first.stop() == 0
        keeper = chain.collector("--keep", "decision=14d,money=30d").ready()
        # The partitions of the default have no day of their own: rows there are deleted.
        wait_for("old days to go", lambda: POSTGRES.sql("SELECT lane, seq FROM record ORDER BY 1, 2") == [
            ("consent", "1"), ("consent", "2"), ("consent", "3"), ("consent", "4"), ("decision", "4"), ("money", "1"), ("money", "4")])
        # A batch of such a day that comes late is acknowledged, and does not come in.
        chain.send("0002", [record(1, at=day(-20)), record(2, at=day(-13))])
        assert POSTGRES.sql("SELECT seq FROM record WHERE store = '0002'") == [("2",)]
        assert keeper.stop() == 0
    finally:
        chain.close()


def test_collectors_that_start_together_make_the_same_partitions():
    chain = Chain()
    try:
        collectors = [chain.collector() for _ in range(4)]
        for collector in collectors:
            collector.ready()
        for n in range(40):
            chain.sender.send(f"s{n}", [record(seq, at=day(-n)) for seq in range(1, 11)])
        for n in range(40):
            wait_for(f"s{n}", lambda: chain.sender.upto(f"s{n}") == 10, 30)
        assert POSTGRES.value("SELECT count(*) FROM record") == "400"
        assert [collector.stop() for collector in collectors] == [0] * 4
        assert not any("error=" in collector.text() for collector in collectors)
    finally:
        chain.close()


def test_nothing_is_acknowledged_while_the_database_is_away_and_nothing_is_lost_or_twice():
    chain = Chain()
    try:
        collectors = [chain.collector().ready(), chain.collector().ready()]
        wanted = 0
        for kill in range(3):
            for n in range(20):
                chain.sender.send(f"k{kill}n{n}", [record(seq) for seq in range(1, 51)])
                wanted += 50
            if kill == 1:
                collectors[0].stop(signal.SIGKILL)
                collectors[0] = chain.collector()
            else:
                POSTGRES.stop(signal.SIGKILL)
                told = {key: len(acks) for key, acks in chain.sender.acks.items()}
                POSTGRES.start()
                # What was acknowledged is there, from the first moment on.
                for (store, lane), count in told.items():
                    if count > 0:
                        assert POSTGRES.value(f"SELECT count(*) FROM record WHERE store = '{store}'") == "50"
        for kill in range(3):
            for n in range(20):
                chain.send(f"k{kill}n{n}", [record(seq) for seq in range(1, 51)])
        assert POSTGRES.sql("SELECT count(*), count(DISTINCT (store, epoch, lane, seq)) FROM record") == [(str(wanted), str(wanted))]
        for collector in collectors:
            collector.stop()
    finally:
        chain.close()


def test_who_is_forgotten_is_gone_and_a_copy_does_not_bring_them_back():
    chain = Chain()
    try:
        pepper = os.path.join(chain.folder, "pepper")
        with open(pepper, "w") as f:
            f.write("00112233445566778899aabbccddeeff" * 2)
        anna = hashlib.blake2b(b"4000111", digest_size=16, key=bytes.fromhex("00112233445566778899aabbccddeeff" * 2)).hexdigest()
        erased = ["--erased", os.path.join(chain.folder, "erased")]
        words = ["--into", POSTGRES.into, "--pepper", pepper]
        collector = chain.collector(*erased).ready()
        own = [record(1, {"decision": "D1", "subject": anna, "basket": "b", "text": "a\\b"}, at=day(-1)), record(2, {"subject": "0" * 32}, at=day(-1))]
        chain.send("0001", own)
        chain.send("0001", [record(1, {"decision": "D1", "outcome": "redeemed"}, "outcome", day(-1))], "money")
        chain.send("0001", [record(1, {"subject": anna, "purpose": "profile"}, "consent", day(-1))], "consent")
        POSTGRES.sql("CREATE TABLE copy AS SELECT * FROM record")
        told = subprocess.run([*AISLECTL, "hq", "customer", "export", *words], input="4000111\n", capture_output=True, text=True, check=True).stdout
        assert sorted(json.loads(line)["type"] for line in told.splitlines()) == ["consent", "decision", "outcome"]
        done = subprocess.run([*AISLECTL, "hq", "customer", "forget", *words, *erased], input="4000111\n", capture_output=True, text=True)
        assert json.loads(done.stdout) == {"customers": 1, "records": 2, "archived": 0}, (done.stdout, done.stderr)
        named = f"SELECT count(*) FROM record WHERE body::text LIKE '%{anna}%'"
        assert POSTGRES.value(named) == "0"
        assert POSTGRES.sql("SELECT lane, seq, body FROM record WHERE seq = 1 ORDER BY 1") == [
            ("decision", "1", '{"text": "a\\\\b", "decision": "D1"}'), ("money", "1", '{"outcome": "redeemed", "decision": "D1"}')]
        # Late and again, while the collector runs.
        chain.sender.send("0001", own)
        chain.send("0002", own)
        assert POSTGRES.value(named) == "0" and POSTGRES.value("SELECT count(*) FROM record WHERE store = '0002'") == "2"
        assert collector.stop() == 0
        POSTGRES.sql("DELETE FROM record; DELETE FROM erased; INSERT INTO record SELECT * FROM copy; DROP TABLE copy")
        assert POSTGRES.value(named) == "2"
        collector = chain.collector(*erased).ready()
        assert POSTGRES.value(named) == "0" and "forgotten again customers=1 records=2" in collector.text()
        assert collector.stop() == 0
    finally:
        chain.close()


def test_the_fleet_is_read_from_the_last_health_of_each_store():
    chain = Chain()
    try:
        collector = chain.collector().ready()

        def health(state, minutes):
            at = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            return {"at": at, "kind": "health", "body": {"at": at, "policy": {"name": "spring", "version": 3},
                                                         "release": {"channel": "stable", "sequence": 5, "state": state}}}
        chain.send("0001", [record(1, **health("refused", 50)), record(2, **health("good", 5))], "telemetry")
        chain.send("0002", [record(1, **health("refused", 5)), record(2, **health("good", -60 * 24 * 30))], "telemetry")
        for store in ("0003", "0004"):      # the clock of one is five hours behind, the other is silent since
            chain.send(store, [record(1, **health("good", 60 * 5))], "telemetry")
        POSTGRES.sql("UPDATE heard SET at = now() - interval '5 hours' WHERE store = '0004'")
        done = subprocess.run([*AISLECTL, "fleet", "--from", POSTGRES.into, "--json"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told = {s["store"]: s["verdict"] for s in json.loads(done.stdout)["stores"]}
        assert told == {"0001": "good", "0002": "refused", "0003": "good", "0004": "silent"}, told
        POSTGRES.sql("DROP TABLE heard")     # of a collector before that
        done = subprocess.run([*AISLECTL, "fleet", "--from", POSTGRES.into, "--json"], capture_output=True, text=True)
        told = {s["store"]: s["verdict"] for s in json.loads(done.stdout)["stores"]}
        assert told["0003"] == told["0004"] == "silent", told
        assert collector.stop() == 0
    finally:
        chain.close()


def test_what_came_of_each_action_is_a_row_of_the_view_as_in_sqlite():
    def settled(rev, y, **more):
        return {"decision": "D", "visit": "V", "placement": "tablet", "slot": 1, "at": day(0), "bundle": "", "rev": rev, "counted": True,
                "cost_max": 2.5, "rows": [{"action": "milk", "segment": "", "p": 0.75, "p1": 0.5, "p0": 0.25, "margin": 200, "cost": 0,
                                           "drawn": True, "shown": True, "other": False, "y": y, **more},
                                          *([] if rev else [{"action": "nothing", "p": 0.25, "drawn": False}])]}
    columns = ("store, decision, visit, placement, slot, subject, bundle, rev, counted, cost_max, action, segment, depth, treatment, p, p1, p0, "
               "margin, cost, drawn, shown, other, withheld, y, amount")
    sql = f"SELECT {columns} FROM settled ORDER BY action"
    chain = Chain()
    lite = os.path.join(chain.folder, "lite.sqlite")
    try:
        records = [record(1, settled(0, 1, amount=40), "settled", day(0)), record(2, settled(1, 0, withheld=True), "settled", day(0))]
        collector = chain.collector().ready()
        chain.send("0001", records)
        told = POSTGRES.sql(sql)
        assert POSTGRES.value("SELECT extract(epoch FROM at) = extract(epoch FROM timestamptz $$" + day(0) + "$$) FROM settled LIMIT 1") == "t"
        assert collector.stop() == 0
        collector = Collector("sqlite:" + lite, [f"mqtt://127.0.0.1:{chain.broker.port}"], folder=chain.folder).ready()
        chain.send("0002", records)
        assert collector.stop() == 0
        rows = sqlite3.connect(lite).execute(sql).fetchall()
        assert [[float(x) if str(x).replace(".", "").isdigit() else x or None for x in row][1:] for row in told] == [
            [float(x) if isinstance(x, (int, float)) else x or None for x in row][1:] for row in rows], (told, rows)
        assert rows[0] == ("0002", "D", "V", "tablet", 1, None, "", 1, 1, 2.5, "milk", "", None, None, 0.75, 0.5, 0.25, 200, 0, 1, 1, 0, 1, 0, None)
    finally:
        chain.close()


def test_a_password_in_the_name_is_refused():
    for into in ("postgres:host=x password=secret", "postgres://u:secret@host/db"):
        done = subprocess.run([*AISLECTL, "collect", "--into", into, "--broker", "mqtt://127.0.0.1:1"], capture_output=True, text=True)
        assert done.returncode == 65 and "PGPASSFILE" in done.stderr and "secret" not in done.stderr, (done.returncode, done.stderr)


if __name__ == "__main__":
    POSTGRES = Postgres()
    try:
        main([test_each_record_lies_once_in_the_partition_of_its_day_and_lane,
              test_a_gap_that_stands_for_what_is_there_already_does_not_come_in_a_second_time, test_what_a_fast_clock_sent_is_moved_when_its_day_comes,
              test_old_days_go_and_a_lane_that_is_kept_longer_stays, test_collectors_that_start_together_make_the_same_partitions,
              test_nothing_is_acknowledged_while_the_database_is_away_and_nothing_is_lost_or_twice,
              test_who_is_forgotten_is_gone_and_a_copy_does_not_bring_them_back, test_the_fleet_is_read_from_the_last_health_of_each_store,
              test_what_came_of_each_action_is_a_row_of_the_view_as_in_sqlite,
              test_a_password_in_the_name_is_refused])
    finally:
        POSTGRES.close()
