# SPDX-License-Identifier: Apache-2.0
"""The MQTT part of interfaces.md, sentence by sentence, by a till, a reader and a tablet that know only that page."""
import contextlib
import glob
import hashlib
import json
import os
import re
import signal
import socket
import time
from datetime import datetime

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import policy
from store import Client, Store, main, now, wait_for

CARD = policy.GOLD["card"]
CARD2 = "4000999988887777"
GOLD2 = policy.changed(policy.GOLD, card=CARD2, line="Silver", attributes={"tier": "silver"})
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@contextlib.contextmanager
def open_store(actions=None, rows=None, config="", **more):
    """A store with a policy and profiles, and a client that hears all of it."""
    store = Store(config=config)
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=actions, **more))
        store.ctl("profiles", "install", policy.profiles(store.folder, rows or [policy.GOLD, GOLD2], pepper=store.pepper))
        store.ctl("tablet", "add", "t9")
        watch = Client(store.broker.port, [f"{store.root}/#"])
        try:
            yield store, watch
        finally:
            watch.close()
    finally:
        store.close()


def guidance(watch, station="7", after=0):
    return watch.on(f"guidance/{station}")[after:]


def prompts_of(watch, station="7", after=0):
    """Waits for a Guidance with prompts; the newest."""
    return wait_for("guidance with prompts", lambda: [g for g in guidance(watch, station, after) if g.get("prompts")])[-1]


def settled(store, watch):
    """All that was sent so far has been through a turn: a reading with a receipt came back."""
    count = len(watch.on("pos/zz/receipt"))
    store.till(watch, "sensor.reading", {"kind": "door", "value": 1}, terminal="zz", receipt=True)
    wait_for("the receipt", lambda: watch.on("pos/zz/receipt")[count:])


def letters(watch, reason):
    return [d for d in watch.on("/dead-letter") if d["reason"] == reason]


def withdrawals(watch, station="7"):
    return [g for g in watch.on(f"guidance/{station}") if "withdraw" in g]


def start_visit(store, watch, basket="b1", card=CARD):
    before = len(guidance(watch))
    store.till(watch, "basket.opened", {"basket": basket, "terminal": "7"})
    store.till(watch, "customer.identified", {"card": card, "basket": basket, "station": "7"})
    return prompts_of(watch, after=before)


def tap(store, watch, shown, decision, **more):
    prompt = shown["prompts"][0]["prompt"]
    event = store.event("guidance.decided", {"guidance": shown["guidance"], "prompt": prompt, "decision": decision, **more},
                        source="/tablet/t9")
    watch.publish(f"{store.root}/tablet/t9/event", event)


def derived(ms, source, ident, purpose):
    """An id by architecture.md: the time, then 80 bits of a keyed hash."""
    key = bytes.fromhex(policy.SALTS["id"])
    tail = hashlib.blake2b(f"{source}\0{ident}\0{purpose}".encode(), digest_size=32, key=key).digest()[:10]
    number = int.from_bytes(ms.to_bytes(6, "big") + tail, "big")
    return "".join(ULID[(number >> (5 * i)) & 31] for i in reversed(range(26)))


def ms_of(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


# ---- status ----

def test_status_is_retained_and_its_will_speaks_after_a_kill():
    store = Store()
    store.start()
    try:
        watch = Client(store.broker.port, [f"{store.root}/status"])
        online = wait_for("the retained status", lambda: watch.on("/status"))[0]
        assert online["state"] == "online" and online["policy"] is None and online["hq"] == "none", online
        assert online["time"] in ("certain", "uncertain") and online["at"].endswith("Z")
        store.ctl("bundle", "install", policy.bundle(store.folder))
        told = wait_for("the status with a policy", lambda: [s for s in watch.on("/status") if s["policy"]])[0]
        assert told["policy"]["name"] == "test" and told["policy"]["version"] == 1 and len(told["policy"]["hash"]) == 64
        store.stop(signal.SIGKILL)
        will = wait_for("the will", lambda: [s for s in watch.on("/status") if s["state"] == "offline"])[0]
        assert will["session"] == online["session"]
        late = Client(store.broker.port, [f"{store.root}/status"])
        assert wait_for("the retained will", lambda: late.on("/status"))[0]["state"] == "offline"
        store.start()
        again = wait_for("online again", lambda: [s for s in late.on("/status") if s["state"] == "online"])[0]
        assert again["session"] == online["session"] + 1
        late.close()
        watch.close()
        # nothing about a person is retained
        other = Client(store.broker.port, ["#"])
        time.sleep(0.3)
        assert {t for t, _, _ in other.messages} == {f"{store.root}/status"}
        other.close()
    finally:
        store.close()


# ---- identity ----

def test_ids_and_subjects_are_those_of_the_published_formulas():
    with open_store() as (store, watch):
        store.till(watch, "basket.opened", {"basket": "b1", "terminal": "7"})
        event = store.till(watch, "customer.identified", {"card": CARD, "station": "7"}, receipt=True)
        shown = prompts_of(watch)
        at = ms_of(wait_for("a receipt", lambda: watch.on("pos/7/receipt"))[0]["at"][0])
        assert shown["guidance"] == derived(at, event["source"], event["id"], "guidance")
        assert shown["decision"] == derived(at, event["source"], event["id"], "decision")
        assert shown["prompts"][0]["prompt"] == derived(at, event["source"], event["id"], "prompt/1")
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        pepper = bytes.fromhex(open(store.pepper).read().strip())
        assert record["subject"] == hashlib.blake2b(CARD.encode(), digest_size=16, key=pepper).hexdigest()
        assert record["trigger"] == {"source": event["source"], "id": event["id"], "type": event["type"]}
        assert ms_of(record["at"]) == at and record["semantics"] == 2 and record["withheld"] is None
        files = [os.path.join(folder, name) for folder, _, names in os.walk(store.folder + "/state") for name in names]
        for path in files + [store.folder + "/aisled.log"]:
            with open(path, "rb") as f:
                assert CARD.encode() not in f.read(), path


# ---- which topics take what ----

def test_each_topic_takes_only_its_own_types():
    with open_store() as (store, watch):
        shown = start_visit(store, watch)
        prompt = shown["prompts"][0]["prompt"]
        decided = {"guidance": shown["guidance"], "prompt": prompt, "decision": "accept"}
        store.till(watch, "guidance.decided", decided)
        store.reader(watch, "guidance.decided", decided)
        watch.publish(f"{store.root}/care/event", store.event("guidance.decided", decided, source="/care"))
        store.reader(watch, "basket.opened", {"basket": "b9", "terminal": "7"})
        store.reader(watch, "offer.applied", {"basket": "b1", "token": "x", "amount": 1})
        store.till(watch, "care.case-opened", {"card": CARD, "case": "c1", "topic": "t", "severity": 2})
        watch.publish(f"{store.root}/tablet/t9/event", store.event("basket.opened", {"basket": "b8", "terminal": "7"}))
        store.till(watch, "nonsense.happened", {})
        wait_for("seven refusals", lambda: len(letters(watch, "not-yours")) == 7)
        wait_for("the unknown type", lambda: len(letters(watch, "unknown-type")) == 1)
        letter = letters(watch, "not-yours")[0]
        assert set(letter) == {"at", "topic", "reason", "detail", "size", "digest"}, letter
        assert letter["topic"] == f"{store.root}/pos/7/event" and isinstance(letter["size"], int)
        # the same word from the tablet is heard
        watch.publish(f"{store.root}/tablet/t9/event", store.event("guidance.decided", decided, source="/tablet/t9"))
        assert wait_for("a command", lambda: watch.on("pos/7/command"))[0]["type"] == "apply-offer"
        watch.publish(f"{store.root}/care/event", store.event(
            "care.case-opened", {"card": CARD, "case": "c1", "topic": "t", "severity": 2}, source="/care"))
        settled(store, watch)
        assert len(watch.on("/dead-letter")) == 8


def test_binary_mode_of_mqtt5_is_read():
    with open_store() as (store, watch):
        client = mqtt.Client(protocol=mqtt.MQTTv5)
        client.connect("127.0.0.1", store.broker.port)
        client.loop_start()

        def send(kind, data, ident, extra=()):
            properties = Properties(PacketTypes.PUBLISH)
            properties.ContentType = "application/json"
            properties.UserProperty = [("specversion", "1.0"), ("id", ident), ("source", f"/store/{store.id}/pos/7"),
                                       ("type", f"aisle.{kind}"), ("time", now()), *extra]
            client.publish(f"{store.root}/pos/7/event", json.dumps(data), qos=1, properties=properties).wait_for_publish(5)
        send("basket.opened", {"basket": "b1", "terminal": "7"}, "m5-1", [("receipt", "true")])
        send("customer.identified", {"card": CARD, "basket": "b1", "station": "7"}, "m5-2")
        assert prompts_of(watch)["basket"] == "b1"
        assert wait_for("a receipt", lambda: watch.on("pos/7/receipt"))[0]["ids"] == [[f"/store/{store.id}/pos/7", "m5-1"]]
        send("basket.closed", {"basket": "b1", "total": "12", "currency": "EUR"}, "m5-3")
        wait_for("a refusal", lambda: watch.on("/dead-letter"))
        structured = Properties(PacketTypes.PUBLISH)
        structured.ContentType = "application/cloudevents+json"
        client.publish(f"{store.root}/pos/7/event", json.dumps(store.event(
            "basket.cancelled", {"basket": "b1"})), qos=1, properties=structured).wait_for_publish(5)
        assert wait_for("the withdrawal", lambda: withdrawals(watch))[0]["reason"] == "cancelled"
        client.loop_stop()
        client.disconnect()


# ---- receipts ----

def test_receipts_name_what_was_taken_and_what_was_refused():
    with open_store() as (store, watch):
        first = store.till(watch, "basket.opened", {"basket": "b1", "terminal": "7"}, receipt=True)
        taken = wait_for("a receipt", lambda: watch.on("pos/7/receipt"))[0]
        assert taken["ids"] == [[first["source"], first["id"]]] and "refused" not in taken
        store.till(watch, "basket.item-added", store.item("b1", 1, "a/b", 5), receipt=False)
        bad = store.till(watch, "basket.item-added", dict(store.item("b1", 1, "a/b", 5), amount=1.5), receipt=True)
        refused = wait_for("a refusal", lambda: watch.on("pos/7/receipt")[1:])[0]
        assert refused["refused"] == [[bad["source"], bad["id"], "bad-shape"]] or \
            refused["refused"] == [[bad["source"], bad["id"], "bad-value"]], refused
        assert refused["ids"] == [] and refused["at"] == []
        # the same number at another till is another basket
        other = store.event("basket.item-added", store.item("b1", 2, "a/b", 5), terminal="8", receipt=True)
        watch.publish(f"{store.root}/pos/8/event", other)
        assert wait_for("the receipt", lambda: watch.on("pos/8/receipt"))[0]["ids"] == [[other["source"], other["id"]]]
        # a clock that is far off
        wrong = store.event("sensor.reading", {"kind": "door", "value": 1}, receipt=True)
        wrong["time"] = "2020-01-01T00:00:00.000Z"
        watch.publish(f"{store.root}/pos/7/event", wrong)
        assert wait_for("a refusal", lambda: watch.on("pos/7/receipt")[2:])[0]["refused"][0][2] == "clock"
        # readers and customer care have theirs on their own topics
        read = store.reader(watch, "sensor.reading", {"kind": "door", "value": 1}, receipt=True)
        assert wait_for("the reader's", lambda: watch.on("loyalty/r7/receipt"))[0]["ids"] == [[read["source"], read["id"]]]
        cared = store.event("sensor.reading", {"kind": "door", "value": 1}, source="/care", receipt=True)
        watch.publish(f"{store.root}/care/event", cared)
        assert wait_for("that of care", lambda: watch.on("care/receipt"))[0]["ids"] == [[cared["source"], cared["id"]]]


def test_a_live_run_replays_to_the_same_decisions():
    config = "[stations]\n7 = front\nr7 = front\n"
    features = policy.FEATURES + [{"name": "hour", "type": "number", "from": "time.minute"},
                                  {"name": "shown", "type": "number", "from": "history.count(group=coffee, outcome=shown, within=7d)"}]
    looks = policy.changed(policy.OFFER, eligible={"and": [{"in": [{"var": "tier"}, ["gold", "silver"]]}, {"<": [{"var": "shown"}, 9]},
                                                           {">=": [{"var": "hour"}, 0]}]})
    explore = policy.changed(policy.POLICY, explore={"unit": 100, "cost_max": 20, "shortlist": 4}, control={"share": 0.3})
    with open_store(config=config, policy=explore, features=features, actions=[looks, policy.ENROL]) as (store, watch):
        sent = []

        def say(where, kind, data, **more):
            event = store.event(kind, data, source=f"/store/{store.id}/{where}", receipt=True, **more)
            sent.append((where, event))
            watch.publish(f"{store.root}/{where}/event", event)
        for n in range(12):
            card = (CARD, CARD2)[n % 2]
            basket = f"b{n}"
            terminal = ("7", "8")[n // 6]
            say(f"pos/{terminal}", "customer.identified", {"card": card, "station": ("front", "8")[n // 6]})
            say(f"pos/{terminal}", "basket.opened", {"basket": basket, "terminal": terminal})
            say(f"pos/{terminal}", "basket.item-added", store.item(basket, 1, "grocery/bread", 300 + n))
            if n % 3 == 0:
                say(f"pos/{terminal}", "basket.item-added", store.item(basket, 2, "grocery/coffee", 450))
                say(f"pos/{terminal}", "basket.item-voided", {"basket": basket, "line": 1})
            say(f"pos/{terminal}", "basket.tender-started", {"basket": basket})
            say(f"pos/{terminal}", "basket.closed", {"basket": basket, "total": 300 + n, "currency": "EUR"})
        expected = {e["id"] for _, e in sent}

        def at():
            got = {}
            for terminal in ("7", "8"):
                for r in watch.on(f"pos/{terminal}/receipt"):
                    assert "refused" not in r, r
                    got.update({i[1]: t for i, t in zip(r["ids"], r["at"])})
            return got if set(got) >= expected else None
        times = wait_for("every receipt", at)
        recorded = os.path.join(store.folder, "recorded.jsonl")
        with open(recorded, "w") as f:
            for where, event in sent:
                f.write(json.dumps(dict(event, recordedtime=times[event["id"]], topic=f"{where}/event")) + "\n")
        words = ["replay", "--bundle", store.folder + "/policy.bundle", "--profiles", store.folder + "/profiles.bundle",
                 "--pepper", store.pepper, "--events", recorded]
        text = store.ctl(*words)
        assert text == store.ctl(*words) and text == store.ctl(*words, "--turn", "1")
        replayed = [json.loads(line) for line in text.splitlines()]
        assert len(replayed) == 28, len(replayed)
        for decision in replayed:
            live = json.loads(store.ctl("why", decision["decision"], "--json"))
            live.pop("outcomes")
            assert live == decision, (live, decision)
        counted = store.status()["decisions"]
        assert counted == len(replayed), (counted, len(replayed))
        last = json.loads(store.ctl("decide", *words[1:], "--json"))
        assert last == replayed[-1]


# ---- lines ----

SEE = {"action": "see", "kind": "inform", "issue": "grow", "group": "see", "on": ["aisle.sensor.reading"], "personal": False,
       "applicable": {"and": [{">=": [{"var": "basket_total"}, 0]}, {">=": [{"var": "lines"}, 0]}, {">=": [{"var": "voids"}, 0]},
                              {">=": [{"var": "other"}, 0]}]},
       "propensity": 0.5, "incremental": 1, "margin": 1000, "outcome": {"is": "none"}, "placements": ["tablet"], "gate": "none",
       "expires": "2s", "treatments": [{"treatment": "plain", "language": "en", "headline": "Look"}]}
SEE_FEATURES = policy.FEATURES + [{"name": "lines", "type": "number", "from": "basket.lines()"},
                                  {"name": "other", "type": "number", "from": "basket.sum(item=05012345678900)"}]


def test_lines_come_twice_late_and_in_any_order():
    with open_store(actions=[SEE], features=SEE_FEATURES) as (store, watch):
        def look():
            """A reading at this station makes the decision that is looked at; the card is withdrawn by the stop."""
            shown = len(guidance(watch))
            store.till(watch, "sensor.reading", {"kind": "queue", "station": "7", "value": 1})
            decision = wait_for("guidance", lambda: [g for g in guidance(watch, after=shown) if g.get("prompts")])[0]["decision"]
            store.ctl("stop", "see")
            store.ctl("stop", "see", "--lift")
            return json.loads(store.ctl("why", decision, "--json"))["features"]

        # a void before the line that it cancels: it is the newer of the two
        scanned = store.event("basket.item-added", store.item("b1", 3, "grocery/bread", 999))
        time.sleep(0.002)
        store.till(watch, "basket.item-voided", {"basket": "b1", "line": 3})
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/bread", 200))  # a line before opened opens the basket
        watch.publish(f"{store.root}/pos/7/event", scanned)
        store.till(watch, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/bread", 250))  # replaces
        double = store.till(watch, "basket.item-added", store.item("b1", 2, "grocery/coffee", 100))
        watch.publish(f"{store.root}/pos/7/event", double)
        seen = look()
        assert seen["basket_total"] == 350 and seen["lines"] == 2, seen
        # GTINs: 13 digits are normalised to 14; a bad one is a sku, counted, and the sale goes on
        store.till(watch, "basket.item-added", {"basket": "b1", "line": 5, "gtin": "5012345678900", "category": "a/b", "qty": 1,
                                                "amount": 10, "currency": "EUR"})
        store.till(watch, "basket.item-added", {"basket": "b1", "line": 6, "gtin": "5012345678901", "category": "a/b", "qty": 1.125,
                                                "amount": 20, "currency": "EUR"})
        seen = look()
        assert seen["basket_total"] == 380 and seen["other"] == 10 and seen["lines"] == 4, seen
        assert "aisle_bad_gtins_total 1" in store.http("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})[1].decode()
        assert not watch.on("/dead-letter")
        # another currency is refused
        store.till(watch, "basket.item-added", dict(store.item("b1", 7, "a/b", 10), currency="USD"))
        assert wait_for("the refusal", lambda: letters(watch, "bad-value"))


def test_lines_after_the_close_are_history_and_training_is_none():
    with open_store() as (store, watch):
        def purchases():
            return json.loads(store.ctl("customer", "show", stdin=CARD + "\n"))["purchases"]
        start_visit(store, watch)
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/bread", 300))
        store.till(watch, "basket.closed", {"basket": "b1", "total": 300, "currency": "EUR"})
        settled(store, watch)
        count = len(guidance(watch))
        decisions = store.status()["decisions"]
        store.till(watch, "basket.item-added", store.item("b1", 2, "grocery/coffee", 450))
        settled(store, watch)
        assert len(guidance(watch)) == count and store.status()["decisions"] == decisions
        bought = purchases()
        assert len(bought) == 1 and len(bought[0]["lines"]) == 2, bought
        # cancelled: nothing, also not later
        start_visit(store, watch, "b2")
        store.till(watch, "basket.item-added", store.item("b2", 1, "grocery/bread", 300))
        store.till(watch, "basket.cancelled", {"basket": "b2"})
        store.till(watch, "basket.item-added", store.item("b2", 2, "grocery/bread", 300))
        settled(store, watch)
        assert len(purchases()) == 1
        # training: no guidance, no purchase
        settled(store, watch)
        count = len(guidance(watch))
        store.till(watch, "basket.opened", {"basket": "b3", "terminal": "7", "training": True})
        store.till(watch, "customer.identified", {"card": CARD, "basket": "b3", "station": "7"})
        store.till(watch, "basket.item-added", store.item("b3", 1, "grocery/bread", 300))
        store.till(watch, "basket.closed", {"basket": "b3", "total": 300, "currency": "EUR"})
        settled(store, watch)
        assert len(purchases()) == 1 and not [g for g in guidance(watch, after=count) if g.get("prompts")]
        # the card after the close: the purchase is theirs
        store.till(watch, "basket.item-added", store.item("b4", 1, "grocery/bread", 500))
        store.till(watch, "basket.closed", {"basket": "b4", "total": 500, "currency": "EUR"})
        store.till(watch, "basket.closed", {"basket": "b4", "total": 500, "currency": "EUR"})
        store.till(watch, "customer.identified", {"card": CARD, "basket": "b4", "station": "7"})
        settled(store, watch)
        assert sorted(p["total"] for p in purchases()) == [300, 500]
        # a coupon that the till reports after the close
        shown = start_visit(store, watch, "b5")
        tap(store, watch, shown, "accept")
        command = wait_for("the command", lambda: watch.on("pos/7/command"))[-1]
        store.till(watch, "basket.closed", {"basket": "b5", "total": 100, "currency": "EUR"})
        store.till(watch, "offer.redeemed", {"basket": "b5", "token": command["token"], "amount": 10})
        settled(store, watch)
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        assert record["outcomes"][-1]["outcome"] == "redeemed" and record["outcomes"][-1]["amount"] == 10, record["outcomes"]
        assert not watch.on("/dead-letter")


# ---- baskets and customers move ----

def test_a_recalled_sale_moves_with_its_guidance():
    with open_store() as (store, watch):
        first = start_visit(store, watch)
        store.till(watch, "basket.suspended", {"basket": "b1"})
        wait_for("the suspended sale's withdrawal", lambda: withdrawals(watch))
        store.till(watch, "basket.opened", {"basket": "b1", "terminal": "8", "from": "7"}, terminal="8")
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/bread", 100), terminal="8")
        there = prompts_of(watch, "8")
        assert there["basket"] == "b1" and there["guidance"] != first["guidance"] and there["station"] == "8"
        # the number at the till that it left is another sale
        store.till(watch, "basket.item-added", store.item("b1", 2, "grocery/bread", 100))
        settled(store, watch)
        assert not watch.on("/dead-letter")
        store.till(watch, "basket.tender-started", {"basket": "b1"}, terminal="8")
        assert wait_for("the withdrawal", lambda: withdrawals(watch, "8"))[-1] == \
            {"withdraw": there["guidance"], "reason": "tender"}


def test_a_second_card_replaces_the_first_and_a_new_basket_has_a_new_guidance():
    with open_store() as (store, watch):
        # a card without basket: guidance at once, kept by the basket that comes
        store.reader(watch, "customer.identified", {"card": CARD, "station": "7"})
        waiting = prompts_of(watch)
        assert "basket" not in waiting and waiting["customer"]["line"] == policy.GOLD["line"]
        store.till(watch, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/bread", 100))
        settled(store, watch)
        assert not [d for d in watch.on("/dead-letter")]
        store.till(watch, "customer.identified", {"card": CARD2, "station": "7"})
        second = wait_for("the second customer's guidance", lambda: [g for g in guidance(watch) if g.get("prompts")
                                                                     and g["customer"].get("line") == "Silver"])[0]
        gone = withdrawals(watch)
        assert gone[-1]["reason"] == "customer" and second["guidance"] not in [g["withdraw"] for g in gone]
        assert second["basket"] == "b1"
        order = [g.get("withdraw") or g["guidance"] for g in guidance(watch)]
        assert order.index(gone[-1]["withdraw"]) < order.index(second["guidance"])
        # the same id again replaces; a kept prompt keeps its id
        store.till(watch, "basket.item-added", store.item("b1", 2, "grocery/bread", 2000))
        settled(store, watch)
        assert {g["guidance"] for g in guidance(watch) if g.get("prompts") and g["customer"].get("line") == "Silver"} == {second["guidance"]}
        store.till(watch, "basket.closed", {"basket": "b1", "total": 2100, "currency": "EUR"})
        third = start_visit(store, watch, "b2", CARD2)
        assert third["guidance"] != second["guidance"] and third["basket"] == "b2"
        assert {"withdraw": second["guidance"], "reason": "closed"} in withdrawals(watch)


def test_every_withdraw_reason_is_said():
    short = policy.changed(policy.OFFER, expires="1s", action="quick")
    with open_store(actions=[policy.OFFER]) as (store, watch):
        def gone(send, basket):
            shown = start_visit(store, watch, basket)
            send()
            out = wait_for("the withdrawal", lambda: [g for g in withdrawals(watch) if g["withdraw"] == shown["guidance"]])[0]
            store.till(watch, "basket.cancelled", {"basket": basket})
            settled(store, watch)
            return out["reason"]
        line_less = policy.changed(policy.GOLD)
        line_less.pop("line")
        store.ctl("profiles", "install", policy.profiles(store.folder, [line_less, GOLD2], pepper=store.pepper))
        assert gone(lambda: store.till(watch, "basket.tender-started", {"basket": "a1"}), "a1") == "tender"
        assert gone(lambda: store.till(watch, "basket.closed", {"basket": "a2", "total": 0, "currency": "EUR"}), "a2") == "closed"
        assert gone(lambda: store.till(watch, "basket.cancelled", {"basket": "a3"}), "a3") == "cancelled"
        # caps: three shown in seven days; the second card's customer for the rest
        store.ctl("profiles", "install", policy.profiles(store.folder, [dict(line_less, card=c) for c in (CARD, CARD2)], pepper=store.pepper))

        def gone2(send, basket):
            before = len(guidance(watch))
            store.till(watch, "basket.opened", {"basket": basket, "terminal": "7"})
            store.till(watch, "customer.identified", {"card": CARD2, "basket": basket, "station": "7"})
            shown = prompts_of(watch, after=before)
            send(shown)
            out = wait_for("the withdrawal", lambda: [g for g in withdrawals(watch) if g["withdraw"] == shown["guidance"]])[0]
            store.till(watch, "basket.cancelled", {"basket": basket})
            settled(store, watch)
            return out["reason"]
        assert gone2(lambda g: store.till(watch, "basket.item-added", store.item("c1", 1, "grocery/coffee", 450)), "c1") == "gate"
        assert gone2(lambda g: store.ctl("stop", "coffee-off"), "c2") == "stopped"
        store.ctl("stop", "coffee-off", "--lift")
        assert gone2(lambda g: store.till(watch, "consent.changed", {"card": CARD2, "purpose": "personalise", "state": "denied"}), "c3") == "consent"
        # expired
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[short]))
        store.reader(watch, "consent.changed", {"card": CARD2, "purpose": "personalise", "state": "granted"})
        start = time.monotonic()
        before = len(guidance(watch))
        store.till(watch, "basket.opened", {"basket": "c4", "terminal": "7"})
        store.till(watch, "customer.identified", {"card": CARD2, "basket": "c4", "station": "7"})
        shown = prompts_of(watch, after=before)
        out = wait_for("the expiry", lambda: [g for g in withdrawals(watch) if g["withdraw"] == shown["guidance"]])[0]
        assert out["reason"] == "expired" and 0.9 < time.monotonic() - start < 3
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        assert [o["outcome"] for o in record["outcomes"]] == ["expired"], record["outcomes"]
        # replaced: another policy that does not know the card
        before = len(guidance(watch))
        store.till(watch, "basket.opened", {"basket": "d1", "terminal": "9"}, terminal="9")
        store.till(watch, "customer.identified", {"card": CARD2, "basket": "d1", "station": "9"}, terminal="9")
        there = prompts_of(watch, "9")
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[policy.ENROL]))
        out = wait_for("the replaced card's withdrawal", lambda: withdrawals(watch, "9"))[0]
        assert out["withdraw"] == there["guidance"] and out["reason"] in ("replaced", "expired"), out


# ---- offers ----

def test_an_offer_is_refused_by_word_and_by_silence():
    with open_store(actions=[policy.changed(policy.OFFER, caps=[], budget={"money": 20000, "per": "store-day"})]) as (store, watch):
        token = store.pair()
        shown = start_visit(store, watch)
        tap(store, watch, shown, "accept")
        command = wait_for("the command", lambda: watch.on("pos/7/command"))[0]
        assert set(command) >= {"command", "type", "terminal", "basket", "prompt", "offer", "token", "expires"}, command
        assert store.http("GET", "/v1/report", token=token)[1]["spent"][0]["held_or_spent"] == 300
        store.till(watch, "offer.refused", {"basket": "b1", "token": command["token"], "reason": "not-stackable"})
        wait_for("refused on the tablet", lambda: guidance(watch)[-1]["prompts"][0]["state"] == "refused")
        assert store.http("GET", "/v1/report", token=token)[1]["spent"][0]["held_or_spent"] == 0
        # another terminal's word, and a token that nobody was given
        store.till(watch, "offer.applied", {"basket": "b1", "token": command["token"], "amount": 45}, terminal="8")
        wait_for("not-yours", lambda: letters(watch, "not-yours"))
        store.till(watch, "offer.applied", {"basket": "b1", "token": "01K000000000000000000000", "amount": 45})
        wait_for("bad-value", lambda: letters(watch, "bad-value"))
        # silence
        store.till(watch, "basket.cancelled", {"basket": "b1"})
        shown = start_visit(store, watch, "b2", CARD2)
        tap(store, watch, shown, "accept")
        asked = time.monotonic()
        wait_for("asked on the tablet", lambda: guidance(watch)[-1]["prompts"][0]["state"] == "asked")
        second = wait_for("the command", lambda: watch.on("pos/7/command")[1:])[0]
        wait_for("refused after silence", lambda: guidance(watch)[-1]["prompts"][0]["state"] == "refused")
        assert 4.5 < time.monotonic() - asked < 7
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        assert [(o["outcome"], o.get("reason")) for o in record["outcomes"]][-1] == ("refused", "silent")
        # the till did it after all: its word is the truth
        store.till(watch, "offer.redeemed", {"basket": "b2", "token": second["token"], "amount": 44})
        store.till(watch, "offer.redeemed", {"basket": "b2", "token": second["token"], "amount": 44})
        wait_for("the second redemption's refusal", lambda: len(letters(watch, "bad-value")) == 2)
        report = store.http("GET", "/v1/report", token=token)[1]
        assert report["redeemed"] == 1 and report["spent"][0]["held_or_spent"] == 44, report
        store.till(watch, "offer.reversed", {"basket": "b2", "token": second["token"], "amount": 44})
        wait_for("the reversal", lambda: store.http("GET", "/v1/report", token=token)[1]["reversed"] == 1)
        assert store.http("GET", "/v1/report", token=token)[1]["spent"][0]["held_or_spent"] == 0


def test_a_cancelled_sale_takes_its_accepted_offer_back():
    with open_store() as (store, watch):
        shown = start_visit(store, watch)
        tap(store, watch, shown, "accept")
        asked = wait_for("the command", lambda: watch.on("pos/7/command"))[0]
        store.till(watch, "offer.applied", {"basket": "b1", "token": asked["token"], "amount": 45})
        store.till(watch, "basket.cancelled", {"basket": "b1"})
        back = wait_for("the withdrawal of the offer", lambda: watch.on("pos/7/command")[1:])[0]
        assert back["type"] == "withdraw-offer" and back["token"] == asked["token"] and back["command"] != asked["command"]


# ---- native tablets, other events ----

def test_a_tablet_that_says_hello_is_told_what_is_open():
    with open_store() as (store, watch):
        shown = start_visit(store, watch)
        settled(store, watch)
        count = len(guidance(watch))
        watch.publish(f"{store.root}/tablet/nobody/hello", {"stations": ["7"]})
        wait_for("nobody's hello", lambda: letters(watch, "not-yours"))
        assert len(guidance(watch)) == count
        watch.publish(f"{store.root}/tablet/t9/hello", {"stations": ["7", "nowhere"]})
        again = wait_for("what is open", lambda: guidance(watch, after=count))[0]
        assert again["guidance"] == shown["guidance"] and again["prompts"][0]["prompt"] == shown["prompts"][0]["prompt"]
        watch.publish(f"{store.root}/tablet/t9/hello", "not json")
        wait_for("the dead letter", lambda: letters(watch, "not-json"))
        watch.publish(f"{store.root}/tablet/t9/hello", {"station": "7"})
        wait_for("the dead letter", lambda: letters(watch, "bad-shape"))
        # shown, said twice, and denied
        prompt = shown["prompts"][0]["prompt"]
        body = {"guidance": shown["guidance"], "prompt": prompt, "tablet": "t9"}
        for n, more in enumerate(({}, {}, {"shown": False})):
            watch.publish(f"{store.root}/tablet/t9/event", store.event("guidance.shown", {**body, **more}, source="/tablet/t9"))
        wait_for("the contradiction", lambda: letters(watch, "bad-value"))
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        assert [o["outcome"] for o in record["outcomes"]] == ["shown"]



def test_a_tablet_that_was_revoked_is_not_heard_any_more():
    with open_store() as (store, watch):
        shown = start_visit(store, watch)
        store.ctl("tablet", "revoke", "t9")
        tap(store, watch, shown, "accept")
        wait_for("the dead letter", lambda: letters(watch, "not-yours"))
        store.ctl("tablet", "add", "t9", "--stations", "8")
        watch.publish(f"{store.root}/tablet/t9/hello", {"stations": ["7"]})
        wait_for("another station's hello", lambda: len(letters(watch, "not-yours")) == 2)
        store.ctl("tablet", "add", "t9", "--stations", "7,8")
        tap(store, watch, shown, "accept")
        wait_for("a command", lambda: watch.on("pos/7/command"))

def test_the_other_events_are_taken_and_do_what_they_say():
    queue = policy.changed(policy.POLICY, quiet={"tender": True, "queue_over": 4}, care={"severity": 2, "only": ["service", "retain"]})
    with open_store(policy=queue, actions=[policy.changed(policy.OFFER, caps=[])]) as (store, watch):
        store.till(watch, "sensor.reading", {"kind": "queue", "station": "7", "value": 6})
        store.till(watch, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(watch, "customer.identified", {"card": CARD, "basket": "b1", "station": "7"})
        settled(store, watch)
        assert not [g for g in guidance(watch) if g.get("prompts")], "five in the queue is quiet"
        store.till(watch, "basket.cancelled", {"basket": "b1"})
        store.till(watch, "sensor.reading", {"kind": "queue", "station": "7", "value": 1})
        start_visit(store, watch, "b2")
        store.till(watch, "basket.cancelled", {"basket": "b2"})
        # a complaint: nothing but service
        watch.publish(f"{store.root}/care/event", store.event(
            "care.case-opened", {"card": CARD, "case": "c1", "topic": "delivery", "severity": 2}, source="/care"))
        settled(store, watch)
        count = len(guidance(watch))
        store.till(watch, "basket.opened", {"basket": "b3", "terminal": "7"})
        store.till(watch, "customer.identified", {"card": CARD, "basket": "b3", "station": "7"})
        settled(store, watch)
        assert not [g for g in guidance(watch, after=count) if g.get("prompts")]
        store.till(watch, "basket.cancelled", {"basket": "b3"})
        watch.publish(f"{store.root}/care/event", store.event("care.case-closed", {
            "card": CARD, "case": "c1", "topic": "delivery", "severity": 2}, source="/care"))
        start_visit(store, watch, "b4")
        for kind, data in (("loyalty.balance", {"card": CARD, "points": 120, "tier": "gold"}),
                           ("wallet.changed", {"card": CARD, "offer": "o1", "worth": 100, "until": "2030-01-01T00:00:00Z", "state": "open"}),
                           ("contact.recorded", {"card": CARD, "channel": "mail", "at": now()}),
                           ("stock.changed", {"gtin": "05012345678900", "state": "out"}),
                           ("survey.answered", {"card": CARD, "kind": "nps", "score": 9}),
                           ("customer.enrolled", {"card": "4000777766665555", "station": "7"}),
                           ("basket.payment-declined", {"basket": "b4"}),
                           ("return.completed", {"return": "r1", "card": CARD, "total": 100, "currency": "EUR", "items": [
                               {"sku": "s", "category": "a/b", "qty": 1, "amount": 100}]}),
                           ("consent.changed", {"card": CARD, "purpose": "contact", "state": "granted", "until": "2030-01-01T00:00:00Z"}),
                           ("customer.left", {"station": "7"})):
            store.till(watch, kind, data)
        store.reader(watch, "customer.merged", {"card": "4000777766665555", "into": CARD})
        settled(store, watch)
        assert not watch.on("/dead-letter"), watch.on("/dead-letter")
        known = json.loads(store.ctl("customer", "show", stdin=CARD + "\n"))
        text = json.dumps(known)
        assert "120" in text and "o1" in text and "return" in text and "decline" in text, known


def test_a_mapping_turns_a_bare_till_into_these_events():
    mapping = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../firmware-config/mappings/rtsf.json")
    store = Store(currency="USD", config=f"[mappings]\nrtsf = {os.path.realpath(mapping)}\n")
    try:
        store.start()
        usd = policy.changed(policy.POLICY, currency="USD")
        store.ctl("bundle", "install", policy.bundle(store.folder, policy=usd))
        store.ctl("profiles", "install", policy.profiles(store.folder, [policy.GOLD], pepper=store.pepper))
        watch = Client(store.broker.port, [f"{store.root}/#"])
        ns = time.time_ns()

        def bare(leaf, n, **body):
            watch.publish(f"rtsf/store/{leaf}", {"lane_id": "7", "basket_id": "rb1", "event_time": ns + n * 1000000, **body})
        bare("basket-open", 1, customer_id=CARD, employee_id="emp1")
        shown = prompts_of(watch)
        assert shown["basket"] == "rb1" and shown["customer"]["known"] is True
        bare("scanned-item", 2, product_id="05012345678900", product_name="Bread", quantity=2, unit_price=1.25, currency="USD")
        bare("payment-start", 3)
        assert wait_for("the withdrawal", lambda: withdrawals(watch))[0]["reason"] == "tender"
        bare("basket-close", 4, total=2.5, currency="USD")
        settled(store, watch)
        bought = json.loads(store.ctl("customer", "show", stdin=CARD + "\n"))["purchases"]
        assert [p["total"] for p in bought] == [250], bought
        bare("scanned-item", 5, product_id="x", quantity="many", unit_price=1)
        watch.publish("rtsf/store/scanned-item", "{broken")
        wait_for("two dead letters", lambda: len(watch.on("/dead-letter")) >= 1 and letters(watch, "bad-shape"))
        assert {d["topic"] for d in watch.on("/dead-letter")} == {"rtsf/store/scanned-item"}
        assert CARD not in store.ctl("deadletter", "--json")
        watch.close()
    finally:
        store.close()


def test_a_topic_that_looks_like_ours_is_counted_and_named_once_a_minute():
    store = Store()
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/#"])

        def alike():
            text = store.http("GET", "/metrics")[1].decode()
            return int(re.search(r"^aisle_topics_alike_total (\d+)", text, re.M)[1])
        event = store.event("sensor.reading", {"kind": "door", "value": 1})
        wrong = ["aisle/v1/0043/pos/7/event", "aisle/v1/0042/POS/7/event", "AISLE/v1/0042/pos/7/event", "aisle/v1/0042/pos/7/event/",
                 "/aisle/v1/0042/pos/7/event", "aisle/v1/0042/pos/7/Event", "aisle/v1/0042/pos/7/events", "aisle/v1/0043/care/event",
                 "aisle/v1/0042/pos/event", "aisle/v1/0042/pos/till\" 7/event"]
        for topic in wrong:
            watch.publish(topic, event)
        for topic in "shop/v1/0042/pos/7/event", "a/b/c/d/event":     # of somebody else
            watch.publish(topic, event)
        settled(store, watch)
        assert alike() == len(wrong)
        assert not watch.on("/dead-letter"), watch.on("/dead-letter")
        wait_for("a line in the log", lambda: "looks like ours" in store.log_text())
        assert ' last="aisle/v1/0042/pos/till\\" 7/event" ' in store.log_text(), store.log_text()      # a till forges no field
        watch.publish(wrong[0], event)
        settled(store, watch)
        assert store.log_text().count("looks like ours") == 1 and alike() == len(wrong) + 1
        # an event is heard once, whichever of the subscriptions it comes by
        text = store.http("GET", "/metrics")[1].decode()
        assert 'aisle_events_total{type="aisle.sensor.reading",result="accepted"} 2' in text, text
        assert 'type="aisle.sensor.reading",result="duplicate"} 1' not in text
        watch.close()
    finally:
        store.close()


def test_a_broker_that_shows_us_our_own_topics_only_is_served_by_them():
    store = Store()
    try:
        plugin = glob.glob("/usr/lib/*/mosquitto_dynamic_security.so")[0]
        store.broker.stop()
        with open(os.path.join(store.folder, "access.json"), "w") as f:
            json.dump({"defaultACLAccess": {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True},
                       "clients": [], "groups": [{"groupname": "all", "roles": [{"rolename": "store"}]}], "anonymousGroup": "all",
                       "roles": [{"rolename": "store", "acls": [{"acltype": "subscribePattern", "topic": f"{store.root}/#", "allow": True}]}]}, f)
        with open(store.broker.conf, "a") as f:
            f.write(f"plugin {plugin}\nplugin_opt_config_file {store.folder}/access.json\n")
        store.broker.start()
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/#"])
        wait_for("our own topics", lambda: "our own topics only" in store.log_text())
        # Nobody heard what was said before that; a till that wants to be sure asks for a receipt.
        def heard():
            store.till(watch, "sensor.reading", {"kind": "door", "value": 1}, terminal="zz", receipt=True)
            return watch.on("pos/zz/receipt")
        wait_for("a receipt", heard)
        settled(store, watch)
        assert "does not let us hear" not in store.log_text()
        watch.close()
    finally:
        store.close()


def topics_saved(store, *names):
    """Which of these stand in what the broker keeps of its sessions?"""
    try:
        with open(os.path.join(store.folder, "broker.db"), "rb") as f:
            kept = f.read()
    except OSError:
        kept = b""
    return [name in kept for name in names]


def test_a_reload_takes_other_mappings_and_a_broken_one_changes_nothing():
    store = Store()
    text = open(store.conf).read()

    def reload(topic, kind):
        """The configuration with one mapping of door sensors; its file is written anew."""
        with open(os.path.join(store.folder, "doors.json"), "w") as f:
            json.dump({"topic": topic, "terminal": 2, "events": [
                {"type": "aisle.sensor.reading", "id": {"var": "n"}, "data": {"kind": kind, "value": {"var": "v"}}}]}, f)
        with open(store.conf, "w") as f:
            f.write(text + f"[mappings]\ndoors = {store.folder}/doors.json\n")
        before = store.log_text().count("re-read")
        store.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: store.log_text().count("re-read") > before)

    def heard(topic, value):
        """How many dead letters come of it: one of what cannot be mapped, none of what is not listened to."""
        count = len(watch.on("/dead-letter"))
        watch.publish(topic, value)
        settled(store, watch)
        return len(watch.on("/dead-letter")) - count

    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/#"])
        assert heard("doors/d1/state", "{broken") == 0
        reload("doors/+/state", "door")
        assert "needs a restart" not in store.log_text()
        wait_for("the doors to be heard", lambda: heard("doors/d1/state", "{broken"))
        assert heard("doors/d1/state", {"n": "1", "v": 1}) == 0
        # another topic in the same file: the old one is not listened to any more
        reload("gates/+/state", "door")
        wait_for("the gates to be heard", lambda: heard("gates/d1/state", "{broken"))
        assert heard("doors/d1/state", "{broken") == 0
        wait_for("the broker to forget the doors", lambda: topics_saved(store, b"gates/+/state", b"doors/+/state") == [True, False])
        # a mapping that does not compile: the configuration is not taken, what was heard is heard
        reload("gates/#/state", {"nonsense": [1]})
        assert "was not re-read" in store.log_text()
        assert heard("gates/d1/state", "{broken") == 1
        # and after the broker was away the same is listened to
        store.broker.stop()
        store.broker.start()
        wait_for("the broker to be connected", lambda: store.status()["mqtt"]["connected"], 20)
        again = Client(store.broker.port, [f"{store.root}/dead-letter"])
        again.publish("gates/d1/state", "{broken")
        wait_for("a dead letter", lambda: again.on("/dead-letter"))
        again.close()
        watch.close()
    finally:
        store.close()


def test_the_service_manager_hears_ready_then_the_watchdog_each_second():
    store = Store()
    path = os.path.join(store.folder, "notify.sock")
    said = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(10)
        os.environ["NOTIFY_SOCKET"] = path
        try:
            store.start()
            while said.count(b"WATCHDOG=1") < 3:
                said += manager.recv(4096)
            assert said.index(b"READY=1") < said.index(b"WATCHDOG=1"), said
            assert "the watchdog is not fed" not in store.log_text()
        finally:
            del os.environ["NOTIFY_SOCKET"]
            store.close()


def test_the_broker_may_die_and_come_back():
    with open_store() as (store, watch):
        # a till whose session the broker keeps, also over its own death
        till = Client(store.broker.port, [f"{store.root}/pos/7/command"], client_id="till7", clean=False)
        wait_for("the session on disk", lambda: topics_saved(store, b"till7") == [True])
        shown = start_visit(store, watch)
        store.broker.stop(signal.SIGKILL)
        wait_for("its absence to be noticed", lambda: not store.status()["mqtt"]["connected"])
        token = store.pair()
        path = f"/v1/guidance/{shown['guidance']}/prompts/{shown['prompts'][0]['prompt']}/decision"
        assert store.http("POST", path, {"decision": "accept"}, token)[0] == 200, "tablets go on without the broker"
        store.broker.start()
        wait_for("the broker to be connected", lambda: store.status()["mqtt"]["connected"], 20)
        # what was decided meanwhile reaches the till
        again = Client(store.broker.port, [f"{store.root}/#"])
        wait_for("the command", lambda: till.on("pos/7/command"), 15)
        assert wait_for("the retained status", lambda: again.on("/status"))[-1]["state"] == "online"
        store.till(again, "basket.closed", {"basket": "b1", "total": 0, "currency": "EUR"}, receipt=True)
        wait_for("a receipt", lambda: again.on("pos/7/receipt"))
        again.close()
        till.close()


def test_what_one_station_sends_too_fast_is_taken_in_order_and_none_of_it_is_lost():
    store = Store(config="[limits]\nterminal_rate = 1/s\n")
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/#"])

        def burst():
            return [store.till(watch, "sensor.reading", {"kind": "door", "value": n}, receipt=True)["id"] for n in range(100)]

        def receipted():
            return [name for receipt in watch.on("pos/7/receipt") for _, name in receipt["ids"]]

        sent = burst()
        wait_for("all receipts", lambda: len(receipted()) == 100)
        assert receipted() == sent
        assert not watch.on("/dead-letter")
        # SIGHUP: another limit is taken over, what needs a restart is said
        text = open(store.conf).read()
        with open(store.conf, "w") as f:
            f.write(text.replace("= 1/s", "= 1000/s").replace("currency = EUR", "currency = USD"))
        store.process.send_signal(signal.SIGHUP)
        wait_for("the report", lambda: "needs a restart" in store.log_text())
        assert "[store] currency" in store.log_text()
        sent += burst()
        wait_for("all receipts", lambda: len(receipted()) == 200)
        assert receipted() == sent
        assert not watch.on("/dead-letter")
        # and a broken file changes nothing
        with open(store.conf, "a") as f:
            f.write("[limits]\nnonsense = 1\n")
        store.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "was not re-read" in store.log_text())
        settled(store, watch)
        watch.close()
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
