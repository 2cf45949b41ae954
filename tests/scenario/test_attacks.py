#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every attack on what headquarters sends: refused by its own name, counted once, nothing changed on disk, and the store serves on.

One store with a root of two release keys, whose headquarters' broker belongs to the attacker. What is signed is signed by
the real keys, also where it lies: so a thief of nothing, of one key, and a careless headquarters are all tried.
"""
import base64
import contextlib
import datetime
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import time

from forging import Key, envelope
from policy import ENROL, GOLD, OFFER, bundle, changed, profiles
from releases import CHUNK, Chain, Headquarters, digest, read, trusting_store, wait_release
from store import AISLED, Client, Store, main, wait_for
from test_activation import forged

CHANNEL, OWN = "aisle/v1/hq/release/stable", "aisle/v1/hq/store/0042/release"
ORDER, STOP = "aisle/v1/hq/store/0042/order", "aisle/v1/hq/stop"
AHEAD = 1 << 31     # a sequence may be so far ahead


def when(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


def files(store):
    """Every byte below STATE that says what headquarters wants and what is in force."""
    kept = {}
    for folder in ("bundles", "trust", "transfer"):
        for at, _, names in os.walk(os.path.join(store.folder, "state", folder)):
            for name in names:
                kept[folder, name] = read(os.path.join(at, name))
    return kept


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aisle-attacks-")
        self.chain = Chain(os.path.join(self.folder, "hq"), threshold=2)
        self.keys = {name: Key(self.chain.path(name + ".key")) for name in ("a", "b", "order", "erase", "stranger")}
        self.ab = [self.keys["a"], self.keys["b"]]
        self.store = trusting_store(self.chain, config="[limits]\nexam = 3s\n")
        self.hq = Headquarters(self.store)
        self.up = Client(self.store.hq.port, ["aisle/v1/hq/store/0042/up/+"])
        self.one = self.chain.policy(1)
        self.sequence = 10
        self.sales = 0

    def gives_an_exam(self, so_long):
        with open(self.store.conf) as f:
            text = f.read()
        with open(self.store.conf, "w") as f:
            f.write(re.sub(r"exam = .*", f"exam = {so_long}", text))
        before = self.store.log_text().count("re-read")
        self.store.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: self.store.log_text().count("re-read") > before)

    def start(self):
        self.store.start()
        wait_for("headquarters", lambda: self.store.status()["hq"]["connected"])
        self.till = Client(self.store.broker.port, [f"{self.store.root}/guidance/+"])

    def close(self):
        self.up.close()
        self.hq.close()
        self.store.close()
        self.store.hq.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what is signed ----

    def manifest(self, path, sequence=None, of=None, **members):
        """Of a release of this file; of: members of the bundle that are said otherwise."""
        of = {"kind": "policy", "name": "test", "version": "1", "bytes": os.path.getsize(path), "hash": digest(path), "chunk": CHUNK, **(of or {})}
        return {"release": 1, "channel": "stable", "sequence": sequence or self.sequence, "issued": when(-1), "expires": when(30),
                "bounds": {"probation_s": 0, "agreement": 0}, "bundles": [of], **members}

    def release(self, path, keys=None, **more):
        return envelope(self.manifest(path, **more), self.ab if keys is None else keys)

    def order(self, sequence, keys=None, **members):
        what = {"order": 1, "store": "0042", "sequence": sequence, "issued": when(-1), "expires": when(30), "type": "stop", "action": "coffee-off", **members}
        return envelope({n: v for n, v in what.items() if v is not None}, keys or [self.keys["order"]])

    def orders(self, *texts):
        return b"[" + b",".join(text.rstrip(b"\n") for text in texts) + b"]"

    def root(self, keys=None, **members):
        """The one of before, changed, signed by these."""
        manifest = json.loads(base64.b64decode(json.loads(read(self.chain.roots[0]))["manifest"]))
        return envelope({**manifest, "version": 2, **members}, self.ab if keys is None else keys)

    # ---- what must hold ----

    def look(self):
        """What was refused; what stands; every file."""
        status = self.store.status()
        stands = {n: status[n] for n in ("policy", "catalog", "profiles", "good", "root", "stopped")}
        return status["refused"], {**stands, "release": {n: status["release"].get(n) for n in ("sequence", "state")}}, files(self.store)

    def serves(self):
        self.sales += 1
        basket, before = f"s{self.sales}", len(self.till.messages)
        self.store.till(self.till, "basket.opened", {"basket": basket, "terminal": "7", "station": "7"})
        self.store.till(self.till, "basket.item-added", self.store.item(basket, 1, "grocery/tea", 2000))
        wait_for("a card at the till", lambda: len(self.till.messages) > before)
        self.store.till(self.till, "basket.closed", {"basket": basket, "total": 2000, "currency": "EUR"})

    def counted(self, before, reason, times=1):
        """What was refused since is this, so often."""
        expected = {**before, reason: before.get(reason, 0) + times}
        refused = wait_for(f"{reason} to be counted", lambda: self.seen(lambda now: now.get(reason, 0) >= expected[reason]), 20)
        assert refused == expected, (reason, before, refused)

    def seen(self, condition):
        refused = self.store.status()["refused"]
        return refused if condition(refused) else None

    @contextlib.contextmanager
    def refuses(self, reason, times=1):
        """What is published inside is refused so, and nothing of it stays."""
        refused, stood, kept = self.look()
        yield
        self.counted(refused, reason, times)
        self.serves()
        expected = {**refused, reason: refused.get(reason, 0) + times}
        assert self.look() == (expected, stood, kept), (reason, expected, stood, self.look()[:2])

    @contextlib.contextmanager
    def takes_nothing(self):
        """What is published inside is nothing new, or not asked for."""
        before = self.look()
        yield
        self.serves()
        assert self.look() == before, (before[:2], self.look()[:2])

    def rest(self):
        """A release of what is in force: nothing is fetched any more."""
        self.sequence += 1
        self.hq.retain(CHANNEL, self.release(self.one))
        wait_release(self.store, "good", self.sequence)

    @contextlib.contextmanager
    def refuses_fetched(self, reason, path, times=1, state="refused", of=None, then=lambda: None):
        """A release that headquarters signed, of a bundle that is not what it should be, as it was put there inside (and then): the
        release counts, its bundle does not."""
        refused, stood, kept = self.look()
        yield
        self.sequence += 1
        self.hq.retain(CHANNEL, self.release(path, of=of))
        then()
        self.counted(refused, reason, times)
        self.told = wait_release(self.store, state, self.sequence)
        self.serves()
        _, stands, now = self.look()
        assert stands == {**stood, "release": {"sequence": self.sequence, "state": state}}, (reason, stands)
        self.kept_but_the_release(kept, now)
        assert state != "refused" or not [n for n in now if n[1].startswith(digest(path))], "what was fetched stays"
        if state == "fetching":
            self.rest()
        else:
            assert self.told["why"] == reason and self.told["detail"], self.told

    def kept_but_the_release(self, kept, now):
        def in_force(these):
            return {n: v for n, v in these.items() if n[0] != "transfer" and not n[1].startswith(("release-", "own-release-"))}
        assert in_force(now) == in_force(kept), "of what is in force a file changed"
        assert len([n for n in now if n[1].startswith("release-")]) == 1, now.keys()

    def refuses_bundle(self, reason, path):
        with self.refuses_fetched(reason, path):
            self.hq.artifact(path)
        return self.told


# ---- signatures, numbers, times, kinds ----

def attack_signatures(w, good, two):
    a, b, stranger = w.keys["a"], w.keys["b"], w.keys["stranger"]
    signed = json.loads(w.release(two, sequence=11))
    text = base64.b64decode(signed["manifest"])
    cases = [
        ("unsigned", envelope(text, [])),
        ("bad-signature", envelope(text[:40] + bytes([text[40] ^ 1]) + text[41:], [], signed["signatures"])),
        ("bad-signature", envelope(text, [], [signed["signatures"][0], signed["signatures"][1].replace("timestamp:1", "timestamp:2")])),
        ("wrong-key", envelope(text, [a, stranger])),
        ("wrong-key", envelope(text, [w.keys["order"], w.keys["erase"]])),
        ("threshold", envelope(text, [a])),
        ("threshold", envelope(text, [a, a])),
        ("malformed", good[:len(good) // 2]),
        ("malformed", b" " + good),
        ("malformed", b"\0" * 100),
        # a member twice, one that is unknown, a number that is none
        ("malformed", envelope(text.replace(b'"sequence":11', b'"sequence":10,"sequence":11'), [a, b])),
        ("malformed", envelope(text[:-1] + b',"until":1}', [a, b])),
        ("malformed", envelope(text.replace(b'"sequence":11', b'"sequence":11.5'), [a, b])),
        ("malformed", envelope(text.replace(b'"channel":"stable"', b'"channel":"stable\\u0000x"'), [a, b])),
    ]
    for reason, payload in cases:
        with w.refuses(reason):
            w.hq.retain(CHANNEL, payload)


def attack_numbers(w, good, two):
    cases = [
        ("sequence-older", w.release(two, sequence=9)),
        ("sequence-same", w.release(two, sequence=10)),
        ("fast-forward", w.release(two, sequence=10 + AHEAD + 1)),
        ("malformed", w.release(two, sequence=1 << 62)),
        # a freeze: what was held back until it is over
        ("expired", w.release(two, sequence=11, issued=when(-3), expires=when(-1))),
        ("other-channel", w.release(two, sequence=11, channel="early")),
        ("not-for-us", w.release(two, sequence=11, stores=["0043", "0044"])),
        ("not-for-us", w.release(two, sequence=11, rings=["early"])),
        ("not-for-us", w.release(two, sequence=11, percent=0, salt="00" * 8)),
        ("wrong-kind", w.order(11, keys=w.ab)),
        ("wrong-kind", w.root()),
        ("wrong-kind", w.release(w.one, sequence=11, stores=["0042"], of={"kind": "profiles"})),
    ]
    for reason, payload in cases:
        with w.refuses(reason):
            w.hq.retain(CHANNEL, payload)
    for reason, payload in [("other-store", w.release(two, sequence=1, stores=["0043"], of={"kind": "profiles"})),
                            ("other-store", w.release(two, sequence=1, of={"kind": "profiles"})),
                            ("wrong-kind", w.release(two, sequence=1, stores=["0042"]))]:
        with w.refuses(reason):
            w.hq.retain(OWN, payload)
    # the other freeze: the same old thing for ever. What headquarters hears of the store says so
    with w.takes_nothing():
        for _ in range(3):
            w.hq.retain(CHANNEL, good)
    assert w.look()[1]["release"]["sequence"] == 10


def attack_roots(w):
    a, b, stranger = w.keys["a"], w.keys["b"], w.keys["stranger"]
    pub = read(w.chain.path("stranger.pub")).decode().splitlines()[1]
    cases = [
        ("unsigned", w.root(keys=[])),
        ("threshold", w.root(keys=[a])),
        ("threshold", w.root(keys=[a, a])),
        # keys of the attacker's own, that say of themselves that they are the next
        ("threshold", w.root(keys=[stranger], release=[pub], order=[pub], erase=[pub], threshold=1)),
        ("threshold", w.root(keys=[stranger, a], release=[pub], order=[pub], erase=[pub], threshold=1)),
        ("wrong-key", w.root(keys=[a, b, stranger])),
        ("root-gap", w.root(version=3)),
        ("wrong-kind", w.release(w.one)),
        ("root-older", w.root(version=1)),
        ("malformed", w.root(threshold=0)),
        ("malformed", w.root(threshold=3)),
        ("malformed", w.root(release=[])),
    ]
    for reason, payload in cases:
        with w.refuses(reason):
            w.hq.retain("aisle/v1/hq/root/2", payload)
    w.hq.retain("aisle/v1/hq/root/2", b"")


def attack_orders(w):
    stop, lift = w.order(5), w.order(6, type="lift")
    w.hq.retain(ORDER, w.orders(stop))
    wait_for("the stop", lambda: w.store.status()["stopped"] == ["coffee-off"])
    w.hq.retain(ORDER, w.orders(lift))
    wait_for("its end", lambda: w.store.status()["stopped"] == [])
    # replayed: it was taken once, and is nothing new
    with w.takes_nothing():
        w.hq.retain(ORDER, w.orders(stop))
        w.hq.retain(ORDER, w.orders(lift, stop))
    signed = json.loads(w.order(7))
    text = base64.b64decode(signed["manifest"])
    cases = [
        (ORDER, "other-store", w.order(7, store="0043")),
        (ORDER, "other-store", w.order(7, store="all")),
        (STOP, "other-store", w.order(7)),
        (STOP, "wrong-kind", w.order(7, store="all", type="snapshot", action=None)),
        (ORDER, "sequence-same", w.order(6, action="enrol")),
        (ORDER, "sequence-older", w.order(4)),
        (ORDER, "fast-forward", w.order(6 + AHEAD + 1)),
        (ORDER, "expired", w.order(7, expires=when(-0.5))),
        (ORDER, "wrong-key", w.order(7, keys=w.ab)),
        (ORDER, "wrong-key", w.order(7, type="erase", action=None, subject="00" * 16)),
        (ORDER, "bad-signature", envelope(text.replace(b'"sequence":7', b'"sequence":8'), [], signed["signatures"])),
        (ORDER, "malformed", envelope(text.replace(b'"sequence":7', b'"sequence":7,"sequence":8'), [w.keys["order"]])),
        (ORDER, "malformed", w.order(7, type="start")),
        (ORDER, "malformed", w.order(7, tablet="t1")),
        (ORDER, "wrong-kind", w.root(keys=[w.keys["order"]])),
    ]
    for topic, reason, payload in cases:
        with w.refuses(reason):
            w.hq.retain(topic, w.orders(payload))
        w.hq.retain(topic, b"")
    # no number was used up by what was refused
    w.hq.retain(ORDER, w.orders(w.order(7), w.order(8, action="enrol"), w.order(9, type="lift", action="enrol")))
    wait_for("the next orders", lambda: w.store.status()["stopped"] == ["coffee-off"])
    w.hq.retain(ORDER, b"")


# ---- what is fetched ----

def attack_transfer(w, two, three):
    """two and three are of the same length, of several chunks."""
    size = os.path.getsize(two)
    chunks = [read(two)[at:at + CHUNK] for at in range(0, size, CHUNK)]
    first = zstd(chunks[0])
    assert len(chunks) > 2

    def chunk(n, payload):
        w.hq.retain(f"aisle/v1/hq/artifact/{digest(two)}/{n}", payload)
    # mix and match: another release's bundle under the hash that is signed. Twice at once, then later
    with w.refuses_fetched("wrong-hash", two, times=2, state="fetching"):
        w.hq.artifact(three, digest(two))
    # one chunk of it is replaced, by one as long
    with w.refuses_fetched("wrong-hash", two, times=2, state="fetching"):
        w.hq.artifact(two)
        chunk(1, zstd(read(three)[CHUNK:2 * CHUNK]))
    # a bomb, with its size in its head and without; a byte too many
    for bomb in (zstd(b"\0" * (64 << 20)), zstd(b"\0" * (64 << 20), "--no-content-size"), zstd(chunks[0] + b"x")):
        with w.refuses_fetched("bomb", two, state="fetching"):
            chunk(0, bomb)
    # no zstd, less than a frame, more than one
    for payload in (b"none", first[:-1], first + b"x", first + first):
        with w.refuses_fetched("bad-chunk", two, state="fetching"):
            chunk(0, payload)
    # one that holds less than it should
    with w.refuses_fetched("wrong-size", two, state="fetching"):
        chunk(0, zstd(chunks[0][:-1]))
    # the right hash, and another size: a byte more, a byte less
    chunk(0, first)
    for more in (1, -1):
        with w.refuses_fetched("wrong-size", two, state="fetching", of={"bytes": size + more}):
            pass
    def flood():
        wait_for("the others", lambda: w.store.status()["hq"]["fetches"][0]["have"] == size - CHUNK)
        for _ in range(100):
            chunk(1, b"none")
        wait_for("it to be left", lambda: w.store.status()["hq"]["fetches"][0]["state"] == "waiting")
    # without end: after eight in a row it is not listened to
    with w.refuses_fetched("bad-chunk", two, times=8, state="fetching", then=flood):
        chunk(1, b"")
    for n in range(len(chunks)):
        chunk(n, b"")


def attack_own_transfer(w):
    """Chunks that there are not come where a store listens to all of one artifact."""
    refused, stood, kept = w.look()
    topic, frame = f"aisle/v1/hq/store/0042/chunk/{digest(w.one)}/", zstd(read(w.one)[:CHUNK])

    def send(n):
        w.hq.client.client.publish(topic + n, frame, qos=1).wait_for_publish(10)
    w.hq.retain(OWN, w.release(w.one, sequence=1, stores=["0042"], of={"kind": "profiles", "bytes": 2 * CHUNK}))
    wait_for("it to be asked for", lambda: [f for f in w.store.status()["hq"]["fetches"] if f["state"] == "fetching"])
    for n in ("-1", "00", "1e3", "99999999999999999999", "0/1"):     # no number of a chunk: of no artifact
        send(n)
    for n in ("2", "999", "65536"):
        send(n)
    w.counted(refused, "bad-chunk", 3)
    w.serves()
    _, stands, now = w.look()
    assert stands == stood, (stood, stands)
    w.kept_but_the_release(kept, now)


# ---- what a bundle holds ----

def xgboost(trees=500):
    """The first tree says 0.125 below 1.5, 0.375 above; the others nothing."""
    one = {"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0], "default_left": [1, 0, 0],
           "tree_param": {"num_nodes": "3", "size_leaf_vector": "1"}}
    of_all = [{"id": n, **one, "split_conditions": [1.5, 0.125, 0.375] if n == 0 else [1.5, 0, 0]} for n in range(trees)]
    return {"version": [3, 1, 0], "learner": {
        "attributes": {}, "feature_names": ["a"], "objective": {"name": "reg:squarederror"},
        "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0] * trees, "trees": of_all}},
        "learner_model_param": {"base_score": "[5E-1]", "num_class": "0", "num_feature": "1", "num_target": "1"}}}


def with_model(version, rows=20000):
    """Its exam makes the bundle one of several chunks, each of them other than another version's."""
    exam = "a,margin\n" + "".join(f"{n % version},{0.875 if n % version >= 1.5 else 0.625}\n" for n in range(rows))
    return {"models/m.json": xgboost(), "models/m.exam.csv": exam,
            "models/models.json": {"models": [{"model": "m", "file": "m.json", "inputs": {"a": "visits"}, "exam": "m.exam.csv"}]}}


def tree_of(flat):
    """Where the nodes of the one tree stand in a model's flat form: value f64, column u32, left u32, expected f32."""
    at = flat.index(struct.pack("<dII", 0.125, 0, 1))
    return at - 20


def patched(flat, at, form, value):
    return flat[:at] + struct.pack(form, value) + flat[at + struct.calcsize(form):]


def part(path, name):
    db = sqlite3.connect(path)
    body, = db.execute("SELECT body FROM part WHERE name = ?", (name,)).fetchone()
    db.close()
    return body


def attack_bundles(w, good, modelled):
    sql = [
        "CREATE TRIGGER t AFTER INSERT ON part BEGIN SELECT 1; END",
        "CREATE VIEW v AS SELECT * FROM part",
        "CREATE TABLE more(a)",
        "CREATE INDEX i ON part(body)",
        "PRAGMA application_id = 1",
        "PRAGMA user_version = 9",
        "UPDATE part SET body = x'00' WHERE name = 'policy.json'",
    ]
    for statement in sql:
        w.refuses_bundle("schema", forged(good, sql=[statement]))
    # what it is by its own word, and what the release says of it
    w.refuses_bundle("wrong-kind", forged(good, sql=["UPDATE meta SET value = 'catalog' WHERE name = 'kind'"]))
    with w.refuses_fetched("wrong-kind", good, of={"kind": "catalog"}):
        w.hq.artifact(good)
    noise = w.chain.path("noise")
    with open(noise, "wb") as f:
        f.write(b"SQLite format 3\0" + os.urandom(8176))
    w.refuses_bundle("schema", noise)

    flat = part(modelled, "models/m.model")
    at, nan = tree_of(flat), float("nan")
    deep = True
    for _ in range(60):
        deep = {"!": [deep]}

    def offer(**members):
        return {"actions/coffee-off.json": json.dumps(changed(OFFER, **members)).encode()}

    def says(headline):
        return offer(treatments=[dict(OFFER["treatments"][0], headline=headline)])

    def model(*patch):
        return {"models/m.model": patched(flat, *patch)}
    parts = {
        "a model that is missing": offer(propensity={"model": "missing"}),
        "a model's file that is missing": {"models/m.model": None},
        "NaN in a leaf": model(at + 20, "<d", nan),
        "NaN to compare with": model(at, "<d", nan),
        "a node below itself": model(at + 12, "<I", 0),
        "a child outside": model(at + 12, "<I", 0x7fffffff),
        "2^31 nodes": model(at - 4, "<I", 1 << 31),
        "a model as its trainer wrote it": {"models/m.model": json.dumps(xgboost()).encode()},
        "a rule without end: too deep": offer(eligible=deep),
        "a rule without end: too many": offer(eligible={"and": [{"==": [{"var": "visits"}, n]} for n in range(5000)]}),
        "a template with a value that nobody has": says("{{card}}"),
        "a template that does not end": says("{{depth"),
        "a text with an escape for a terminal": says("\x1b[2Jfree coffee"),
        "a part that is not JSON": {"actions/coffee-off.json": b"\xff\xfe"},
        "a member twice": {"actions/coffee-off.json": json.dumps(OFFER).encode()[:-1] + b',"margin":1}'},
        "a rule that is unknown": offer(eligible={"system": ["reboot"]}),
    }
    for n, (what, changes) in enumerate(parts.items()):
        base = modelled if any(name.startswith("models/") for name in changes) else good
        told = w.refuses_bundle("policy", forged(base, changes))
        assert len(told["detail"]) > 20, (what, told)
    w.refuses_bundle("exam", forged(modelled, {"models/m.exam.csv": b"a,margin\n1,0.5\n"}))
    # whose exams never end
    many = {f"models/m{n}.model": flat for n in range(64)}
    one = json.loads(part(modelled, "models/models.json"))["models"][0]
    many["models/models.json"] = json.dumps({"models": [dict(one, model=f"m{n}", file=f"m{n}.json") for n in range(64)]}).encode()
    many["models/m.exam.csv"] = b"a,margin\n" + b"0,0.625\n" * 99999
    w.gives_an_exam("1s")
    w.refuses_bundle("deadline", forged(modelled, many))
    w.gives_an_exam("3s")


def attack_rules(w):
    """A rule that hardly ends compiles, and in force it is cut off: the other cards come, the till does not wait."""
    many = list(range(400))
    add = {"+": [{"var": "accumulator"}, {"var": "current"}]}
    endless = {">": [{"reduce": [many, {"+": [{"reduce": [many, add, 0]}, {"var": "accumulator"}]}, {"var": "visits"}]}, -1]}
    slow = w.chain.policy(5, actions=[changed(OFFER, eligible=endless, on=["aisle.basket.item-added"], personal=False), ENROL])
    refused = w.look()[0]
    w.sequence += 1
    w.hq.artifact(slow)
    w.hq.retain(CHANNEL, w.release(slow))
    wait_release(w.store, "good", w.sequence)
    assert w.store.status()["policy"]["version"] == 5
    w.serves()
    # run to its end it would be true
    assert not [card for card in w.till.on("") if "coffee-off" in json.dumps(card)]
    w.rest()
    assert w.store.status()["policy"]["version"] == 1 and w.look()[0] == refused


# ---- what goes up ----

def attack_receipts(w):
    """A receipt for records that were never sent is none: they wait on."""
    refused = "aisle_uplink_acks_refused"

    def count():
        return next(int(float(line.split()[-1])) for line in w.store.http("GET", "/metrics")[1].decode().splitlines() if line.startswith(refused))
    batch = wait_for("a batch", lambda: w.up.messages and w.up.messages[0])
    epoch = json.loads(subprocess.run(["zstd", "-dqc"], input=batch[1], capture_output=True, check=True).stdout.splitlines()[0])["epoch"]
    queued, before = w.store.status()["hq"]["queued"], count()
    lane = batch[0].rsplit("/", 1)[1]
    bad = [(lane, {"epoch": epoch, "upto": 10 ** 9}), (lane, {"epoch": "0" * 16, "upto": 1}), (lane, {"epoch": epoch, "upto": -1}),
           (lane, {"epoch": epoch, "upto": 0}), ("nothing", {"epoch": epoch, "upto": 1}), (lane, [])]
    for name, payload in bad:
        w.hq.client.publish(f"aisle/v1/hq/store/0042/ack/{name}", payload)
    wait_for("the receipts to be refused", lambda: count() == before + len(bad))
    assert w.store.status()["hq"]["queued"] >= queued
    assert "of no records that were sent" in w.store.log_text()
    w.serves()


def attack_log(w):
    """Whoever owns the broker fills no disk with lines of the log."""
    told, begun, many = "a list of orders was refused", time.monotonic(), 300
    before = w.store.log_text().count(told)
    with w.refuses("malformed", many):
        for _ in range(many):
            w.hq.client.client.publish(ORDER, b"[{]", qos=1).wait_for_publish(10)
    lines = w.store.log_text().count(told) - before
    assert lines <= 20 + time.monotonic() - begun + 1, lines


def attack_expiry(w, two):
    """The root has expired: nothing is taken but a next one, and the store serves on."""
    of_next = [read(w.chain.path(name + ".pub")).decode().splitlines()[1] for name in ("b", "stranger")]
    new = [w.keys["b"], w.keys["stranger"]]
    for topic in (CHANNEL, OWN, ORDER):     # with another root all comes once more
        w.hq.retain(topic, b"")
    w.hq.retain("aisle/v1/hq/root/2", w.root(keys=[*w.ab, w.keys["stranger"]], release=of_next, issued=when(-3), expires=when(-1)))
    wait_for("the next root", lambda: w.store.status()["root"] == 2)
    w.sequence += 1
    with w.refuses("root-expired"):
        w.hq.retain(CHANNEL, w.release(two, keys=new))
    with w.refuses("root-expired"):
        w.hq.retain(ORDER, w.orders(w.order(10)))
    w.hq.retain(ORDER, b"")
    w.hq.retain(CHANNEL, b"")
    w.store.stop()
    w.till.close()
    w.start()
    assert w.store.status()["policy"]["version"] == 1
    w.serves()
    w.hq.retain("aisle/v1/hq/root/3", w.root(keys=new, version=3, release=of_next))
    wait_for("the next root", lambda: w.store.status()["root"] == 3)
    with w.refuses("revoked-key"):
        w.hq.retain(CHANNEL, w.release(two, keys=w.ab))
    # what is good is taken after all that, and no number was used up by what was refused
    w.hq.artifact(two)
    w.hq.retain(CHANNEL, w.release(two, keys=new))
    wait_release(w.store, "good", w.sequence)
    assert w.store.status()["policy"]["version"] == 2


def test_every_attack_is_refused_by_its_name_counted_and_changes_nothing():
    w = World()
    try:
        modelled = {version: w.chain.policy(version, extra=with_model(version)) for version in (2, 3)}
        w.start()
        good = w.release(w.one)
        w.hq.artifact(w.one)
        w.hq.retain(CHANNEL, good)
        wait_release(w.store, "good", 10)
        attack_signatures(w, good, modelled[2])
        attack_numbers(w, good, modelled[2])
        attack_roots(w)
        attack_orders(w)
        attack_transfer(w, modelled[2], modelled[3])
        attack_bundles(w, w.chain.policy(4), modelled[2])
        attack_rules(w)
        attack_own_transfer(w)
        attack_receipts(w)
        attack_log(w)
        attack_expiry(w, modelled[2])
    finally:
        w.close()


CARD = "4000123412341234"


def leaves(store):
    """What aisled says when it does not start."""
    done = subprocess.run(AISLED + ["--config", store.conf], capture_output=True, text=True, timeout=20)
    return done.returncode, done.stderr


def rows(folder):
    """Each row of state.db and keys.db, of a copy: looking would change them."""
    found = {}
    with tempfile.TemporaryDirectory() as copy:
        for name in ("state.db", "keys.db"):
            for tail in ("", "-wal"):
                if os.path.exists(os.path.join(folder, name + tail)):
                    shutil.copy(os.path.join(folder, name + tail), copy)
            db = sqlite3.connect(os.path.join(copy, name))
            for table, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                found[name, table] = sorted(map(repr, db.execute(f'SELECT * FROM "{table}"')))
            db.close()
    return found


def subject_of(store, card):
    with open(store.pepper) as f:
        return hashlib.blake2b(card.encode(), digest_size=16, key=bytes.fromhex(f.read().strip())).hexdigest()


def test_a_state_folder_is_nothing_to_another_gateway():
    folders = []

    def gateway(key):
        """With a data key that its machine alone has."""
        store = Store()
        folders.append(store)
        store.credentials = os.path.join(store.folder, "credentials")
        os.mkdir(store.credentials)
        with open(os.path.join(store.credentials, "aisle-data-key"), "wb") as f:
            f.write(bytes([key]) * 32)
        os.environ["CREDENTIALS_DIRECTORY"] = store.credentials
        store.start()
        return store
    try:
        home = gateway(1)
        home.ctl("bundle", "install", bundle(home.folder))
        # of a tier that no rule speaks of: a policy's words lie in the state, as the policy does beside it
        anna = dict(GOLD, attributes=dict(GOLD["attributes"], tier="silvergilt"))
        home.ctl("profiles", "install", profiles(home.folder, [anna] + [dict(anna, card=f"77{n:010d}", line=f"line {n}") for n in range(3)],
                                                    pepper=home.pepper))
        reader = Client(home.broker.port)
        for n in range(3):
            home.reader(reader, "consent.changed", {"card": f"77{n:010d}", "purpose": "profile", "state": "granted"})
        home.reader(reader, "consent.changed", {"card": CARD, "purpose": "profile", "state": "granted"})
        wait_for("the customers", lambda: CARD == GOLD["card"] and json.loads(home.ctl("customer", "show", "--json", stdin=CARD + "\n"))["known"])
        reader.close()
        home.stop()
        away = gateway(2)
        away.stop()
        state, own = os.path.join(away.folder, "state"), os.path.join(away.folder, "own")
        os.rename(state, own)
        # nothing of a customer is readable in any file
        for at, _, names in os.walk(os.path.join(home.folder, "state")):
            for name in names:
                found = [word for word in (CARD, "770000000001", "line 1", "Gold", "silvergilt", "granted") if word.encode() in read(os.path.join(at, name))]
                assert not found or "bundles" in at, (name, found)

        def copied(keys_of=None, key=None, store="0042"):
            """Refused, in these words, and not a row of it is another."""
            shutil.rmtree(state, ignore_errors=True)
            shutil.copytree(os.path.join(home.folder, "state"), state)
            if keys_of is not None:
                for name in [n for n in os.listdir(state) if n.startswith("keys.db")]:
                    os.remove(os.path.join(state, name))
                for name in [n for n in os.listdir(keys_of) if n.startswith("keys.db")]:
                    shutil.copy(os.path.join(keys_of, name), state)
            with open(away.conf) as f:
                text = f.read()
            with open(away.conf, "w") as f:
                f.write(text.replace("id = 0042", f"id = {store}").replace("id = 0043", f"id = {store}"))
            os.environ["CREDENTIALS_DIRECTORY"] = key or away.folder
            before = rows(state), files(away)
            code, said = leaves(away)
            assert code != 0 and (rows(state), files(away)) == before, (code, said)
            return said
        assert "no data key; expected the credential" in copied()
        assert "does not open with this data key" in copied(key=away.credentials)
        assert "the state of another gateway" in copied(keys_of=own, key=away.credentials)
        assert "of another store than 0043" in copied(key=home.credentials, store="0043")
        # at home it is what it was, but for two customers' rows that changed places: they open to nobody
        os.environ["CREDENTIALS_DIRECTORY"] = home.credentials
        db = sqlite3.connect(os.path.join(home.folder, "state", "profiles-1.db"))
        subjects = {n: bytes.fromhex(subject_of(home, f"77{n:010d}")) for n in (1, 2)}
        bodies = {n: db.execute("SELECT body FROM row WHERE subject = ?", (subjects[n],)).fetchone()[0] for n in (1, 2)}
        for n in (1, 2):
            db.execute("UPDATE row SET body = ? WHERE subject = ?", (bodies[3 - n], subjects[n]))
        db.commit()
        db.close()
        home.start()
        told = [json.loads(home.ctl("customer", "export", stdin=f"77{n:010d}\n")).get("profile", {}).get("line") for n in range(3)]
        assert told == ["line 0", None, None], told
        assert json.loads(home.ctl("customer", "show", "--json", stdin=CARD + "\n"))["known"] and home.status()["policy"]["version"] == 1
    finally:
        os.environ.pop("CREDENTIALS_DIRECTORY", None)
        for store in folders:
            store.close()


if __name__ == "__main__":
    main([test_every_attack_is_refused_by_its_name_counted_and_changes_nothing, test_a_state_folder_is_nothing_to_another_gateway])
