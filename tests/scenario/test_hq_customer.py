#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A customer's rights at headquarters: told everything, forgotten everywhere, and not brought back by a late batch, a copy or the archive."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile

from collecting import Collector, Sender, record, rows
from store import AISLECTL, Broker, main, wait_for

PEPPER = "00112233445566778899aabbccddeeff" * 2


def subject(card):
    return hashlib.blake2b(card.encode(), digest_size=16, key=bytes.fromhex(PEPPER)).hexdigest()


ANNA, BERT = subject("4000111"), subject("4000222")
TIMES = [f"2026-11-29T05:00:0{n}.000Z" for n in range(8)]


def records(of=ANNA, other=BERT):
    """Lane: what a store sends of two customers and a stranger."""
    return {
        "consent": [record(1, {"subject": of, "purpose": "profile", "state": "granted"}, "consent", TIMES[0]),
                    record(2, {"subject": other, "purpose": "profile", "state": "granted"}, "consent", TIMES[1])],
        "money": [record(1, {"visit": "V1", "basket": "b-1", "subject": of, "gross": 4210, "margin": 918}, "sale", TIMES[2]),
                  record(2, {"visit": "V2", "basket": "b-2", "gross": 100}, "sale", TIMES[2]),
                  record(3, {"decision": "D1", "prompt": "P1", "outcome": "redeemed", "amount": 45}, "outcome", TIMES[3])],
        "decision": [record(1, {"decision": "D1", "subject": of, "basket": "b-1", "trigger": {"id": "e-1"}, "slots": [{"action": "a"}]}, at=TIMES[4]),
                     record(2, {"decision": "D2", "subject": other, "basket": "b-3", "trigger": {"id": "e-2"}, "slots": []}, at=TIMES[5])],
    }


class Chain:
    def __init__(self, into=None):
        self.folder = tempfile.mkdtemp(prefix="aisle-hq-")
        self.broker = Broker(self.folder, "hq")
        self.sender = Sender(self.broker.port)
        self.path = os.path.join(self.folder, "records.db")
        self.into = into or f"sqlite:{self.path}"
        self.archive = os.path.join(self.folder, "archive")
        self.pepper = os.path.join(self.folder, "pepper")
        with open(self.pepper, "w") as f:
            f.write(PEPPER + "\n")

    def collector(self):
        return Collector(self.into, [f"mqtt://127.0.0.1:{self.broker.port}"], "--archive", self.archive, folder=self.folder).ready()

    def send(self, store="0001", **of):
        lanes = records(**of)
        before = {lane: len(self.sender.acks.get((store, lane), ())) for lane in lanes}
        for lane, lines in lanes.items():
            self.sender.send(store, lines, lane)
        wait_for("acknowledgements", lambda: all(len(self.sender.acks.get((store, lane), ())) > before[lane] for lane in lanes))

    def ctl(self, *words, card=None, code=0):
        done = subprocess.run([*AISLECTL, *words], input=card, capture_output=True, text=True)
        assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def customer(self, what, card, *places):
        return self.ctl("hq", "customer", what, *(places or ("--into", self.into, "--archive", self.archive)), "--pepper", self.pepper, card=card)

    def unpacked(self):
        """The archive as zstd alone reads it: JSON lines."""
        files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.archive) for name in names if name.endswith(".zst"))
        return [json.loads(line) for path in files for line in
                subprocess.run(["zstd", "-dc", path], capture_output=True, check=True, text=True).stdout.splitlines()]

    def everywhere(self):
        """Every byte of database and archive, but for the file of those who were forgotten."""
        found = b""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                if name.startswith("records.db") and not name.endswith(".erased"):
                    found += open(os.path.join(folder, name), "rb").read()
        return found + json.dumps(self.unpacked()).encode()

    def close(self):
        self.sender.close()
        self.broker.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def test_everything_about_a_customer_is_told_and_nothing_about_another():
    chain = Chain()
    try:
        collector = chain.collector()
        chain.send()
        assert collector.stop() == 0
        lines = [json.loads(line) for line in chain.customer("export", "4000111\n", "--into", chain.into).splitlines()]
        assert [(line["type"], line["seq"]) for line in lines] == [("consent", 1), ("sale", 1), ("outcome", 3), ("decision", 1)]
        assert lines[1] == {"store": "0001", "epoch": "00112233aabbccdd", "lane": "money", "seq": 1, "type": "sale", "at": TIMES[2],
                            "body": {"visit": "V1", "basket": "b-1", "subject": ANNA, "gross": 4210, "margin": 918}}
        told = [json.loads(line) for line in chain.customer("export", "4000111\n", "--archive", chain.archive).splitlines()]
        assert sorted((line["type"], line["seq"]) for line in told) == [("consent", 1), ("decision", 1), ("sale", 1)]
        assert chain.customer("export", "nobody\n") == ""
        with open("/dev/full", "w") as full:        # half of it is no answer
            done = subprocess.run([*AISLECTL, "hq", "customer", "export", "--into", chain.into, "--pepper", chain.pepper], input="4000111\n",
                                  stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 74 and "No space left" in done.stderr, done
    finally:
        chain.close()


def test_a_misspelt_place_is_no_answer():
    chain = Chain()
    try:
        collector = chain.collector()
        chain.send()
        assert collector.stop() == 0
        assert os.stat(chain.path).st_mode & 0o007 == 0
        wrong, before = chain.path + "x", sorted(os.listdir(chain.folder))
        for words, what in ((("export", "--into", f"sqlite:{wrong}"), "no such file"), (("forget", "--into", f"sqlite:{wrong}"), "no such file"),
                            (("reapply", "--into", f"sqlite:{wrong}"), "no such file"), (("export", "--archive", wrong), "no such folder"),
                            (("forget", "--into", chain.into, "--archive", wrong), "no such folder"),
                            (("reapply", "--into", chain.into, "--erased", wrong), "those who were forgotten")):
            pepper = ("--pepper", chain.pepper) if words[0] != "reapply" else ()
            done = subprocess.run([*AISLECTL, "hq", "customer", *words, *pepper], input="4000111\n", capture_output=True, text=True)
            assert done.returncode == 66 and wrong in done.stderr and what in done.stderr, (words, done)
        for words in (("--archive", wrong), ("--archive", chain.archive, "--erased", wrong)):
            chain.ctl("hq", "fill", *words, "--into", f"sqlite:{wrong}", code=66)
        assert sorted(os.listdir(chain.folder)) == before
        assert len(chain.customer("export", "4000111\n", "--into", chain.into).splitlines()) == 4
    finally:
        chain.close()


def test_who_is_forgotten_is_gone_and_does_not_come_back():
    chain = Chain()
    try:
        collector = chain.collector()
        chain.send()
        collector.stop()
        shutil.copy(chain.path, os.path.join(chain.folder, "copy.db"))
        collector = chain.collector()                  # it runs while somebody is forgotten
        report = json.loads(chain.customer("forget", "4000111\n"))
        assert report == {"customers": 1, "records": 3, "archived": 3}, report
        assert chain.everywhere().count(ANNA.encode()) == 1        # in the table of those who were forgotten
        bodies = {(lane, seq): json.loads(body) for lane, seq, body in rows(chain.path, "SELECT lane, seq, body FROM record")}
        assert ("consent", 1) not in bodies and bodies[("consent", 2)]["subject"] == BERT
        assert bodies[("money", 1)] == {"visit": "V1", "gross": 4210, "margin": 918}
        assert bodies[("decision", 1)] == {"decision": "D1", "slots": [{"action": "a"}]}
        assert bodies[("money", 3)]["amount"] == 45 and bodies[("decision", 2)]["subject"] == BERT
        # The same batch again, and another store's that was under way.
        chain.send()
        chain.send(store="0002")
        assert chain.everywhere().count(ANNA.encode()) == 1
        late = record(9, {"subject": ANNA, "visit": "V9", "gross": 1}, "sale", "2099-01-01T00:00:00.000Z")
        chain.sender.send("0002", [late], "money")
        wait_for("the acknowledgement", lambda: chain.sender.upto("0002", "money") == 9)
        kept = [row[0] for row in rows(chain.path, f"SELECT seq FROM record WHERE body LIKE '%{ANNA}%'")]
        assert kept == [9], kept                        # who comes back afterwards is a customer again
        assert collector.stop() == 0
        # A copy of before is put back: the next start of the collector forgets again.
        for name in ("records.db", "records.db-wal", "records.db-shm"):
            if os.path.exists(os.path.join(chain.folder, name)):
                os.remove(os.path.join(chain.folder, name))
        os.rename(os.path.join(chain.folder, "copy.db"), chain.path)
        assert rows(chain.path, f"SELECT count(*) FROM record WHERE body LIKE '%{ANNA}%'") == [(3,)]
        collector = chain.collector()
        assert "forgotten again customers=1 records=3" in collector.text()
        assert rows(chain.path, f"SELECT count(*) FROM record WHERE body LIKE '%{ANNA}%'") == [(0,)]
        assert collector.stop() == 0
    finally:
        chain.close()


def test_a_database_is_filled_from_the_archive_without_them():
    chain = Chain()
    try:
        collector = chain.collector()
        chain.send()
        chain.send(store="0002")
        collector.stop(signal.SIGKILL)
        before = rows(chain.path)
        collector = chain.collector()
        chain.send(store="0003")
        assert collector.stop() == 0
        # Half an entry, as a cut of the power leaves it: it is a file's last.
        newest = max((os.path.join(folder, name) for folder, _, names in os.walk(chain.archive) for name in names if name.endswith(".zst")),
                     key=os.path.getmtime)
        with open(newest, "rb") as f:
            text = f.read()
        with open(newest, "ab") as f:
            f.write(text[:len(text) // 2])
        # An archive of before somebody was forgotten, and the file of those who were.
        shutil.copytree(chain.archive, chain.archive + ".old")
        chain.customer("forget", "4000111\n")
        shutil.copy(os.path.join(chain.archive, "erased"), chain.archive + ".old/erased")
        filled = os.path.join(chain.folder, "filled.db")
        done = json.loads(chain.ctl("hq", "fill", "--archive", chain.archive + ".old", "--into", f"sqlite:{filled}"))
        assert done["records"] == 21
        wanted = [row for row in before + [("0003", *row[1:]) for row in before if row[0] == "0001"] if row[2:] != ("consent", 1)]
        assert rows(filled) == sorted(wanted)
        assert ANNA not in "".join(row[0] for row in rows(filled, "SELECT body FROM record"))
        again = json.loads(chain.ctl("hq", "customer", "reapply", "--archive", chain.archive + ".old"))
        assert again["archived"] == 9, again
        assert ANNA not in chain.customer("export", "4000111\n", "--archive", chain.archive + ".old")
    finally:
        chain.close()


def test_old_days_of_the_archive_go():
    chain = Chain()
    try:
        collector = chain.collector()
        chain.send()
        assert collector.stop() == 0
        today = os.listdir(os.path.join(chain.archive, "decision"))[0]
        for lane in ("decision", "money"):
            os.rename(os.path.join(chain.archive, lane, today), os.path.join(chain.archive, lane, "2026-01-01"))
        keeper = Collector(chain.into, [f"mqtt://127.0.0.1:{chain.broker.port}"], "--archive", chain.archive, "--keep", "decision=14d",
                           folder=chain.folder).ready()
        wait_for("the old day to go", lambda: not os.listdir(os.path.join(chain.archive, "decision")))
        assert os.listdir(os.path.join(chain.archive, "money")) == ["2026-01-01"]
        assert keeper.stop() == 0
    finally:
        chain.close()


if __name__ == "__main__":
    main([test_everything_about_a_customer_is_told_and_nothing_about_another, test_a_misspelt_place_is_no_answer, test_who_is_forgotten_is_gone_and_does_not_come_back,
          test_a_database_is_filled_from_the_archive_without_them, test_old_days_of_the_archive_go])
