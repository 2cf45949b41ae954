# SPDX-License-Identifier: Apache-2.0
"""Nothing is acknowledged before it is on disk, from outside."""
import os
import signal
import time

import policy
from store import Client, Store, children, main, wait_for


def test_an_event_that_lingers_is_not_acknowledged_because_headquarters_went_away():
    store = Store(hq_folder=True, config="[limits]\nlinger_ms = 1000\n")
    try:
        store.start()
        wait_for("headquarters", lambda: store.status()["hq"]["connected"], 20)
        till = Client(store.broker.port, [f"{store.root}/pos/7/receipt"])
        store.till(till, "basket.opened", {"basket": "b1", "terminal": "7"}, receipt=True)
        time.sleep(0.1)
        # The link dies while the event waits for its turn; then the daemon does, before the turn.
        links = children(store.process.pid)
        assert links
        for link in links:
            os.kill(link, signal.SIGKILL)
        time.sleep(0.3)
        store.stop(signal.SIGKILL)
        assert not till.on("pos/7/receipt"), "the turn came too early for this test to say anything"
        store.start()
        wait_for("the receipt, for the broker still has the event", lambda: till.on("pos/7/receipt"))
    finally:
        store.close()
        store.hq.stop(signal.SIGKILL)


def test_a_lone_event_is_one_turn_and_its_guidance_is_not_published_again_when_the_broker_comes_back():
    store = Store()
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[policy.changed(policy.ENROL, expires="12h")]))
        till = Client(store.broker.port, [f"{store.root}/guidance/+"])
        time.sleep(2.5)   # what the start and the bundle lead to is over
        store.till(till, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(till, "basket.item-added", store.item("b1", 1, "grocery/coffee", 1450))
        shown = wait_for("the card", lambda: till.on("guidance/7"))
        turns = store.status()["turns"]
        time.sleep(2.5)
        assert store.status()["turns"] == turns
        till.close()
        store.broker.stop()
        store.broker.start()
        till = Client(store.broker.port, [f"{store.root}/guidance/+"])
        wait_for("the broker", lambda: store.status()["mqtt"]["connected"], 15)
        store.till(till, "basket.item-added", store.item("b1", 2, "grocery/milk", 90))
        time.sleep(1.0)
        assert shown[0]["guidance"] not in [g.get("guidance") for g in till.on("guidance/7")]
        till.close()
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
