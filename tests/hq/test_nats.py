#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The shipped NATS cluster: stores speak MQTT to any node, collectors share what comes; a node and a collector die."""
import os
import re
import shutil
import signal
import tempfile
import time

from engines import Nats, wait_for
from collecting import Collector, Sender, record, rows
from store import main

STORES = [f"s{n:02d}" for n in range(24)]


class Chain:
    def __init__(self, mapped=True):
        self.folder = tempfile.mkdtemp(prefix="aisle-nats-")
        self.nats = Nats(self.folder, STORES, mapped)
        self.path = os.path.join(self.folder, "records.db")
        self.senders = {}

    def collector(self, *words):
        return Collector(f"sqlite:{self.path}", [self.nats.url()], *self.nats.login(), *words, folder=self.folder)

    def sender(self, store, node):
        if store in self.senders:
            self.senders[store].close()
        self.senders[store] = Sender(self.nats.ports[node][1], store, "s-secret", f"aisle/v1/hq/store/{store}/ack/#")
        return self.senders[store]

    def close(self):
        for sender in self.senders.values():
            sender.close()
        self.nats.close()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def until_told(senders, stores, upto):
    """A store sends again what is not acknowledged."""
    end = time.monotonic() + 60
    while missing := [store for store in stores if senders[store].upto(store) < upto]:
        assert time.monotonic() < end, missing
        for store in missing:
            senders[store].send(store, [record(seq) for seq in range(1, upto + 1)])
        try:
            wait_for("acknowledgements", lambda: all(senders[store].upto(store) >= upto for store in missing), 3)
        except AssertionError:
            pass


def test_stores_on_any_node_and_collectors_that_share_though_a_node_and_a_collector_die():
    chain = Chain()
    try:
        collectors = [chain.collector().ready(), chain.collector().ready()]
        for n, store in enumerate(STORES):
            chain.sender(store, n % 3)
        until_told(chain.senders, STORES, 10)
        chain.nats.stop(0)
        collectors[0].stop(signal.SIGKILL)
        for n, store in enumerate(STORES):
            if n % 3 == 0:
                chain.sender(store, 1)
        until_told(chain.senders, STORES, 20)
        chain.nats.start(0)
        collectors[0] = chain.collector().ready()
        until_told(chain.senders, STORES, 30)
        for collector in collectors:
            assert collector.stop() == 0
        assert len(rows(chain.path)) == 30 * len(STORES)
        counts = [int(re.search(r"leaving batches=(\d+)", collector.text()).group(1)) for collector in collectors]
        assert min(counts) > 0, counts
    finally:
        chain.close()


def test_a_store_reaches_its_own_topics_alone():
    chain = Chain()
    try:
        collector = chain.collector().ready()
        own, other = chain.sender("s00", 0), chain.sender("s01", 1)
        other.send("s00", [record(1, {"forged": True})])
        own.send("s00", [record(1)])
        wait_for("the acknowledgement", lambda: own.upto("s00") == 1)
        assert collector.stop() == 0
        assert rows(chain.path, "SELECT body FROM record") == [('{"n":1}',)]
        try:
            chain.senders["x"] = Sender(chain.nats.ports[0][1], "s00", "wrong", patience=3)
            raise SystemExit("a wrong password came in")
        except AssertionError:
            pass
    finally:
        chain.close()


def test_a_broker_without_mqtt_5_is_read_in_3_1_1():
    chain = Chain(mapped=False)
    try:
        url = f"mqtt://127.0.0.1:{chain.nats.ports[0][1]}"
        with open(chain.nats.secret, "w") as f:
            f.write("p-secret")
        collector = Collector(f"sqlite:{chain.path}", [url], "--user", "publisher", "--password-file", chain.nats.secret, folder=chain.folder)
        wait_for("the collector", lambda: "shared=0" in collector.text(), 20)
        chain.sender("s00", 0).send("s00", [record(1)])
        wait_for("the record", lambda: rows(chain.path))
        assert collector.stop() == 0
    finally:
        chain.close()


def test_a_cluster_that_was_away_is_found_again():
    chain = Chain()
    try:
        collector = chain.collector().ready()
        chain.sender("s00", 0)
        until_told(chain.senders, ["s00"], 5)
        for node in range(3):
            chain.nats.stop(node)
        time.sleep(5)           # long enough for the library to look for all of them several times
        for node in range(3):
            chain.nats.start(node)
        for node in range(3):
            chain.nats.await_node(node)
        chain.sender("s01", 1)
        until_told(chain.senders, ["s01"], 5)
        assert collector.stop() == 0
        assert len(rows(chain.path)) == 10
    finally:
        chain.close()


if __name__ == "__main__":
    main([test_stores_on_any_node_and_collectors_that_share_though_a_node_and_a_collector_die, test_a_store_reaches_its_own_topics_alone,
          test_a_broker_without_mqtt_5_is_read_in_3_1_1, test_a_cluster_that_was_away_is_found_again])
