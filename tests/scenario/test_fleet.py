#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl fleet: what it sends is a release or an order like any other, with the next number, whole or waiting for who has to sign, too."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone

import policy
from headquarters import Headquarters
from store import AISLECTL, Broker, main


class Folder:
    """Headquarters' folder with root, a policy and its release 1."""

    def __init__(self, threshold=1):
        self.folder = tempfile.mkdtemp(prefix="aisle-fleet-")
        self.hq = Headquarters(self.folder, threshold)
        self.dir = os.path.join(self.folder, "hq")
        for name in ("root", "releases", "orders", "artifacts", "stores"):
            os.makedirs(os.path.join(self.dir, name))
        shutil.copy(self.hq.root, self.dir + "/root/1.json")
        self.bundle = policy.bundle(self.folder)
        shutil.copy(self.bundle, self.dir + "/artifacts/one.bundle")
        self.first = self.dir + "/releases/stable-1.json"
        shutil.copy(self.hq.release(1, self.bundle, keys=("r1", "r2")[:threshold]), self.first)

    def fleet(self, *words, key="r1", code=0, dir=True):
        return self.hq.ctl("fleet", *words, "--key", self.hq.path(key + ".key"), *(("--dir", self.dir) if dir else ()), code=code)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def in_folder(threshold=1):
    def wrap(test):
        def run():
            folder = Folder(threshold)
            try:
                test(folder)
            finally:
                folder.close()
        run.__name__ = test.__name__
        return run
    return wrap


def manifest(folder, path):
    out = folder.folder + "/manifest"
    folder.hq.ctl("order" if "/orders/" in path else "release", "show", path, "--manifest", out)
    with open(out) as f:
        return json.load(f)


@in_folder()
def test_a_release_goes_to_a_ring_a_share_everybody_nobody_and_back(folder):
    steps = [(("roll", folder.first, "--ring", "early,pilot"), {"rings": ["early", "pilot"]}),
             (("roll", folder.first, "--percent", "10"), {"percent": 10}),
             (("hold", folder.first), {"percent": 0}),
             (("roll", folder.first), {}),
             (("back", folder.first), {})]
    first = manifest(folder, folder.first)
    for number, (words, audience) in enumerate(steps, start=2):
        path = folder.fleet(*words).strip()
        assert path == f"{folder.dir}/releases/stable-{number}.json", path
        made = manifest(folder, path)
        assert made["sequence"] == number and made["bundles"] == first["bundles"], made
        assert {k: v for k, v in made.items() if k in ("rings", "percent", "stores")} == audience, made
        assert folder.hq.ctl("release", "verify", path, "--root", folder.hq.root) is not None
    folder.fleet("back", folder.first, "--ring", "early", code=64)
    folder.fleet("roll", folder.first, "--sequence", "1", code=64)
    folder.fleet("roll", folder.first, dir=False, code=64)
    folder.fleet("roll", folder.first, key="o1", code=77)
    assert len(os.listdir(folder.dir + "/releases")) == 6


@in_folder()
def test_an_action_is_stopped_everywhere_in_a_ring_and_in_a_store(folder):
    for words, target, number, kind in ((("stop", "coffee-off"), "all", 1, "stop"), (("lift", "coffee-off"), "all", 2, "lift"),
                                        (("stop", "*", "--ring", "early"), "ring:early", 1, "stop"), (("stop", "enrol", "--store", "0042"), "0042", 1, "stop")):
        path = folder.fleet(*words, key="o1").strip()
        assert path == f"{folder.dir}/orders/{target.replace(':', '-')}-{number}.json", path
        made = manifest(folder, path)
        assert (made["store"], made["sequence"], made["type"], made["action"]) == (target, number, kind, words[1]), made
    folder.fleet("stop", "coffee-off", code=77)      # with a release key
    # A file that nobody can read, or that waits for a signature, keeps no stop from being given.
    with open(folder.dir + "/orders/all-3.json", "w") as f:
        f.write("torn")
    with open(folder.dir + "/all-4.json", "w") as f:
        f.write("waits")
    path = folder.fleet("stop", "*", key="o1").strip()
    assert path == folder.dir + "/orders/all-5.json" and manifest(folder, path)["sequence"] == 5, path
    folder.fleet("stop", "*", "--sequence", "3", key="o1", code=77)
    folder.fleet("stop", "coffee-off", "--ring", "a", "--store", "b", key="o1", code=64)


@in_folder()
def test_a_misspelt_action_is_no_order(folder):
    def said(*words):
        done = subprocess.run(AISLECTL + ["fleet", *words, "--key", folder.hq.path("o1.key"), "--dir", folder.dir], capture_output=True, text=True)
        return done.returncode, done.stderr.strip()
    shutil.copy(folder.bundle, folder.dir + "/artifacts/again.bundle")
    code, told = said("stop", "cofee-off")
    assert code == 66 and told.endswith(f'"cofee-off" is no action of any policy in {folder.dir}/artifacts; is "coffee-off" meant?'), told
    assert said("lift", "cofee-off")[0] == 66 and os.listdir(folder.dir + "/orders") == []
    # What was stopped is allowed again, also when no policy has it any more.
    folder.fleet("stop", "coffee-off", key="o1")
    policy.bundle(folder.folder, actions=[policy.ENROL])
    shutil.copy(folder.bundle, folder.dir + "/artifacts/one.bundle")
    shutil.copy(folder.bundle, folder.dir + "/artifacts/again.bundle")
    assert said("lift", "coffee-off")[0] == 0
    # A folder without a policy knows no better.
    for name in ("one", "again"):
        os.remove(f"{folder.dir}/artifacts/{name}.bundle")
    os.remove(folder.first)
    assert said("stop", "whatever")[0] == 0


@in_folder()
def test_a_folder_that_is_none_and_a_ring_of_nobody_are_told(folder):
    def said(*words, key="o1"):
        done = subprocess.run(AISLECTL + [*words, "--key", folder.hq.path(key + ".key")] if key else AISLECTL + [*words], capture_output=True, text=True)
        return done.returncode, done.stderr
    nowhere = folder.dir + "x"
    for words, key in ((("fleet", "stop", "enrol", "--dir", nowhere), "o1"), (("fleet", "roll", folder.first, "--dir", nowhere), "r1"),
                       (("fleet", "--from", "sqlite:" + nowhere, "--dir", nowhere), None),
                       (("publish", "--dir", nowhere, "--broker", "mqtt://127.0.0.1:1"), None), (("publish", "--serve", "--dir", folder.folder,
                        "--broker", "mqtt://127.0.0.1:1"), None)):
        code, told = said(*words, key=key)
        assert code == 66 and "expected headquarters' folder" in told, (words, told)
    assert not os.path.exists(nowhere)
    assert "warning" not in said("fleet", "stop", "enrol", "--store", "0043", "--dir", folder.dir)[1], "it knows no stores"
    for store, ring in (("0042", ""), ("0044", "ring = early\n")):
        os.makedirs(f"{folder.dir}/stores/{store}")
        with open(f"{folder.dir}/stores/{store}/hq.conf", "w") as f:
            f.write(f"[hq]\nchannel = stable\n{ring}")
    for words, nobody in ((("--store", "0042"), None), (("--store", "0043"), "0043"), (("--ring", "early"), None), (("--ring", "erly"), "in ring erly"), ((), None)):
        code, told = said("fleet", "stop", "enrol", *words, "--dir", folder.dir)
        assert code == 0 and ("warning" in told) == (nobody is not None), told
        assert nobody is None or f"none of the 2 stores in {folder.dir}/stores is {nobody}\n" in told, told
    code, told = said("fleet", "roll", folder.first, "--ring", "early,erly", "--dir", folder.dir, key="r1")
    assert code == 0 and told.count("warning") == 1 and "in ring erly" in told, told


@in_folder(threshold=2)
def test_what_needs_two_signatures_waits_for_the_second(folder):
    said = folder.fleet("roll", folder.first)
    waiting = folder.dir + "/stable-2.json"
    assert said.startswith(waiting + " needs another signature: aislectl release sign "), said
    assert not os.path.exists(folder.dir + "/releases/stable-2.json")
    folder.hq.ctl("release", "sign", waiting, "--key", folder.hq.path("r2.key"))
    folder.hq.ctl("release", "verify", waiting, "--root", folder.hq.root)
    both = folder.hq.path("r1.key") + "," + folder.hq.path("r2.key")
    os.remove(waiting)
    assert folder.hq.ctl("fleet", "roll", folder.first, "--key", both, "--dir", folder.dir).strip() == folder.dir + "/releases/stable-2.json"


@in_folder()
def test_with_a_broker_it_is_sent_at_once(folder):
    broker = Broker(folder.folder, "hqbroker")
    try:
        said = folder.fleet("stop", "coffee-off", "--broker", f"mqtt://127.0.0.1:{broker.port}", key="o1")
        assert "root 1, 1 releases, 1 orders" in said, said
        got = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-p", str(broker.port), "-t", "aisle/v1/hq/stop", "-C", "1", "-W", "10"],
                             capture_output=True, text=True).stdout
        assert len(json.loads(got)) == 1
    finally:
        broker.stop(signal.SIGKILL)


@in_folder()
def test_a_root_that_ends_soon_is_said(folder):
    path = folder.folder + "/records.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE record(store TEXT, type TEXT, at TEXT, body TEXT)")
    folder.hq.ctl("fleet", "--from", "sqlite:" + path, "--dir", folder.dir)
    assert folder.hq.said == "", folder.hq.said
    keys = [folder.hq.path(name + ".pub") for name in ("r1", "o1", "e1")]
    for days, said in (("61d", False), ("59d", True)):
        folder.hq.ctl("keys", "root", "--version", "2", "--release", keys[0], "--order", keys[1], "--erase", keys[2], "--threshold", "1",
                      "--expires", days, "--previous", folder.hq.root, "--key", folder.hq.path("r1.key"), "-o", folder.dir + "/root/2.json")
        folder.hq.ctl("fleet", "--from", "sqlite:" + path, "--dir", folder.dir)
        assert ("root 2 ends on " in folder.hq.said) == said, (days, folder.hq.said)


@in_folder()
def test_the_last_health_of_each_store_counts_and_a_clock_that_ran_ahead_hides_nothing(folder):
    path = folder.folder + "/records.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE record(store TEXT, epoch TEXT, lane TEXT, seq INTEGER, type TEXT, at TEXT, body TEXT, PRIMARY KEY(store, epoch, lane, seq))")

    def health(store, seq, minutes, sequence, state="good"):
        at = (datetime.now(timezone.utc) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        body = {"at": at, "policy": {"name": "test", "version": 1}, "release": {"channel": "stable", "sequence": sequence, "state": state, "why": "exam"}}
        db.execute("INSERT INTO record VALUES(?, 'e', 'telemetry', ?, 'health', ?, ?)", (store, seq, at, json.dumps(body)))
    health("0001", 1, 50, 1, "refused")
    health("0001", 2, 5, 1)
    health("0002", 1, 5, 1, "refused")
    health("0003", 1, -60 * 24 * 400, 1, "refused")
    health("0003", 2, 5, 1)
    health("0004", 1, 60 * 5, 1)
    db.commit()
    db.close()
    os.makedirs(folder.dir + "/stores/0005")
    told = json.loads(folder.hq.ctl("fleet", "--from", "sqlite:" + path, "--dir", folder.dir, "--json"))
    assert {s["store"]: s["verdict"] for s in told["stores"]} == {"0001": "good", "0002": "refused", "0003": "good", "0004": "silent", "0005": "silent"}, told
    assert [s["store"] for s in told["stores"]][:3] == ["0002", "0004", "0005"], told
    told = json.loads(folder.hq.ctl("fleet", "--from", "sqlite:" + path, "--silent", "6h", "--json"))
    assert told["counts"]["silent"] == 0 and told["counts"]["stores"] == 4, told
    folder.hq.ctl("fleet", "--from", "sqlite:/nonexistent/x.db", code=74)
    folder.hq.ctl("fleet", "--from", "mysql:x", code=65)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
