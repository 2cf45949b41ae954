# SPDX-License-Identifier: Apache-2.0
"""What comes too fast is not lost, and nobody else waits for it. The same in large: make flood."""
import json
import signal
import time

import policy
from store import Client, main, shipped_store, wait_for

EVENTS = 3000


def receipts(watch, terminal):
    return [name for receipt in watch.on(f"pos/{terminal}/receipt") for _, name in receipt["ids"]]


def test_a_backlog_is_taken_whole_and_in_order_through_a_kill():
    store = shipped_store("[limits]\nterminal_rate = 50/s\n")
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/+/+/receipt", f"{store.root}/dead-letter"])
        store.stop()
        sent = []
        for n in range(EVENTS):
            event = store.event("basket.item-added", store.item(f"b{n // 40}", n % 40, "grocery/tea", 100), receipt=True)
            watch.publish(f"{store.root}/pos/7/event", event, wait=n == EVENTS - 1)
            sent.append(event["id"])
        store.start()
        wait_for("the first of them", lambda: receipts(watch, "7"))
        # Another till does not wait for that, and a kill loses nothing of it.
        other = store.till(watch, "sensor.reading", {"kind": "door", "value": 1}, terminal="8", receipt=True)["id"]
        wait_for("the other till's", lambda: other in receipts(watch, "8"))
        store.stop(signal.SIGKILL)
        store.start()
        wait_for("all of them", lambda: set(receipts(watch, "7")) >= set(sent), 60)
        assert list(dict.fromkeys(receipts(watch, "7"))) == sent
        assert not watch.on("/dead-letter")
        assert 'aisle_events_waiting 0\n' in wait_for("an empty room", lambda: [
            text for text in [store.http("GET", "/metrics")[1].decode()] if "aisle_events_waiting 0\n" in text])[0]
        watch.close()
    finally:
        store.close()


def test_what_has_no_room_is_refused_and_counted():
    store = shipped_store("[limits]\nterminal_rate = 1/s\nwaiting_mib = 1\n[state]\nmax_mib = 2\n")
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/+/+/receipt", f"{store.root}/dead-letter"])
        store.stop()
        pad = "x" * 20000
        for n in range(200):
            watch.publish(f"{store.root}/pos/7/event", store.event("sensor.reading", {"kind": "door", "value": n, "pad": pad}, receipt=True),
                          wait=n == 199)
        store.start()

        def answered():
            taken = len(set(receipts(watch, "7")))
            refused = {name for r in watch.on("pos/7/receipt") for _, name, reason in r.get("refused", []) if reason == "rate"}
            return taken, len(refused)

        wait_for("an answer for each", lambda: sum(answered()) == 200, 30)
        taken, refused = answered()
        if refused:
            wait_for("their letters", lambda: sum(d.get("count", 1) for d in watch.on("/dead-letter") if d["reason"] == "rate") == refused)
            assert len(watch.on("/dead-letter")) <= 10
        print(f"        {taken} taken, {refused} refused")
        watch.close()
    finally:
        store.close()


def test_a_flood_of_bad_messages_is_a_letter_and_a_line_a_second():
    store = shipped_store()
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/dead-letter", f"{store.root}/pos/8/receipt"])
        began = time.monotonic()
        for n in range(EVENTS):
            watch.publish(f"{store.root}/pos/7/event", f"no event {n}", wait=n == EVENTS - 1)
        store.till(watch, "sensor.reading", {"kind": "door", "value": 1}, terminal="8", receipt=True)
        wait_for("the other till's", lambda: receipts(watch, "8"))
        wait_for("all counted", lambda: sum(d.get("count", 1) for d in watch.on("/dead-letter")) == EVENTS)
        letters, seconds = len(watch.on("/dead-letter")), time.monotonic() - began
        assert letters <= 20 + 2 * seconds + 2, (letters, seconds)
        assert store.log_text().count("input set aside") == letters
        kept = json.loads(store.ctl("deadletter", "--json", "--rows", "1000"))["dead_letters"]
        assert len(kept) == letters and any("times)" in d["detail"] for d in kept)
        watch.close()
    finally:
        store.close()


def test_a_tablet_that_says_hello_all_the_time_is_told_once_a_second():
    store = shipped_store()
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[policy.ENROL]))
        store.ctl("tablet", "add", "t9", code=None)
        watch = Client(store.broker.port, [f"{store.root}/guidance/#", f"{store.root}/dead-letter"])
        store.till(watch, "basket.item-added", store.item("b", 1, "grocery/tea", 2000))
        wait_for("guidance", lambda: watch.on("guidance/7"))
        began, before = time.monotonic(), len(watch.on("guidance/7"))
        hello = {"stations": ["7"] * 64}
        for n in range(1000):
            watch.publish(f"{store.root}/tablet/t9/hello", hello, wait=n == 999)
        # What is new comes first.
        store.till(watch, "basket.item-added", store.item("n", 1, "grocery/tea", 2000), terminal="8")
        wait_for("guidance of another", lambda: watch.on("guidance/8"), 5)
        time.sleep(1.5)
        again, seconds = watch.on("guidance/7")[before:], time.monotonic() - began
        assert 1 <= len(again) <= seconds + 1, (len(again), seconds)
        assert again[-1]["prompts"], again
        watch.close()
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
