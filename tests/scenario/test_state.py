# SPDX-License-Identifier: Apache-2.0
"""The state folder from outside: put back from a copy, damaged where nobody looks."""
import json
import os
import re
import shutil
import sqlite3

from store import Client, Store, main, wait_for


def sell(store, baskets):
    """Baskets of one line, each event known to be on disk."""
    client = Client(store.broker.port, [f"{store.root}/pos/7/receipt"])
    for basket in baskets:
        for kind, data in (("opened", {"basket": basket, "terminal": "7"}),
                           ("item-added", store.item(basket, 1, "grocery/coffee", 450, name=os.urandom(60).hex())),
                           ("closed", {"basket": basket, "total": 450, "currency": "EUR"})):
            store.till(client, f"basket.{kind}", data, receipt=True)
    wait_for("receipts", lambda: sum(len(json.loads(p)["ids"]) for _, p, _ in client.messages) == 3 * len(baskets))
    client.close()


def state_file(store):
    return os.path.join(store.folder, "state", "state.db")


def run(store, baskets):
    store.start()
    sell(store, baskets)
    store.stop()


def epoch(store):
    state = sqlite3.connect(state_file(store))
    try:
        return state.execute("select value from meta where name = 'epoch'").fetchone()[0]
    finally:
        state.close()


def test_a_state_put_back_from_a_copy_has_a_new_epoch_and_any_other_start_has_not():
    store = Store()
    try:
        run(store, ["b1"])
        first = epoch(store)
        copy = state_file(store) + ".copy"
        shutil.copy(state_file(store), copy)
        run(store, ["b2"])
        assert epoch(store) == first
        shutil.copy(copy, state_file(store))
        run(store, ["b3"])
        second = epoch(store)
        assert second != first
        assert "put back from a copy" in store.log_text()
        run(store, ["b4"])
        assert epoch(store) == second
        # The copy of the state as it is now is no older one.
        shutil.copy(state_file(store), copy)
        shutil.copy(copy, state_file(store))
        run(store, ["b5"])
        assert epoch(store) == second
    finally:
        store.close()


def test_a_bit_that_flips_where_nobody_looks_is_found_by_looking_and_mended():
    store = Store()
    try:
        run(store, [f"b{n}" for n in range(40)])
        with open(state_file(store), "r+b") as state:
            size = state.seek(0, os.SEEK_END)
            # Every 40th page: some are of rows that this run never reads.
            for at in range(20 * 512 + 300, size, 40 * 512):
                state.seek(at)
                byte = state.read(1)
                state.seek(at)
                state.write(bytes([byte[0] ^ 4]))
        store.start()
        wait_for("damage to be found", lambda: os.path.exists(state_file(store) + ".damaged"), 20)
        wait_for("its count", lambda: re.search(rb"aisle_rows_damaged_total [1-9]", store.http("GET", "/metrics")[1]))
        sell(store, ["after"])
        store.stop()
        store.start()
        sell(store, ["later"])
        assert "damaged pages were found" in store.log_text() or "was copied" in store.log_text()
    finally:
        store.close()


def test_what_a_killed_daemon_had_half_received_is_gone_with_the_next_start():
    store = Store()
    try:
        store.start()
        store.stop()
        left = [os.path.join(path, "incoming-1-1") for path, _, _ in os.walk(os.path.join(store.folder, "state"))]
        for name in left:
            open(name, "w").close()
        store.start()
        assert [n for n in left if not os.path.exists(n)], left
        store.stop()
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
