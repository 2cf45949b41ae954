#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The shipped brokers: each store reaches its own topics alone, the collector what it needs, and nobody without a password."""
import shutil
import tempfile

from engines import Brokers, wait_for
from collecting import Collector, Sender, record, rows
from store import main


class Chain:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aisle-hq-")
        self.brokers = Brokers(self.folder, ["0041", "0042"], 2)
        self.path = f"{self.folder}/records.db"
        self.open = []

    def sender(self, store, node=0, topic=None, password="s-secret", patience=20):
        self.open.append(Sender(self.brokers.ports[node], store, password, topic or f"aisle/v1/hq/store/{store}/ack/#", patience))
        return self.open[-1]

    def close(self):
        for sender in self.open:
            sender.close()
        self.brokers.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def test_a_store_sends_as_itself_and_hears_what_is_its_own():
    chain = Chain()
    try:
        collector = Collector(f"sqlite:{chain.path}", chain.brokers.urls(), *chain.brokers.login(), folder=chain.folder).ready()
        assert "shared=1" in collector.text()
        own, other, curious = chain.sender("0042", 0), chain.sender("0041", 1), chain.sender("0041", 0, "aisle/v1/hq/#")
        other.send("0042", [record(1, {"forged": True})])
        curious.send("0042", [record(1, {"forged": True})])
        other.send("0041", [record(1)])
        wait_for("the acknowledgement", lambda: other.upto("0041") == 1)
        own.send("0042", [record(1)])
        wait_for("the acknowledgement", lambda: own.upto("0042") == 1)
        assert rows(chain.path, "SELECT store, body FROM record ORDER BY 1") == [("0041", '{"n":1}'), ("0042", '{"n":1}')]
        assert ("0042", "decision") not in curious.acks
        assert collector.stop() == 0
    finally:
        chain.close()


def test_nobody_comes_in_without_the_password():
    chain = Chain()
    try:
        for user, password in ((None, None), ("0042", "wrong"), ("0043", "s-secret")):
            try:
                chain.sender(user, password=password, topic="aisle/v1/hq/root/+", patience=2)
                raise SystemExit(f"{user} came in")
            except AssertionError:
                pass
        done = Collector(f"sqlite:{chain.path}", chain.brokers.urls(), "--once", folder=chain.folder)
        assert done.process.wait(20) == 69 and "refused" in done.text()
    finally:
        chain.close()


if __name__ == "__main__":
    main([test_a_store_sends_as_itself_and_hears_what_is_its_own, test_nobody_comes_in_without_the_password])
