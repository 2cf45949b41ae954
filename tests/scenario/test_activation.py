#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Headquarters' releases over the air: verified, fetched, examined, tried, switched, watched; and what is refused."""
import base64
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

from policy import ENROL, OFFER, changed
from releases import Chain, Headquarters, ctl, digest, read, release_of, trusting_store, wait_release
from store import AISLECTL, RUN, STARTED, Client, children, main, wait_for
from test_catalog import build as catalog
from test_clock import YEAR, JumpingStore


class Fleet:
    """A chain, one store of it, and its headquarters."""

    def __init__(self, threshold=1, config="", root=1, start=True):
        self.folder = tempfile.mkdtemp(prefix="aisle-chain-")
        self.chain = Chain(os.path.join(self.folder, "hq"), threshold)
        self.store = self.make_store(config)
        self.hq = Headquarters(self.store)
        self.hq.publish(self.chain.roots[0])
        if start:
            self.store.start()

    def make_store(self, config):
        return trusting_store(self.chain, config)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hq.close()
        self.store.close()
        self.store.hq.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def roll_out(self, sequence, *bundles, **more):
        release = self.chain.release(sequence, *bundles, **more)
        self.hq.publish(release, *bundles)
        return release

    def policy(self):
        return (self.store.status()["policy"] or {}).get("version")

    def refused(self):
        return self.store.status()["refused"]


QUICK = ["probation_s=1"]


def bundles_of(store):
    """name → bytes of all that it keeps of headquarters' and its own bundles."""
    kept = {}
    for folder in ("bundles", "trust"):
        path = os.path.join(store.folder, "state", folder)
        for name in os.listdir(path) if os.path.isdir(path) else []:
            kept[folder, name] = read(os.path.join(path, name))
    return kept


def bundle_path(store, path):
    return os.path.join(store.folder, "state", "bundles", digest(path))


# ---- what is good ----

def test_a_release_comes_over_the_air_and_one_after_it_is_watched():
    with Fleet() as f:
        assert release_of(f.store) == {"channel": "stable", "state": "none"}
        told = {one["check"]: one for one in json.loads(f.store.ctl("doctor", "--json", code=None))["checks"]}
        assert told["policy"]["state"] == "bad" and told["policy"]["mend"].startswith("Headquarters' next release"), told["policy"]
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        assert f.policy() == 1 and f.store.status()["good"]["version"] == 1 and f.store.status()["root"] == 1
        f.roll_out(2, f.chain.policy(2), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        assert f.policy() == 2 and f.store.status()["good"]["version"] == 1, f.store.status()
        assert not os.listdir(os.path.join(f.store.folder, "state", "transfer")), "nothing stays of what came"
        # back to the older one: a higher sequence that names it, which is here already
        f.roll_out(3, f.chain.policy(1), bounds=QUICK)
        wait_release(f.store, "good", 3)
        assert f.policy() == 1 and f.store.status()["good"]["version"] == 1 and f.refused() == {}
        f.store.stop()
        f.store.hq.stop()
        f.store.start()
        assert f.policy() == 1 and release_of(f.store)["state"] == "good", "without headquarters, after a restart"


def test_what_lies_here_of_an_older_release_and_is_damaged_comes_anew():
    with Fleet() as f:
        first = catalog(f.folder, version=1)
        f.roll_out(1, f.chain.policy(1), first)
        wait_release(f.store, "good", 1)
        f.roll_out(2, f.chain.policy(2), catalog(f.folder, version=2), bounds=QUICK)
        wait_release(f.store, "good", 2)
        # a bit of each turns while nobody needs them
        for path in (bundle_path(f.store, f.chain.policy(1)), os.path.join(f.store.folder, "state", "catalogs", digest(first))):
            with open(path, "r+b") as file:
                file.seek(-100, os.SEEK_END)
                byte = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte[0] ^ 1]))
        f.roll_out(3, f.chain.policy(1), first, bounds=QUICK)
        wait_release(f.store, "good", 3)
        assert f.policy() == 1 and f.store.status()["catalog"]["version"] == 1 and "why" not in release_of(f.store), release_of(f.store)
        assert f.store.log_text().count("is damaged, and comes anew") >= 2


def test_a_store_that_is_two_releases_and_one_root_behind():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        f.store.stop()
        f.roll_out(2, f.chain.policy(2))
        f.chain.key("c")
        root = f.chain.root(["b", "c"])
        f.hq.publish(root)
        f.roll_out(3, f.chain.policy(3), keys=["c"], bounds=QUICK)
        f.store.start()
        wait_release(f.store, "good", 3)
        assert f.policy() == 3 and f.store.status()["root"] == 2
        f.store.stop()
        f.store.start()
        assert f.store.status()["root"] == 2, "the newer root is kept"
        f.hq.retain("aisle/v1/hq/release/stable", read(f.chain.release(4, f.chain.policy(2), keys=["a"])))
        wait_for("a refusal", lambda: f.refused().get("revoked-key"))
        assert f.policy() == 3


def test_a_key_of_a_root_in_between_is_known_as_revoked_after_a_restart():
    with Fleet() as f:
        for name in ("c", "d"):
            f.chain.key(name)
        f.hq.publish(f.chain.root(["b", "c"]))
        f.hq.publish(f.chain.root(["b", "d"]))
        wait_for("root 3", lambda: f.store.status()["root"] == 3)
        f.store.stop()
        f.store.start()
        f.hq.retain("aisle/v1/hq/release/stable", read(f.chain.release(1, f.chain.policy(1), keys=["c"])))
        wait_for("a refusal", f.refused)
        assert f.refused() == {"revoked-key": 1} and f.policy() is None


def test_policy_and_catalog_of_one_release_come_into_force_in_one_step_and_go_in_one():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1), catalog(f.folder, version=1))
        wait_release(f.store, "good", 1)
        assert f.policy() == 1 and f.store.status()["catalog"]["version"] == 1
        f.roll_out(2, f.chain.policy(2), catalog(f.folder, version=2), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        assert f.policy() == 2 and f.store.status()["catalog"]["version"] == 2
        f.store.stop(signal.SIGABRT)
        f.store.start()
        wait_release(f.store, "rolled-back", 2)
        assert f.policy() == 1 and f.store.status()["catalog"]["version"] == 1
        # a catalog alone; then one that cannot be read, with a policy that could
        f.roll_out(3, catalog(f.folder, version=3), bounds=QUICK)
        wait_release(f.store, "good", 3)
        assert f.policy() == 1 and f.store.status()["catalog"]["version"] == 3
        assert os.path.exists(bundle_path(f.store, f.chain.policy(1)) + ".image"), "what is in force is not retired"
        bad = forged(catalog(f.folder, version=4), {"articles": b"none"})
        f.hq.artifact(bad)
        f.hq.retain("aisle/v1/hq/release/stable", read(f.chain.release_of_anything(4, bad, policy=catalog(f.folder, version=4))))
        assert wait_release(f.store, "refused", 4)["why"] == "schema"
        f.store.stop()
        f.store.start()
        assert f.policy() == 1 and f.store.status()["catalog"]["version"] == 3


def sell(store, till, first, count, lines=3):
    """Sales at station 7, each closed."""
    for n in range(first, first + count):
        store.till(till, "basket.opened", {"basket": f"b{n}", "terminal": "7", "station": "7"})
        for line, category in enumerate(["grocery/tea", "grocery/bread", "grocery/milk"][:lines], 1):
            store.till(till, "basket.item-added", store.item(f"b{n}", line, category, 600))
        store.till(till, "basket.closed", {"basket": f"b{n}", "total": 600 * lines, "currency": "EUR"})
    wait_for("the sales", lambda: store.status()["visits"] == 0)


def test_a_candidate_is_tried_on_the_stores_own_last_sales():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        till = Client(f.store.broker.port)
        sell(f.store, till, 0, 50)
        till.close()
        f.roll_out(2, f.chain.policy(2), bounds=QUICK)
        assert wait_release(f.store, "good", 2)["shadow"].startswith("50 sales: the same top card in 100 % of 150 decisions, 50 cards")
        # a policy that shows nobody the card that everybody got
        f.roll_out(3, f.chain.policy(3, actions=[OFFER]), bounds=QUICK)
        release = wait_release(f.store, "refused", 3)
        assert release["why"] == "shadow" and "expected at least 50 %" in release["detail"], release
        assert f.policy() == 2 and f.refused() == {"shadow": 1}
        # headquarters may say that this is meant
        f.roll_out(4, f.chain.policy(3), bounds=QUICK + ["agreement=0"])
        wait_release(f.store, "good", 4)
        assert f.policy() == 3


class OwnReleases:
    """Profiles for the one store of a fleet: made, signed, and served by who waits for its questions."""

    def __init__(self, fleet):
        self.f, self.serving = fleet, None
        self.files = {name: os.path.join(fleet.folder, name) for name in ("request", "device", "rows")}
        fleet.store.ctl("enroll", "-o", self.files["request"])
        ctl("enroll", "sign", self.files["request"], "--key", fleet.chain.path("order.key"), "-o", self.files["device"])

    def make(self, sequence, version, rows, *words):
        f, bundle = self.f, os.path.join(self.f.folder, f"profiles-{version}")
        with open(self.files["rows"], "w") as rows_file:
            for n in range(rows):
                rows_file.write(json.dumps({"card": f"77{n:010d}", "attributes": {"tier": "gold"}}) + "\n")
        ctl("profiles", "build", self.files["rows"], "--store", f.store.id, "--pepper", f.store.pepper, "--to", self.files["device"],
            "--version", version, *words, "-o", bundle)
        return bundle, f.chain.release(sequence, bundle, more=["--stores", f.store.id])

    def send(self, sequence, version, rows, *words):
        f = self.f
        bundle, release = self.make(sequence, version, rows, *words)
        # who serves listens before the store asks, which else asks again half a minute later
        f.store.stop()
        self.close()
        before = f.store.log_text().count("publish: serving")
        self.serving = subprocess.Popen(AISLECTL + ["publish", f.chain.roots[0], release, bundle, "--serve", "--broker", f"mqtt://127.0.0.1:{f.store.hq.port}"],
                                        stdout=f.store.log, stderr=f.store.log)
        STARTED.append(self.serving)
        wait_for("who serves", lambda: f.store.log_text().count("publish: serving") > before, 20)
        f.store.start()

    def own(self, state, sequence):
        def there():
            release = self.f.store.status().get("own_release", {})
            return release if (release.get("state"), release.get("sequence")) == (state, sequence) else None
        try:
            return wait_for(f"own release {sequence} {state}", there, 20)
        except AssertionError:
            raise AssertionError(self.f.store.status(), self.f.store.log_text()[-2000:])

    def close(self):
        if self.serving:
            self.serving.terminate()
            self.serving.wait()


def test_profiles_come_to_one_store_encrypted_and_a_gap_asks_for_a_snapshot():
    with Fleet() as f:
        profiles = OwnReleases(f)
        profiles.send(1, 1, 5)
        profiles.own("good", 1)
        assert f.store.status()["profiles"] == 5
        profiles.send(2, 3, 9, "--from", 2)
        assert profiles.own("refused", 2)["why"] == "gap" and f.refused() == {"gap": 1}
        assert f.store.status()["profiles"] == 5
        profiles.send(3, 3, 9)
        profiles.own("good", 3)
        assert f.store.status()["profiles"] == 9
        f.store.stop()
        f.store.start()
        assert f.store.status()["profiles"] == 9 and f.store.status()["own_release"]["state"] == "good"
        # headquarters orders a snapshot: until it has come no delta will do
        order = f.chain.path("snapshot.json")
        ctl("order", "make", "--store", f.store.id, "--type", "snapshot", "--sequence", 1, "--expires", "30d", "-o", order)
        ctl("order", "sign", order, "--key", f.chain.path("order.key"))
        f.hq.publish(order)
        wait_for("the order", lambda: "type=snapshot" in f.store.log_text())
        assert "9 of version 3; a snapshot is waited for" in f.store.ctl("doctor", code=None)
        profiles.send(4, 4, 10, "--from", 3)
        assert profiles.own("refused", 4)["why"] == "gap" and "ordered" in profiles.own("refused", 4)["detail"]
        profiles.send(5, 3, 8)      # of the version that is here already
        profiles.own("good", 5)
        assert f.store.status()["profiles"] == 8 and "8 of version 3\n" in f.store.ctl("doctor", code=None)
        profiles.send(6, 4, 10, "--from", 3)
        profiles.own("good", 6)
        profiles.close()


def held_child(pid):
    """The next process that aisled starts beside its loop, stopped as soon as it is there."""
    for child in children(pid):
        with open(f"/proc/{child}/cmdline") as words:
            if "--link" not in words.read():
                os.kill(child, signal.SIGSTOP)
                return True
    return False


def test_a_store_that_stops_while_profiles_are_taken_over_tells_their_release():
    if RUN:
        return  # an emulator's processes are not the daemon's
    os.environ["MALLOC_PERTURB_"] = "165"   # what is used after it was freed is not what it was
    try:
        with Fleet() as f:
            profiles = OwnReleases(f)
            profiles.send(1, 1, 20000)
            wait_for("who makes the new set", lambda: held_child(f.store.process.pid), poll=0.001)
            assert f.store.stop() == 0
            assert "why=io: the daemon stops" in f.store.log_text(), f.store.log_text()[-2000:]
            f.store.start()
            profiles.own("good", 1)
            profiles.close()
    finally:
        del os.environ["MALLOC_PERTURB_"]


# ---- what is refused ----

def test_what_is_not_headquarters_is_refused_by_its_name_and_changes_nothing():
    with Fleet(threshold=2) as f:
        chain, topic = f.chain, "aisle/v1/hq/release/stable"
        good = f.roll_out(5, chain.policy(1))
        wait_release(f.store, "good", 5)
        kept = bundles_of(f.store)
        two = chain.policy(2)
        attacks = {
            "threshold": read(chain.release(6, two, keys=["a"])),
            "wrong-key": read(chain.release(6, two, keys=["a", "stranger"])),
            "sequence-older": read(chain.release(4, two)),
            "sequence-same": read(chain.release(5, two)),
            "fast-forward": read(chain.release(5 + (1 << 31) + 1, two)),
            "other-channel": read(chain.release(6, two, channel="other")),
            "not-for-us": read(chain.release(6, two, more=["--stores", "9999"])),
            "malformed": read(good)[:-20],
        }
        signed = json.loads(read(chain.release(6, two)))
        attacks["unsigned"] = json.dumps({"manifest": signed["manifest"], "signatures": []}, separators=(",", ":")).encode()
        text = base64.b64decode(signed["manifest"]).replace(b'"sequence":6', b'"sequence":7')
        attacks["bad-signature"] = json.dumps({"manifest": base64.b64encode(text).decode(), "signatures": signed["signatures"]},
                                              separators=(",", ":")).encode()
        for why, payload in attacks.items():
            f.hq.retain(topic, payload)
            wait_for(why, lambda: f.refused().get(why))
            assert release_of(f.store)["state"] == "good" and release_of(f.store)["why"] == why, release_of(f.store)
        assert f.refused() == dict.fromkeys(attacks, 1), f.refused()
        assert f.policy() == 1 and bundles_of(f.store) == kept, "nothing changed on disk"
        # again with each connection, and told of once
        f.hq.retain(topic, attacks["threshold"])
        f.roll_out(6, two, bounds=QUICK)
        wait_release(f.store, "good", 6)
        assert f.policy() == 2 and "why" not in release_of(f.store)


def test_a_release_that_has_expired_is_not_installed_and_serving_goes_on():
    with Fleet() as f:
        began = time.monotonic()
        f.roll_out(1, f.chain.policy(1), expires="3s")
        wait_release(f.store, "good", 1)
        late = f.chain.release(2, f.chain.policy(2), expires="1s")
        f.store.stop()
        time.sleep(1.1)
        f.hq.retain("aisle/v1/hq/release/stable", read(late))
        f.store.start()
        wait_for("a refusal", lambda: f.refused().get("expired"))
        wait_for("the first to be expired, too", lambda: time.monotonic() > began + 3)
        assert f.policy() == 1 and release_of(f.store)["state"] == "good"


def varint(number):
    number <<= 1
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def sized(data):
    return varint(len(data)) + data


def b2(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def forged(path, parts=None, sql=()):
    """A bundle with other parts than its build would let through, whole by its own digest."""
    out = f"{path}-{len(sql)}"
    shutil.copy(path, out)
    db = sqlite3.connect(out, isolation_level=None)
    for name, text in (parts or {}).items():
        if text is None:
            db.execute("DELETE FROM part WHERE name = ?", (name,))
        else:
            db.execute("INSERT OR REPLACE INTO part VALUES(?, ?)", (name, text))
    meta = [(n.encode(), v.encode()) for n, v in db.execute("SELECT name, value FROM meta ORDER BY name") if n != "digest"]
    rows = db.execute("SELECT name, body FROM part ORDER BY name").fetchall()
    digest = b2(b"".join(sized(n) + sized(v) for n, v in meta) + b"\0" + b"".join(sized(n.encode()) + b2(body) for n, body in rows))
    db.execute("UPDATE meta SET value = ? WHERE name = 'digest'", (digest.hex(),))
    for statement in sql:
        db.execute(statement)
    db.execute("VACUUM")
    db.close()
    return out


def test_a_bundle_that_is_not_what_it_should_be_is_refused_and_the_store_serves_on():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        good = f.chain.policy(2)
        other = f.chain.policy(3)
        action = json.dumps(dict(OFFER, propensity={"model": "missing"})).encode()
        trigger = forged(good, sql=["CREATE TRIGGER t AFTER INSERT ON part BEGIN SELECT 1; END"])
        missing = forged(good, {"actions/coffee-off.json": action})
        # reason → what is signed, what is sent in its place
        bad = [
            ("schema", f.chain.release_of_anything(2, trigger), trigger, None),
            ("policy", f.chain.release_of_anything(3, missing), missing, None),
        ]
        for sequence, (why, release, path, name) in enumerate(bad, 2):
            f.hq.artifact(path, name)
            f.hq.retain("aisle/v1/hq/release/stable", read(release))
            told = wait_release(f.store, "refused", sequence)
            assert told["why"] == why and told["detail"], told
            assert f.policy() == 1
        assert set(f.refused()) == {why for why, *_ in bad}, f.refused()
        # another bundle under the name of the one that is signed: it may come anew, and it is not opened
        f.hq.artifact(other, digest(good))
        f.hq.retain("aisle/v1/hq/release/stable", read(f.chain.release_of_anything(4, good)))
        wait_for("a refusal", lambda: f.refused().get("wrong-hash"))
        assert f.policy() == 1 and release_of(f.store)["state"] == "fetching"
        # the right hash and another size: its last chunk is not the one that is signed, and nothing is taken of it
        longer = f.chain.release_of_anything(5, good, bytes=os.path.getsize(good) + 4096)
        f.hq.artifact(good)
        f.hq.retain("aisle/v1/hq/release/stable", read(longer))
        wait_for("a chunk that is refused", lambda: f.refused().get("wrong-size"))
        assert f.policy() == 1 and release_of(f.store)["state"] == "fetching"
        assert len([n for k, n in bundles_of(f.store) if k == "bundles" and not n.endswith(".image")]) == 1
        f.hq.retain("aisle/v1/hq/release/stable", read(f.chain.release(9, good, bounds=QUICK)))
        wait_release(f.store, "good", 9)
        assert f.policy() == 2


def test_a_release_that_cannot_be_switched_on_now_waits_with_what_came_of_it():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        state = os.path.join(f.store.folder, "state")
        os.rename(os.path.join(state, "bundles"), os.path.join(state, "away"))
        open(os.path.join(state, "bundles"), "w").close()
        f.roll_out(2, f.chain.policy(2), bounds=QUICK)
        assert wait_release(f.store, "waiting", 2)["why"] == "io"
        assert f.policy() == 1
        os.unlink(os.path.join(state, "bundles"))
        os.rename(os.path.join(state, "away"), os.path.join(state, "bundles"))
        f.store.stop()
        f.store.hq.stop()
        f.store.start()
        wait_release(f.store, "good", 2)
        assert f.policy() == 2, "without headquarters"


def test_what_has_come_stays_while_a_release_waits_for_the_rest():
    with Fleet() as f:
        first, second = f.chain.policy(1), catalog(f.folder, version=1)
        transfer = os.path.join(f.store.folder, "state", "transfer")
        barred = os.path.join(transfer, digest(second) + ".part")
        os.makedirs(barred)     # it cannot be written, for now
        for path in (first, second):
            f.hq.artifact(path)
        f.hq.retain("aisle/v1/hq/release/stable", read(f.chain.release(1, first, second)))
        assert wait_release(f.store, "waiting", 1)["why"] == "io"
        assert os.path.exists(os.path.join(transfer, digest(first) + ".part"))
        # nobody has the first one any more
        for n in range(-(-os.path.getsize(first) // 65536)):
            f.hq.retain(f"aisle/v1/hq/artifact/{digest(first)}/{n}", b"")
        os.rmdir(barred)
        f.store.stop()
        f.store.start()
        wait_release(f.store, "good", 1)
        assert f.policy() == 1 and f.store.status()["catalog"]["version"] == 1


def test_a_release_that_the_store_cannot_keep_now_is_asked_for_again():
    with Fleet() as f:
        trust = os.path.join(f.store.folder, "state", "trust")
        shutil.rmtree(trust, ignore_errors=True)
        open(trust, "w").close()
        f.roll_out(1, f.chain.policy(1))
        wait_for("a refusal", lambda: f.store.log_text().count("a release was refused why=io") > 1)
        assert release_of(f.store)["why"] == "io", release_of(f.store)
        os.unlink(trust)
        wait_release(f.store, "good", 1)
        assert f.policy() == 1 and "why" not in release_of(f.store)


# ---- probation ----

def test_a_policy_that_makes_the_store_die_is_taken_back():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        f.roll_out(2, f.chain.policy(2), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        # a plain kill is nobody's fault
        f.store.stop(signal.SIGKILL)
        f.store.start()
        assert release_of(f.store)["state"] == "probation" and f.policy() == 2
        f.store.stop(signal.SIGABRT)
        f.store.start()
        release = wait_release(f.store, "rolled-back", 2)
        assert release["why"] == "probation" and release["detail"] == "1 errors, expected at most 0", release
        assert f.policy() == 1 and f.store.status()["good"]["version"] == 1 and f.refused() == {"probation": 1}
        f.store.stop()
        f.store.start()
        assert f.policy() == 1 and release_of(f.store)["state"] == "rolled-back", "and stays so"
        # what is not good is no way back for the next one
        f.roll_out(3, f.chain.policy(3), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 3)
        assert f.store.status()["good"]["version"] == 1


def test_what_is_on_probation_is_watched_whatever_becomes_of_the_release_after_it():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        f.roll_out(2, f.chain.policy(2), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        # the same policy once more, under other bounds
        f.roll_out(3, f.chain.policy(2), bounds=["probation_s=900", "errors=1"])
        wait_release(f.store, "probation", 3)
        bad = os.path.join(f.folder, "bad")
        shutil.copyfile(f.chain.policy(3), bad)
        with open(bad, "r+b") as file:
            file.write(b"no bundle at all")
        f.hq.artifact(bad)
        f.hq.retain("aisle/v1/hq/release/stable", read(f.chain.release_of_anything(4, bad)))
        wait_release(f.store, "refused", 4)
        assert f.policy() == 2 and f.store.status()["good"]["version"] == 1, f.store.status()
        for _ in range(2):
            f.store.stop(signal.SIGABRT)
            f.store.start()
        release = wait_for("the way back", lambda: release_of(f.store) if f.policy() == 1 else None)
        assert (release["state"], release["why"]) == ("refused", "probation"), release
        assert release["detail"] == "of release 3: 2 errors, expected at most 1", release
        assert "release rolled-back channel=stable sequence=3" in f.store.log_text()
        f.store.stop()
        f.store.start()
        assert f.policy() == 1 and release_of(f.store)["state"] == "refused", "and stays so"


def test_a_catalog_alone_is_on_probation_also_after_a_restart():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1), catalog(f.folder, version=1))
        wait_release(f.store, "good", 1)
        f.roll_out(2, catalog(f.folder, version=2), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        f.store.stop()
        f.store.start()
        assert release_of(f.store)["state"] == "probation", release_of(f.store)
        f.store.stop(signal.SIGABRT)
        f.store.start()
        wait_release(f.store, "rolled-back", 2)
        assert f.policy() == 1 and f.store.status()["catalog"]["version"] == 1


def test_where_there_was_no_catalog_the_way_back_is_to_none():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        f.roll_out(2, catalog(f.folder, version=1), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        # another one upon it does not make it good
        f.roll_out(3, catalog(f.folder, version=2), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 3)
        f.store.stop(signal.SIGABRT)
        f.store.start()
        wait_release(f.store, "rolled-back", 3)
        assert f.policy() == 1 and f.store.status()["catalog"] is None, f.store.status()
        f.store.stop()
        f.store.start()
        assert f.store.status()["catalog"] is None and release_of(f.store)["state"] == "rolled-back"


def test_a_way_back_that_is_barred_is_tried_again():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        f.roll_out(2, f.chain.policy(2), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        good = bundle_path(f.store, f.chain.policy(1))
        for path in (good, good + ".image"):
            os.rename(path, os.path.join(f.folder, os.path.basename(path)))
        os.symlink(good, good)      # what cannot be opened, for now
        f.store.stop(signal.SIGABRT)
        trust = os.path.join(f.store.folder, "state", "trust")
        open(os.path.join(trust, "release-0123456789abcdef.json"), "w").close()     # of one that could not be kept
        f.store.start()
        wait_for("a word on it", lambda: "cannot be used now" in f.store.log_text())
        assert f.policy() == 2 and release_of(f.store)["state"] == "probation" and release_of(f.store)["why"] == "probation"
        assert len(os.listdir(trust)) == 1, os.listdir(trust)
        os.unlink(good)
        for path in (good, good + ".image"):
            os.rename(os.path.join(f.folder, os.path.basename(path)), path)
        f.store.stop()
        f.store.start()
        wait_release(f.store, "rolled-back", 2)
        assert f.policy() == 1


TIP = changed(ENROL, action="tip", kind="recommend", incremental=0.5, eligible=True, applicable=True, gate="associate",
              outcome={"is": "bought", "within": "0d", "item": {"category": "grocery/milk"}})


def answer(store, till, token, first, count, dismissed):
    """So many cards, one a sale, of which the first ones are dismissed and the others accepted."""
    for n in range(first, first + count):
        store.till(till, "basket.opened", {"basket": f"d{n}", "terminal": "7", "station": "7"})
        store.till(till, "basket.item-added", store.item(f"d{n}", 1, "grocery/tea", 1500))
        shown = wait_for("a card", lambda: [g for g in till.on("guidance/7") if g.get("basket") == f"d{n}" and g.get("prompts")])[-1]
        path = f"/v1/guidance/{shown['guidance']}/prompts/{shown['prompts'][0]['prompt']}/decision"
        body = {"decision": "dismiss", "reason": "too-busy"} if n - first < dismissed else {"decision": "accept"}
        code, said = store.http("POST", path, body, token)
        assert code == 200, (code, said)
        store.till(till, "basket.closed", {"basket": f"d{n}", "total": 1500, "currency": "EUR"})


def test_a_policy_whose_cards_are_dismissed_is_taken_back():
    with Fleet() as f:
        f.roll_out(1, f.chain.policy(1, actions=[TIP]))
        wait_release(f.store, "good", 1)
        till = Client(f.store.broker.port, [f"{f.store.root}/guidance/7"])
        token = f.store.pair()
        answer(f.store, till, token, 0, 20, 4)
        f.roll_out(2, f.chain.policy(2, actions=[TIP]), bounds=["probation_s=600"])
        wait_release(f.store, "probation", 2)
        answer(f.store, till, token, 20, 20, 6)     # half as many again is within
        assert release_of(f.store)["state"] == "probation"
        answer(f.store, till, token, 40, 20, 20)
        release = wait_release(f.store, "rolled-back", 2)
        assert release["detail"].startswith("the share of cards dismissed went from 0.2 to 0."), release
        assert f.policy() == 1 and f.refused() == {"probation": 1}
        till.close()


# ---- no network, no clock ----

class ClocklessFleet(Fleet):
    """Its store's clock may be wrong."""

    def make_store(self, config):
        return trusting_store(self.chain, config, kind=JumpingStore)


def test_a_cold_start_without_a_network_and_with_a_wrong_clock_serves_the_last_good_bundle():
    if RUN:
        return  # an emulator's libraries are not the machine's
    with ClocklessFleet() as f:
        f.roll_out(1, f.chain.policy(1))
        wait_release(f.store, "good", 1)
        till = Client(f.store.broker.port)
        late = f.chain.release(2, f.chain.policy(2), expires="1s")
        made = time.monotonic()
        wait_for("it to expire", lambda: time.monotonic() > made + 2)
        sell(f.store, till, 0, 1)     # the state knows what time it is
        till.close()
        f.store.stop()
        f.store.broker.stop()
        f.store.hq.stop()
        for years in (-10, 10):
            f.store.jump(years * YEAR)
            f.store.boot()
            status = wait_for("aisled to answer", lambda: f.store.status(check=False), 20)
            assert status["policy"]["version"] == 1 and status["release"]["state"] == "good" and status["time"] == "uncertain", status
            f.store.stop()
        # its own time decides: what had expired does not come back with a clock that is ten years behind
        f.store.jump(-10 * YEAR)
        f.store.broker.start()
        f.store.hq.start()
        f.store.start()
        hq = Headquarters(f.store)
        hq.retain("aisle/v1/hq/release/stable", read(late))
        wait_for("a refusal", lambda: f.refused().get("expired"))
        hq.close()
        assert f.policy() == 1


# ---- carried in ----

def test_without_a_link_a_release_comes_on_a_stick_with_the_roots_that_it_needs():
    with Fleet(start=False) as f:
        f.store.hq.stop()
        f.store.start()
        stick = os.path.join(f.folder, "stick")
        os.makedirs(stick)
        path = os.path.join(stick, "spring")
        shutil.copy(f.chain.policy(1), path)
        f.store.ctl("bundle", "install", path, code=77)
        assert "FILE.release" in f.store.said, f.store.said
        f.chain.key("c")
        root = f.chain.root(["b", "c"])
        shutil.copy(root, stick)
        shutil.copy(f.chain.release(1, f.chain.policy(1), keys=["c"], bounds=QUICK), path + ".release")
        # not the bundle that it names
        with open(path, "ab") as file:
            file.write(b"x")
        f.store.ctl("bundle", "install", path, code=77)
        assert f.policy() is None
        shutil.copy(f.chain.policy(1), path)
        assert json.loads(f.store.ctl("bundle", "install", path))["policy"]["version"] == 1
        assert f.store.status()["root"] == 2 and release_of(f.store)["state"] == "good"
        # the same again is no harm; a lower sequence is refused
        f.store.ctl("bundle", "install", path)
        shutil.copy(f.chain.release(0 + 1, f.chain.policy(2), keys=["c"]), path + ".release")
        shutil.copy(f.chain.policy(2), path)
        f.store.ctl("bundle", "install", path, code=77)
        assert f.policy() == 1 and f.refused() == {"sequence-same": 1}
        # two of one release: the first waits for the other
        articles = os.path.join(stick, "articles")
        shutil.copy(catalog(f.folder), articles)
        shutil.copy(f.chain.release(2, f.chain.policy(2), articles, keys=["c"], bounds=QUICK), path + ".release")
        f.store.ctl("bundle", "install", path)
        assert f.policy() == 1 and release_of(f.store)["state"] == "fetching"
        f.store.ctl("bundle", "install", articles)
        assert f.policy() == 2 and f.store.status()["catalog"]["version"] == 1
        assert not [n for n in os.listdir(os.path.join(f.store.folder, "state", "trust")) if n.startswith("handed")]
        # the right hash, and another size
        three = f.chain.policy(3)
        shutil.copy(three, path)
        shutil.copy(f.chain.release_of_anything(3, three, bytes=os.path.getsize(three) + 1), path + ".release")
        f.store.ctl("bundle", "install", path, code=77)
        assert "wrong-size: the bundle has " in f.store.said and f.refused()["wrong-size"] == 1 and f.policy() == 2, f.store.said


def test_without_a_link_profiles_come_on_a_stick_with_their_release():
    with Fleet(start=False) as f:
        f.store.hq.stop()
        f.store.start()
        profiles = OwnReleases(f)
        bundle, release = profiles.make(1, 1, 5)
        f.store.ctl("profiles", "install", bundle, code=77)
        assert "FILE.release" in f.store.said, f.store.said
        shutil.copy(release, bundle + ".release")
        assert json.loads(f.store.ctl("profiles", "install", bundle)) == {"profiles": 5, "version": 1}
        assert f.store.status()["own_release"]["state"] == "good" and f.store.status()["release"]["state"] == "none"
        # once more is no harm; a delta upon another version is refused, and says so
        assert json.loads(f.store.ctl("profiles", "install", bundle))["profiles"] == 5
        bundle, release = profiles.make(2, 4, 6, "--from", 3)
        shutil.copy(release, bundle + ".release")
        f.store.ctl("profiles", "install", bundle, code=77)
        assert "expected a snapshot" in f.store.said and f.refused() == {"gap": 1}, f.store.said
        assert f.store.status()["profiles"] == 5


if __name__ == "__main__":
    main([test_a_release_comes_over_the_air_and_one_after_it_is_watched,
          test_what_lies_here_of_an_older_release_and_is_damaged_comes_anew,
          test_a_store_that_is_two_releases_and_one_root_behind,
          test_a_key_of_a_root_in_between_is_known_as_revoked_after_a_restart,
          test_policy_and_catalog_of_one_release_come_into_force_in_one_step_and_go_in_one,
          test_a_candidate_is_tried_on_the_stores_own_last_sales,
          test_profiles_come_to_one_store_encrypted_and_a_gap_asks_for_a_snapshot,
          test_a_store_that_stops_while_profiles_are_taken_over_tells_their_release,
          test_what_is_not_headquarters_is_refused_by_its_name_and_changes_nothing,
          test_a_release_that_has_expired_is_not_installed_and_serving_goes_on,
          test_a_bundle_that_is_not_what_it_should_be_is_refused_and_the_store_serves_on,
          test_a_release_that_cannot_be_switched_on_now_waits_with_what_came_of_it,
          test_what_has_come_stays_while_a_release_waits_for_the_rest,
          test_a_release_that_the_store_cannot_keep_now_is_asked_for_again,
          test_a_policy_that_makes_the_store_die_is_taken_back,
          test_what_is_on_probation_is_watched_whatever_becomes_of_the_release_after_it,
          test_a_catalog_alone_is_on_probation_also_after_a_restart,
          test_where_there_was_no_catalog_the_way_back_is_to_none,
          test_a_way_back_that_is_barred_is_tried_again,
          test_a_policy_whose_cards_are_dismissed_is_taken_back,
          test_a_cold_start_without_a_network_and_with_a_wrong_clock_serves_the_last_good_bundle,
          test_without_a_link_a_release_comes_on_a_stick_with_the_roots_that_it_needs,
          test_without_a_link_profiles_come_on_a_stick_with_their_release])
