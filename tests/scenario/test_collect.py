#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Collectors: several brokers, several collectors that share them, each killed at will; every record once."""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from collecting import Collector, Sender, record, rows
from store import AISLECTL, Broker, main, now, wait_for


class Chain:
    def __init__(self, brokers):
        self.folder = tempfile.mkdtemp(prefix="aisle-hq-")
        self.brokers = [Broker(self.folder, f"hq{n}") for n in range(brokers)]
        self.urls = [f"mqtt://127.0.0.1:{b.port}" for b in self.brokers]
        self.senders = [Sender(b.port) for b in self.brokers]
        self.path = os.path.join(self.folder, "records.db")
        self.into = f"sqlite:{self.path}"

    def collector(self, *words):
        return Collector(self.into, self.urls, *words, folder=self.folder)

    def close(self):
        for sender in self.senders:
            sender.close()
        for broker in self.brokers:
            broker.stop(signal.SIGKILL)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def batches_of(collector):
    return int(re.search(r"leaving batches=(\d+)", collector.text()).group(1))


def test_two_collectors_share_two_brokers_and_each_acknowledges_where_a_batch_came_by():
    chain = Chain(2)
    try:
        collectors = [chain.collector().ready(), chain.collector().ready()]
        stores = [f"s{n:02d}" for n in range(40)]
        for n, store in enumerate(stores):
            chain.senders[n % 2].send(store, [record(seq) for seq in range(1, 11)])
        for n, store in enumerate(stores):
            wait_for(f"the acknowledgement to {store}", lambda: chain.senders[n % 2].upto(store) == 10)
            assert chain.senders[1 - n % 2].upto(store) == 0
        for collector in collectors:
            assert collector.stop() == 0
        counts = [batches_of(collector) for collector in collectors]
        assert sum(counts) == 40 and min(counts) >= 10, counts      # dealt out, and none twice
        assert len(rows(chain.path)) == 400
        assert os.stat(chain.path).st_mode & 0o007 == 0, "everybody on this machine may read it"
    finally:
        chain.close()


def test_a_store_whose_clock_is_behind_is_not_silent():
    chain = Chain(1)
    try:
        collector = chain.collector().ready()
        chain.senders[0].send("0042", [record(1, {"policy": {"name": "test", "version": 1}}, "health", at="2026-01-01T00:00:00.000Z")], "telemetry")
        wait_for("the acknowledgement", lambda: chain.senders[0].upto("0042", "telemetry") == 1)
        assert collector.stop() == 0

        def verdict():
            told = subprocess.run([*AISLECTL, "fleet", "--from", chain.into, "--json"], capture_output=True, text=True).stdout
            return json.loads(told)["stores"][0]["verdict"]
        assert verdict() == "good"
        with sqlite3.connect(chain.path) as db:
            db.execute("UPDATE heard SET at = '2026-01-01T00:00:00Z'")
        assert verdict() == "silent"
    finally:
        chain.close()


def test_a_collector_killed_again_and_again_loses_nothing():
    chain = Chain(2)
    try:
        steady = chain.collector().ready()
        wanted = {}
        for kill in range(3):
            victim = chain.collector().ready()
            for n in range(30):
                store = f"k{kill}s{n}"
                wanted[store] = chain.senders[n % 2]
                wanted[store].send(store, [record(seq) for seq in range(1, 6)])
            victim.stop(signal.SIGKILL)

        # What went to one that died comes again from the store.
        end = time.monotonic() + 40
        while missing := [store for store, sender in wanted.items() if sender.upto(store) != 5]:
            assert time.monotonic() < end, missing
            for store in missing:
                wanted[store].send(store, [record(seq) for seq in range(1, 6)])
            try:
                wait_for("the acknowledgements", lambda: all(wanted[store].upto(store) == 5 for store in missing), 1)
            except AssertionError:
                pass
        assert steady.stop() == 0
        assert len(rows(chain.path)) == 3 * 30 * 5
    finally:
        chain.close()


def test_a_broker_that_is_away_does_not_hold_up_the_other_and_is_found_again():
    chain = Chain(2)
    try:
        chain.brokers[1].stop(signal.SIGKILL)
        chain.senders[1].close()
        chain.urls[1:1] = ["mqtt://10.255.255.1:1883"]      # and one that never answers
        collector = Collector(chain.into, chain.urls, folder=chain.folder)
        wait_for("the broker that is there", lambda: "collect: connected" in collector.text())
        for n in range(5):
            chain.senders[0].send(f"a{n}", [record(1)])
            wait_for("an acknowledgement", lambda: chain.senders[0].upto(f"a{n}") == 1, 5)
        chain.brokers[1].start()
        wait_for("the other broker", lambda: collector.text().count("collect: connected") == 2, 20)
        late = Sender(chain.brokers[1].port)
        late.send("b", [record(1)])
        wait_for("an acknowledgement", lambda: late.upto("b") == 1)
        late.close()
        assert collector.stop() == 0
    finally:
        chain.close()


def test_old_records_are_deleted_in_slices_and_a_lane_that_is_kept_longer_stays():
    chain = Chain(1)
    try:
        first = chain.collector().ready()
        sender = chain.senders[0]
        for n in range(10):
            sender.send(f"o{n}", [record(seq, at="2026-01-01T00:00:00.000Z") for seq in range(1, 501)])
        sender.send("o0", [record(1, at="2026-01-01T00:00:00.000Z", kind="sale")], "money")
        sender.send("new", [record(1, at=now())])
        wait_for("the last of them", lambda: all(sender.upto(f"o{n}") == 500 for n in range(10)) and sender.upto("new") == 1 and
                 sender.upto("o0", "money") == 1)
        assert first.stop() == 0
        keeper = chain.collector("--keep", "decision=14d").ready()
        wait_for("old records to go", lambda: rows(chain.path, "SELECT store, lane FROM record ORDER BY 1") == [("new", "decision"), ("o0", "money")])
        sender.send("late", [record(1, at="2026-01-01T00:00:00.000Z"), record(2, at=now())])
        wait_for("the acknowledgement", lambda: sender.upto("late") == 2)
        assert rows(chain.path, "SELECT seq FROM record WHERE store = 'late'") == [(2,)]
        assert keeper.stop() == 0
    finally:
        chain.close()


def test_a_database_that_is_replaced_under_the_collector_gets_what_is_acknowledged():
    chain = Chain(1)
    try:
        collector, sender = chain.collector().ready(), chain.senders[0]
        sender.send("0042", [record(1)])
        wait_for("the acknowledgement", lambda: sender.upto("0042") == 1)
        for name in ("", "-wal", "-shm"):       # a copy of before is put back, or somebody tidies up
            if os.path.exists(chain.path + name):
                os.remove(chain.path + name)
        sender.send("0042", [record(2)])
        wait_for("the acknowledgement", lambda: sender.upto("0042") == 2)
        assert rows(chain.path, "SELECT seq FROM record") == [(2,)]
        assert "its file was moved, deleted or replaced" in collector.text()
        assert collector.stop() == 0
    finally:
        chain.close()


if __name__ == "__main__":
    main([test_a_database_that_is_replaced_under_the_collector_gets_what_is_acknowledged,
          test_two_collectors_share_two_brokers_and_each_acknowledges_where_a_batch_came_by, test_a_store_whose_clock_is_behind_is_not_silent,
          test_a_collector_killed_again_and_again_loses_nothing,
          test_a_broker_that_is_away_does_not_hold_up_the_other_and_is_found_again,
          test_old_records_are_deleted_in_slices_and_a_lane_that_is_kept_longer_stays])
