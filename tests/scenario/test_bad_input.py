# SPDX-License-Identifier: Apache-2.0
"""More than a thousand broken messages through a real broker to a running daemon: each set aside with its reason, nothing stopped."""
import base64
import collections
import hashlib
import json
import os
import re
import subprocess

import policy
from store import BUILD, RUN, Client, Store, main, wait_for

PRIVATE = re.compile(rb'"(card|into|pin|subject)"|\d{12}')
CARD = policy.GOLD["card"]


def corpus(store_id):
    """What the unit test of the parser refuses, with times around now."""
    program = os.path.join(BUILD, "unit", "test_envelope_broken")
    if not os.path.exists(program):
        subprocess.run(["make", "-s", f"BUILD={os.path.relpath(BUILD)}", os.path.join(os.path.relpath(BUILD), "unit", "test_envelope_broken")],
                       check=True, stdout=subprocess.DEVNULL)
    lines = subprocess.run(RUN + [program, "--print", store_id], check=True, capture_output=True, text=True).stdout.splitlines()
    return [(d["topic"], base64.b64decode(d["payload_base64"]), d["reason"]) for d in map(json.loads, lines)]


def resident_kib(process):
    with open(f"/proc/{process.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def digest(payload):
    return hashlib.blake2b(payload, digest_size=16).hexdigest()


def open_store():
    store = Store(config="[limits]\nterminal_rate = 100000/s\n")
    store.start()
    store.ctl("bundle", "install", policy.bundle(store.folder))
    store.ctl("profiles", "install", policy.profiles(store.folder, [policy.GOLD], pepper=store.pepper))
    return store


def served(store, watch, basket):
    """The next good event is served."""
    store.till(watch, "basket.opened", {"basket": basket, "terminal": "7"})
    store.till(watch, "customer.identified", {"card": CARD, "basket": basket, "station": "7"})
    wait_for("guidance", lambda: [g for g in watch.on("guidance/7") if g.get("basket") == basket and g.get("prompts")])
    store.till(watch, "basket.cancelled", {"basket": basket})


def test_each_of_a_thousand_broken_messages_is_set_aside_with_its_reason():
    store = open_store()
    try:
        watch = Client(store.broker.port, [f"{store.root}/dead-letter", f"{store.root}/guidance/#"])
        broken = corpus(store.id)
        assert len(broken) >= 1000, len(broken)
        served(store, watch, "before")
        before = resident_kib(store.process)
        for topic, payload, _ in broken:
            watch.publish(topic, payload, wait=False)
        expected = collections.Counter((t, len(p), r) for t, p, r in broken)
        wait_for("every dead letter", lambda: len(watch.on("/dead-letter")) >= len(broken), 40)
        told = collections.Counter((d["topic"], d["size"], d["reason"]) for d in watch.on("/dead-letter"))
        assert told == expected, (list((told - expected).items())[:5], list((expected - told).items())[:5])
        # the digest is of what is kept: of the payload where nothing had to be masked, and it is not too big to be kept whole
        digests = collections.Counter(d["digest"] for d in watch.on("/dead-letter"))
        plain = collections.Counter(digest(p) for _, p, _ in broken if not PRIVATE.search(p) and len(p) <= 65536)
        assert len(plain) > 300 and not plain - digests, list((plain - digests).items())[:5]
        served(store, watch, "after")
        assert len(watch.on("/dead-letter")) == len(broken)
        letters = json.loads(store.ctl("deadletter", "--json", "--rows", "2000"))["dead_letters"]
        assert len(letters) == len(broken)
        kept = collections.Counter((d["topic"], d["reason"]) for d in letters)
        assert kept == collections.Counter((t, r) for t, _, r in broken)
        assert all(d["detail"] for d in letters)
        text = store.http("GET", "/metrics")[1].decode()
        for reason, count in collections.Counter(r for _, _, r in broken).items():
            assert f'aisle_events_rejected_total{{reason="{reason}"}} {count}' in text, reason
        growth = resident_kib(store.process) - before
        if not RUN and "asan" not in BUILD:
            assert growth < 24 * 1024, f"{growth} KiB more after {len(broken)} broken messages"
        # again: no letter is lost, nothing grows with their number
        middle = resident_kib(store.process)
        for topic, payload, _ in broken:
            watch.publish(topic, payload, wait=False)
        wait_for("every dead letter again", lambda: len(watch.on("/dead-letter")) >= 2 * len(broken), 40)
        served(store, watch, "again")
        growth = resident_kib(store.process) - middle
        if not RUN and "asan" not in BUILD:
            assert growth < 8 * 1024, f"{growth} KiB more after the second time"
        print(f"        {len(broken)} messages, twice; {growth} KiB more the second time")
        watch.close()
    finally:
        store.close()


def test_what_is_too_big_for_a_packet_stops_at_the_broker():
    store = open_store()
    try:
        watch = Client(store.broker.port, [f"{store.root}/dead-letter", f"{store.root}/guidance/#"])
        big = Client(store.broker.port)
        big.client.reconnect_delay_set(30, 60)
        big.publish(f"{store.root}/pos/7/event", b"x" * 200000, wait=False)
        nearly = b"{" + b" " * 120000 + b"}"
        watch.publish(f"{store.root}/pos/7/event", nearly)
        letter = wait_for("the dead letter", lambda: watch.on("/dead-letter"))[0]
        assert letter["reason"] == "too-big" and letter["size"] == len(nearly)
        served(store, watch, "b1")
        assert len(watch.on("/dead-letter")) == 1
        assert store.log_text().count("broker connection lost") == 0
        # other topics, empty and foreign messages do no harm
        for topic in ("pos/7/event/more", "pos//event", "nowhere", "pos/7/receipt", "tablet/t9/hello", "pos/a%20b/event"):
            watch.publish(f"{store.root}/{topic}", b"")
        watch.publish(f"{store.root}/pos/7/event", b"")
        wait_for("the empty message", lambda: [d for d in watch.on("/dead-letter") if d["size"] == 0 and d["reason"] == "not-json"])
        served(store, watch, "b2")
        big.client.loop_stop()
        watch.close()
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
