#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bundles that a store has taken, from outside: which it keeps, and what it goes back to."""
import json
import os
import signal
import subprocess
import time

from policy import OFFER, POLICY, bundle, changed
from store import AISLECTL, Client, Store, children, main, wait_for


def built(store, version):
    return bundle(os.path.join(store.folder, f"p{version}"), policy=changed(POLICY, version=version))


def install(store, path):
    store.ctl("bundle", "install", path)
    return store.status()["policy"]["hash"]


def kept(store):
    return sorted(n for n in os.listdir(os.path.join(store.folder, "state", "bundles")) if not n.endswith(".image"))


def spoil(store, name):
    with open(os.path.join(store.folder, "state", "bundles", name), "r+b") as f:
        f.seek(5000)
        f.write(b"spoilt")


def age(store, name, days):
    at = time.time() - days * 86400
    os.utime(os.path.join(store.folder, "state", "bundles", name), (at, at))


def test_a_replaced_bundle_stays_while_decisions_of_it_are_on_record():
    store = Store()
    store.start()
    try:
        one, two, three = (install(store, built(store, v)) for v in (1, 2, 3))
        assert kept(store) == sorted([one, two, three])
        client = Client(store.broker.port)
        store.till(client, "basket.opened", {"basket": "b1", "terminal": "7"})    # the state knows what time it is
        wait_for("a turn", lambda: store.status()["visits"])
        client.close()
        store.stop()
        # 35 days and one: the last that stays, the first that goes; the last good one stays at any age
        age(store, one, 35.9)
        age(store, two, 400)
        open(os.path.join(store.folder, "state", "bundles", "README"), "w").close()
        store.start()
        assert kept(store) == sorted([one, two, three, "README"])
        store.stop()
        age(store, one, 36.1)
        store.start()
        assert kept(store) == sorted([two, three, "README"])
        assert store.status()["policy"]["hash"] == three
    finally:
        store.close()


def test_of_replaced_bundles_only_the_youngest_sixteen_stay():
    store = Store()
    store.start()
    try:
        last = install(store, built(store, 1))
        store.stop()
        made = [f"{n:064x}" for n in range(1, 19)]
        for n, name in enumerate(made):
            open(os.path.join(store.folder, "state", "bundles", name), "w").close()
            age(store, name, 20 - n)
        store.start()
        assert kept(store) == sorted([last] + made[2:])
    finally:
        store.close()


def test_a_bundle_that_is_installed_twice_is_not_its_own_last_good_one():
    store = Store()
    store.start()
    try:
        one, two = (install(store, built(store, v)) for v in (1, 2))
        assert install(store, built(store, 2)) == two
        store.stop()
        spoil(store, two)
        store.start()
        assert (store.status()["policy"] or {}).get("hash") == one
        # what it went back to is the last good one now, not what was spoilt
        three = install(store, built(store, 3))
        assert kept(store) == sorted([one, two, three])
        store.stop()
        spoil(store, three)
        store.start()
        assert (store.status()["policy"] or {}).get("hash") == one
    finally:
        store.close()


def test_a_policys_name_may_have_any_character_that_a_name_may_have():
    store = Store()
    store.start()
    try:
        path = bundle(os.path.join(store.folder, "quoted"), policy=changed(POLICY, name='sale"1"\\'))
        assert json.loads(store.ctl("bundle", "install", path))["policy"]["name"] == 'sale"1"\\'
        assert json.loads(store.ctl("status", "--json"))["policy"]["name"] == 'sale"1"\\'
        assert store.status()["policy"]["name"] == 'sale"1"\\'
        assert 'sale"1"\\' in store.ctl("status")
        assert "hq        none\n" in store.ctl("status"), "a store without headquarters does not wait for them"
    finally:
        store.close()


def test_a_bundle_whose_compiler_does_not_end_is_refused_and_the_store_serves_on():
    store = Store(config="[limits]\nexam = 5s\n")
    store.start()
    try:
        one = install(store, built(store, 1))
        # large, so that its compiler is met while it runs
        two = bundle(os.path.join(store.folder, "p2"), policy=changed(POLICY, version=2),
                     actions=[dict(OFFER, action=f"coffee-{n}") for n in range(4000)])
        wait_for("the one before it to be gone", lambda: not children(store.process.pid))
        install_two = subprocess.Popen(AISLECTL + ["--config", store.conf, "bundle", "install", two],
                                       stderr=subprocess.PIPE, text=True)
        # what takes forever, whatever is in the bundle: its process does not go on
        compiler = wait_for("the compiler", lambda: children(store.process.pid), poll=0.001)[0]
        os.kill(compiler, signal.SIGSTOP)
        assert store.status()["policy"]["hash"] == one, "it answers meanwhile"
        said = install_two.communicate(timeout=20)[1]
        assert install_two.returncode == 77 and "took longer than 5 s" in said, (install_two.returncode, said)
        assert not children(store.process.pid)
        assert store.status()["policy"]["hash"] == one and kept(store) == [one]
        install(store, two)
    finally:
        store.close()


if __name__ == "__main__":
    main([test_a_bundle_whose_compiler_does_not_end_is_refused_and_the_store_serves_on,
          test_a_policys_name_may_have_any_character_that_a_name_may_have,
          test_a_replaced_bundle_stays_while_decisions_of_it_are_on_record,
          test_of_replaced_bundles_only_the_youngest_sixteen_stay,
          test_a_bundle_that_is_installed_twice_is_not_its_own_last_good_one])
