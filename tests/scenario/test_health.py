#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How a store is, as headquarters hears of it: at its start, and when something that stands has changed."""
import json
import signal
import sqlite3

import policy
from store import Store, main, wait_for


def health(store):
    """The bodies of its health records, oldest first, as a collector wrote them."""
    into = f"{store.folder}/records.db"
    store.ctl("collect", "--once", "--into", f"sqlite:{into}", "--broker", f"mqtt://127.0.0.1:{store.hq.port}")
    db = sqlite3.connect(into)
    rows = db.execute("SELECT lane, body FROM record WHERE type = 'health' ORDER BY epoch, seq").fetchall()
    db.close()
    assert {lane for lane, _ in rows} <= {"telemetry"}, rows
    return [json.loads(body) for _, body in rows]


def test_a_record_at_the_start_and_one_when_the_policy_changed():
    store = Store(hq_folder=True)
    try:
        store.start()
        wait_for("headquarters", lambda: store.status()["hq"]["connected"])
        first = wait_for("a record", lambda: health(store))[0]
        assert first["policy"] is None, first
        assert first["store_time"] == "certain" and first["damaged"] == 0 and first["stops"] == {"all": 0, "actions": []}, first
        assert first["root"] is None and first["orders"] == 0 and first["refused"] == {} and first["profiles"] == {"version": 0, "rows": 0}, first
        disk = first["disk"]
        assert 0 < disk["state_bytes"] < disk["max_bytes"] == 1024 << 20 and disk["free_bytes"] > 0 and disk["written_bytes"] >= 0, disk
        assert 0 <= first["uptime_s"] < 60 and first["queued"] >= 0 and first["fetches"] == [] and first["version"] == store.status()["version"], first
        store.ctl("bundle", "install", policy.bundle(store.folder))
        told = wait_for("another record", lambda: health(store)[1:], 20)
        assert [body["policy"] for body in told] == [store.status()["policy"]], told
    finally:
        store.close()
        store.hq.stop(signal.SIGKILL)


def test_a_store_without_headquarters_keeps_no_record_for_it():
    store = Store()
    try:
        store.start()
        wait_for("the store", lambda: store.status()["mqtt"]["connected"])
        assert store.status()["hq"] == {"state": "none", "connected": False, "queued": 0}
    finally:
        store.close()


if __name__ == "__main__":
    main([test_a_record_at_the_start_and_one_when_the_policy_changed, test_a_store_without_headquarters_keeps_no_record_for_it])
