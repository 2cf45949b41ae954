#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bundles that a store has taken, from outside: which it keeps, and what it goes back to."""
import os

from policy import POLICY, bundle, changed
from store import Store, main


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


def test_the_one_in_force_and_the_last_good_one_are_kept_and_no_others():
    store = Store()
    store.start()
    try:
        one, two, three = (install(store, built(store, v)) for v in (1, 2, 3))
        assert kept(store) == sorted([two, three]), "older ones fill the disk for ever"
        store.stop()
        # of an installation that a power cut ended; and a file that is not ours
        for name in (one, "README"):
            open(os.path.join(store.folder, "state", "bundles", name), "w").close()
        store.start()
        assert kept(store) == sorted([two, three, "README"])
        assert store.status()["policy"]["hash"] == three
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
        assert kept(store) == sorted([one, three])
        store.stop()
        spoil(store, three)
        store.start()
        assert (store.status()["policy"] or {}).get("hash") == one
    finally:
        store.close()


if __name__ == "__main__":
    main([test_the_one_in_force_and_the_last_good_one_are_kept_and_no_others,
          test_a_bundle_that_is_installed_twice_is_not_its_own_last_good_one])
