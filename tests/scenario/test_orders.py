#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What headquarters orders a store: over its broker, signed, and nothing else."""
import base64
import datetime
import json
import os
import signal

import paho.mqtt.client as mqtt

import policy
from signing import Signing
from store import Client, Store, main, wait_for

OWN, ALL = "aisle/v1/hq/store/0042/order", "aisle/v1/hq/stop"


class World:
    """A store, headquarters' broker, and its keys."""

    def __init__(self, config=""):
        self.store = Store(hq_folder=True)
        self.signing = Signing(self.store.folder)
        with open(self.store.conf) as f:
            text = f.read()
        with open(self.store.conf, "w") as f:
            f.write(text.replace("[hq]\n", f"[hq]\nroot = {self.signing.root}\n{config}"))
        self.hq = mqtt.Client()
        self.hq.connect("127.0.0.1", self.store.hq.port)
        self.hq.loop_start()

    def start(self):
        self.store.start()
        wait_for("headquarters", lambda: self.store.status()["hq"]["connected"])

    def put(self, topic, *orders):
        """The retained list, as publish leaves it."""
        self.hq.publish(topic, json.dumps(orders, separators=(",", ":")), qos=1, retain=True).wait_for_publish(10)

    def stopped(self, *actions):
        wait_for(f"{actions} to be stopped", lambda: self.store.status()["stopped"] == list(actions))

    def logged(self, text):
        wait_for(f"the log to say {text}", lambda: text in self.store.log_text())

    def refused(self):
        return self.store.status().get("refused", {})

    def close(self):
        self.hq.loop_stop()
        self.hq.disconnect()
        self.store.close()
        self.store.hq.stop(signal.SIGKILL)


def test_a_stop_silences_and_a_lift_ends_it_and_both_outlive_kill_9():
    world = World("ring = early\n")
    sign, store = world.signing.order, world.store
    try:
        world.start()
        till = Client(store.broker.port, [f"{store.root}/tablet/#"])
        # what comes before the store knows its policy counts as well
        world.put(OWN, sign(1, "stop", action="coffee-off"))
        world.stopped("coffee-off")
        row, = store.http("GET", "/v1/report")[1]["stopped"]
        assert row["by"] == "headquarters" and row["since"], row
        store.ctl("stop", "coffee-off", "--lift", code=65)
        world.put(ALL, sign(1, "stop", "all", action="*"), sign(1, "stop", "ring:early", action="enrol"), sign(1, "stop", "ring:late", action="tea"))
        world.stopped("*", "coffee-off", "enrol")
        store.stop(signal.SIGKILL)
        world.start()
        world.stopped("*", "coffee-off", "enrol")
        # each lifts its own: the store's own stop of coffee-off stays
        world.put(ALL, sign(2, "lift", "all", action="*"), sign(2, "lift", "ring:early", action="enrol"), sign(3, "lift", "all", action="coffee-off"))
        world.stopped("coffee-off")
        # what was taken comes again with each connection, and is nothing new
        store.stop()
        world.start()
        world.put(OWN, sign(2, "lift", action="coffee-off"))
        world.stopped()
        till.close()
    finally:
        world.close()


def test_what_is_not_signed_by_the_orders_key_for_this_store_in_time_and_for_the_first_time_changes_nothing():
    world = World()
    sign, store = world.signing.order, world.store
    try:
        world.start()
        world.signing.key("stranger")
        good = sign(7, "stop", action="good")
        world.put(OWN, good)
        world.stopped("good")
        flipped = dict(good, manifest=base64.b64encode(base64.b64decode(good["manifest"]).replace(b'"sequence":7', b'"sequence":9')).decode())
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        soon_over = sign(8, "stop", action="a", expires=end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        cases = [
            ("wrong-key", OWN, sign(8, "stop", key="stranger", action="a")),
            ("wrong-key", OWN, sign(8, "stop", key="release", action="a")),
            ("wrong-key", OWN, sign(8, "stop", key="erase", action="a")),
            ("wrong-key", OWN, sign(8, "erase", key="order", subject="6f0d3c1f5a8e4b7792d0c8a1e5b3f604")),
            ("bad-signature", OWN, flipped),
            ("unsigned", OWN, dict(sign(8, "stop", action="a"), signatures=[])),
            ("other-store", OWN, sign(8, "stop", store="0043", action="a")),
            ("other-store", OWN, sign(8, "stop", store="all", action="a")),
            ("other-store", ALL, sign(8, "stop", action="a")),
            ("sequence-same", OWN, sign(7, "stop", action="a")),
            ("sequence-older", OWN, sign(6, "stop", action="a")),
            ("fast-forward", OWN, sign(7 + (1 << 31) + 1, "stop", action="a")),
            ("expired", OWN, soon_over),
            ("malformed", OWN, {"manifest": "!", "signatures": []}),
        ]
        for reason, topic, order in cases:
            before = world.refused().get(reason, 0)
            if order is soon_over:
                wait_for("its end", lambda: datetime.datetime.now(datetime.timezone.utc) > end)
            world.put(topic, order)
            wait_for(f"{reason} of {order} to be counted", lambda: world.refused().get(reason, 0) == before + 1)
        for text in ("{}", "[", json.dumps([good] * 33)):
            before = world.refused().get("malformed", 0)
            world.hq.publish(OWN, text, qos=1, retain=True).wait_for_publish(10)
            wait_for("a list that is none to be counted", lambda: world.refused().get("malformed", 0) == before + 1)
        assert store.status()["stopped"] == ["good"]
        # a list goes on behind one that is refused
        world.put(OWN, good, sign(7, "stop", action="a"), sign(8, "stop", action="last"))
        world.stopped("good", "last")
    finally:
        world.close()


def test_a_customer_is_erased_a_tablet_revoked_and_a_snapshot_asked_for():
    world = World()
    sign, store = world.signing.order, world.store
    try:
        world.start()
        store.ctl("bundle", "install", policy.bundle(store.folder), code=77)    # with a root nothing unsigned
        till = Client(store.broker.port)
        token = store.pair("t1")
        store.reader(till, "consent.changed", {"card": "card-1", "purpose": "profile", "state": "granted"})
        shown = wait_for("the customer", lambda: json.loads(store.ctl("customer", "show", "--json", stdin="card-1\n")))
        world.put(OWN, sign(1, "erase", subject=shown["subject"]), sign(2, "revoke", tablet="t1"), sign(3, "revoke", tablet="t9"), sign(4, "snapshot"))
        world.logged("type=snapshot for=0042 sequence=4")
        store.ctl("customer", "show", "--json", stdin="card-1\n", code=66)
        assert store.http("GET", "/v1/stations", token=token)[0] == 401
        till.close()
    finally:
        world.close()


def test_a_new_root_is_followed_and_its_keys_alone_count():
    world = World()
    signing, store = world.signing, world.store
    try:
        world.start()
        for name in ("release2", "order2"):
            signing.key(name)
        second = signing.make_root("root2.json", 2, "release2", "order2", sign="release,release2", previous=signing.root)
        third = signing.make_root("root3.json", 3, "release2", "order2", sign="release2", previous=second)
        # an order of the new key comes before its root
        world.put(OWN, signing.order(1, "stop", key="order2", action="a"))
        wait_for("it to be refused", lambda: world.refused().get("wrong-key"))
        for n, path in ((3, third), (2, second)):
            with open(path) as f:
                world.hq.publish(f"aisle/v1/hq/root/{n}", f.read(), qos=1, retain=True).wait_for_publish(10)
        world.logged("root version 3 is in force")
        world.stopped("a")
        world.put(OWN, signing.order(2, "stop", key="order", action="b"))
        wait_for("the old key to be refused", lambda: world.refused().get("revoked-key"))
        store.stop(signal.SIGKILL)
        world.start()
        wait_for("the old key to be refused after a restart", lambda: world.refused().get("revoked-key"))
        world.put(OWN, signing.order(3, "lift", key="order2", action="a"))
        world.stopped()
        assert sorted(os.listdir(f"{store.folder}/state/trust")) == ["revoked", "root.json"]
    finally:
        world.close()


def test_a_store_in_another_ring_is_not_held_by_what_the_first_was_told():
    world = World("ring = early\n")
    store = world.store
    try:
        world.start()
        world.put(ALL, world.signing.order(1, "stop", "ring:early", action="a"), world.signing.order(1, "stop", "all", action="b"))
        world.stopped("a", "b")
        store.stop()
        with open(store.conf) as f:
            text = f.read()
        with open(store.conf, "w") as f:
            f.write(text.replace("ring = early", "ring = late"))
        world.start()
        world.stopped("b")
    finally:
        world.close()


if __name__ == "__main__":
    main([test_a_stop_silences_and_a_lift_ends_it_and_both_outlive_kill_9,
          test_what_is_not_signed_by_the_orders_key_for_this_store_in_time_and_for_the_first_time_changes_nothing,
          test_a_customer_is_erased_a_tablet_revoked_and_a_snapshot_asked_for, test_a_new_root_is_followed_and_its_keys_alone_count,
          test_a_store_in_another_ring_is_not_held_by_what_the_first_was_told])
