#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The link process, from outside: it dies, it hangs, and the store goes on and starts another."""
import hashlib
import os
import re
import signal

from store import Broker, Client, Store, main, wait_for


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


def test_a_link_that_hangs_is_noticed_and_started_again_and_no_other():
    """Not one that works, nor one that cannot connect: that one says how long it may take."""
    store, works, away = Store(hq_folder=True), Store(hq_folder=True), Store(hq_port=1)
    for one in (store, works, away):
        one.start()
    try:
        wait_for("headquarters", lambda: store.status()["hq"]["connected"] and works.status()["hq"]["connected"])
        link, others = link_of(store), (link_of(works), link_of(away))
        os.kill(link, signal.SIGSTOP)
        wait_for("the link that hangs to be gone", lambda: not os.path.exists(f"/proc/{link}"), 30)
        link_of(store, [link])
        wait_for("headquarters again", lambda: store.status()["hq"]["connected"])
        assert "the link process hangs" in store.log_text()
        assert (link_of(works), link_of(away)) == others
        assert works.status()["hq"]["connected"]
    finally:
        for one in (store, works, away):
            one.close()
        store.hq.stop(signal.SIGKILL)
        works.hq.stop(signal.SIGKILL)


def with_brokers(store, *ports):
    """The same store with these brokers of headquarters."""
    with open(store.conf) as f:
        text = f.read()
    with open(store.conf, "w") as f:
        f.write(re.sub(r"\[hq\]\nhost = .*\nport = .*\n", "[hq]\nhost = " + " ".join(f"127.0.0.1:{p}" for p in ports) + "\n", text))


def home_of(store, count):
    """The number of the broker at which a store begins, of so many."""
    return int.from_bytes(hashlib.blake2b(store.encode(), digest_size=8).digest(), "little") % count


def connected_to(store):
    """The port of the last broker that the link was connected to."""
    found = re.findall(r"hq: connected host=127.0.0.1 port=(\d+)", store.log_text())
    return int(found[-1]) if found else None


def test_a_store_goes_on_to_the_next_broker_and_its_records_come_up_there():
    store = Store(hq_folder=True)
    brokers = [store.hq, Broker(store.folder, "hq-b"), Broker(store.folder, "hq-c")]
    with_brokers(store, *(b.port for b in brokers))
    store.start()
    try:
        wait_for("headquarters", lambda: store.status()["hq"]["connected"])
        till = Client(store.broker.port)
        for left in (2, 1):
            broker = next(b for b in brokers if b.port == connected_to(store))
            brokers.remove(broker)
            watchers = [Client(b.port, [f"aisle/v1/hq/store/{store.id}/up/#"]) for b in brokers]
            broker.stop(signal.SIGKILL)
            wait_for("the store to notice", lambda: not store.status()["hq"]["connected"])
            store.reader(till, "consent.changed", {"card": f"card-{left}", "purpose": "profile", "state": "granted"})
            wait_for("another broker", lambda: store.status()["hq"]["connected"], 40)
            assert connected_to(store) != broker.port
            wait_for("the record there", lambda: any(w.messages for w in watchers))
            for watcher in watchers:
                watcher.close()
        till.close()
    finally:
        store.close()
        for broker in brokers:
            broker.stop(signal.SIGKILL)


def test_a_broker_that_refuses_is_left_for_the_next():
    store = Store(hq_folder=True)
    other = Broker(store.folder, "hq-b")
    store.hq.stop()
    with open(store.hq.conf) as f:
        text = f.read()
    with open(store.hq.conf, "w") as f:
        f.write(text.replace("allow_anonymous true", "allow_anonymous false"))
    store.hq.start()
    with_brokers(store, *([store.hq.port, other.port] if home_of(store.id, 2) == 0 else [other.port, store.hq.port]))
    store.start()
    try:
        wait_for("the refusal", lambda: "hq: refused" in store.log_text())
        wait_for("the other broker", lambda: store.status()["hq"]["connected"])
        assert connected_to(store) == other.port
        # The only one that does not refuse goes: the doctor says what each of them says.
        other.stop(signal.SIGKILL)
        for word in ("not authorised", "Connection refused"):
            wait_for(f"{word!r} in the doctor's words", lambda: re.search(rf"127\.0\.0\.1: .*{word}", store.ctl("doctor", code=None)), 40)
    finally:
        store.close()
        store.hq.stop(signal.SIGKILL)
        other.stop(signal.SIGKILL)


def test_stores_begin_at_different_brokers_and_a_restart_changes_nothing():
    stores = [next(s for s in (f"s{n}" for n in range(100)) if home_of(s, 2) == home) for home in range(2)]
    stores = [Store(store=stores[0], hq_folder=True), Store(store=stores[1], hq_port=1)]
    brokers = [stores[0].hq, Broker(stores[0].folder, "hq-b")]
    begun = {}
    try:
        for store in stores:
            with_brokers(store, *(b.port for b in brokers))
            for _ in range(2):
                store.start()
                wait_for("headquarters", lambda: store.status()["hq"]["connected"])
                begun.setdefault(store.id, set()).add(connected_to(store))
                store.stop()
        assert [begun[s.id] for s in stores] == [{b.port} for b in brokers], begun
    finally:
        for store in stores:
            store.close()
        for broker in brokers:
            broker.stop(signal.SIGKILL)


def test_nothing_is_kept_for_a_store_that_is_away():
    """Sessions are clean, and its subscriptions at QoS 0."""
    store = Store(hq_folder=True)
    store.start()
    try:
        wait_for("headquarters", lambda: store.status()["hq"]["connected"])
        store.stop()
        hq = Client(store.hq.port)
        hq.publish(f"aisle/v1/hq/store/{store.id}/ack/consent", {"epoch": "0" * 16, "upto": 1})
        store.start()
        wait_for("headquarters", lambda: store.status()["hq"]["connected"])
        hq.publish(f"aisle/v1/hq/store/{store.id}/ack/consent", {"epoch": "0" * 16, "upto": 1})
        wait_for("what is sent now", lambda: metric(store, "aisle_uplink_acks_refused_total") > 0)
        assert metric(store, "aisle_uplink_acks_refused_total") == 1
        hq.close()
    finally:
        store.close()
        store.hq.stop(signal.SIGKILL)


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
    collect = ["collect", "--once", "--into", f"sqlite:{store.folder}/records.db", "--broker", f"mqtt://127.0.0.1:{store.hq.port}"]
    store.ctl(*collect)             # from now on the broker keeps what comes for it
    hq = Client(store.hq.port, [f"aisle/v1/hq/store/{store.id}/up/#"])
    store.start()
    try:
        wait_for("headquarters", lambda: store.status()["hq"]["connected"])
        till = Client(store.broker.port)
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
    main([test_a_link_that_dies_is_buried_and_started_again, test_a_link_that_hangs_is_noticed_and_started_again_and_no_other,
          test_a_link_that_is_stopped_does_not_outlive_the_daemon,
          test_a_store_goes_on_to_the_next_broker_and_its_records_come_up_there, test_a_broker_that_refuses_is_left_for_the_next,
          test_stores_begin_at_different_brokers_and_a_restart_changes_nothing, test_nothing_is_kept_for_a_store_that_is_away,
          test_batches_and_acknowledgements_are_counted_once])
