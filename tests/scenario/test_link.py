#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The link process, from outside: it dies, it hangs, and the store goes on and starts another."""
import os
import signal

from store import Client, Store, main, wait_for


def children(store):
    """(pid, state) of each process that the daemon has started and not buried."""
    with open(f"/proc/{store.process.pid}/task/{store.process.pid}/children") as f:
        pids = [int(pid) for pid in f.read().split()]
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as f:
                found.append((pid, f.read().rsplit(") ", 1)[1][0]))
        except OSError:
            pass
    return found


def link_of(store, but=()):
    return wait_for("a link", lambda: next((p for p, s in children(store) if s != "Z" and p not in but), None))


def test_a_link_that_dies_is_buried_and_started_again():
    store = Store(hq_port=1)
    store.start()
    try:
        seen = []
        for _ in range(3):
            seen.append(link_of(store, seen))
            os.kill(seen[-1], signal.SIGKILL)
        last = link_of(store, seen)
        wait_for("the dead to be buried", lambda: [p for p, _ in children(store)] == [last], 5)
    finally:
        store.close()


def test_a_link_that_is_stopped_does_not_outlive_the_daemon():
    store = Store(hq_port=1)
    store.start()
    try:
        link = link_of(store)
        os.kill(link, signal.SIGSTOP)
        assert store.stop() == 0
        assert not os.path.exists(f"/proc/{link}"), "the link that hung is still there"
    finally:
        store.close()


def metric(store, name):
    status, text = store.http("GET", "/metrics")
    assert status == 200
    return next(int(line.split()[1]) for line in text.decode().splitlines() if line.split()[0] == name)


def test_batches_and_acknowledgements_are_counted_once():
    store = Store(hq_folder=True)
    store.start()
    try:
        hq = Client(store.hq.port, [f"aisle/v1/hq/store/{store.id}/up/#"])
        wait_for("headquarters", lambda: store.status()["hq"]["connected"])
        till = Client(store.broker.port)
        collect = ["collect", "--once", "--into", f"sqlite:{store.folder}/records.db", "--broker", f"mqtt://127.0.0.1:{store.hq.port}"]
        store.ctl(*collect)             # from now on the broker keeps what comes for it
        for n in range(3):
            store.reader(till, "consent.changed", {"card": f"card-{n}", "purpose": "profile", "state": "granted"})
        wait_for("records on their way", lambda: hq.messages)
        store.ctl(*collect)
        wait_for("them to be acknowledged", lambda: store.status()["hq"]["queued"] == 0)
        assert metric(store, "aisle_uplink_batches_total") == len(hq.messages)
        assert metric(store, "aisle_uplink_acks_refused_total") == 0
        hq.publish(f"aisle/v1/hq/store/{store.id}/ack/consent", {"epoch": "0" * 16, "upto": 1})
        wait_for("the refusal", lambda: metric(store, "aisle_uplink_acks_refused_total") > 0)
        assert metric(store, "aisle_uplink_acks_refused_total") == 1
        till.close()
        hq.close()
    finally:
        store.close()
        store.hq.stop(signal.SIGKILL)


if __name__ == "__main__":
    main([test_a_link_that_dies_is_buried_and_started_again, test_a_link_that_is_stopped_does_not_outlive_the_daemon,
          test_batches_and_acknowledgements_are_counted_once])
