# SPDX-License-Identifier: Apache-2.0
"""One action that stands for many: what tables name, what is left out, what becomes of it."""
import json
import os
import shutil
import struct
import subprocess
import tempfile

import policy
from oracle import millis, ulid
from store import AISLECTL, Client, Store, main, wait_for

GOES = {"action": "goes-with", "kind": "recommend", "issue": "grow", "group": "complement", "on": ["aisle.basket.item-added"],
        "personal": False, "incremental": 0.5, "margin": 100, "outcome": {"is": "bought", "within": "0d",
                                                                          "item": {"from": "table", "name": "basket"}},
        "placements": ["tablet"], "gate": "associate", "expires": "10m",
        "treatments": [{"treatment": "plain", "language": "en", "headline": "Goes with it: {{item}}", "image": {"from": "table"}}]}
USUAL = policy.changed(GOES, action="usual", kind="remind", group="own", personal=True,
                       outcome={"is": "bought", "within": "0d", "item": {"from": "table", "name": "own"}})
INSTEAD = policy.changed(GOES, action="instead", group="instead", personal=True,
                         on=["aisle.basket.item-added", "aisle.guidance.decided"],
                         outcome={"is": "bought", "within": "0d", "item": {"from": "table", "name": "substitute"}})
LIST = "item,other,score,name\nA,B,0.5,Butter\nA,C,0.25,Cream\nA,D,0.2,Dates\n"
SUBSTITUTES = "item,other,score,name\nM,N,0.4,Next milk\nB,E,0.3,Easy spread\n"
PEPPER = "00112233445566778899aabbccddeeff" * 2


def fnv(text):
    h = 14695981039346656037
    for byte in text.encode():
        h = (h ^ byte) * 1099511628211 % (1 << 64)
    return h


def own_table(items, level=0, patience=100):
    """As recommend/table.h has it: items in order, all in as many baskets."""
    texts, rows = b"\0", b""
    for item in items:
        rows += struct.pack("<IIIIHh", len(texts), 0, 10, 0, 4096, 0)
        texts += item.encode() + b"\0"
    keys = sorted((fnv(item), i) for i, item in enumerate(items))
    head = b"AISLTAB1" + struct.pack("<BBBBIIIIIII", 3, level, 1, 0, len(items), 0, 0, len(texts), 100, 65536, 1)
    head += struct.pack("<11HH", *[4096] * 11, patience)
    return head + b"".join(struct.pack("<Q", k) for k, _ in keys) + b"".join(struct.pack("<I", i) for _, i in keys) + rows + texts


class Shop:
    def __init__(self, actions=(GOES,), patience=100, **settings):
        self.folder = tempfile.mkdtemp(prefix="aisle-")
        source = os.path.join(self.folder, "policy-source")
        policy.write(source, policy=policy.changed(policy.POLICY, **settings), actions=list(actions),
                     extra={"tables/basket.csv": LIST, "tables/substitute.csv": SUBSTITUTES,
                            "tables/tables.json": {"names": {"M": {"en": "Milk", "de": "Milch"}}}})
        with open(os.path.join(source, "tables", "own.table"), "wb") as f:
            f.write(own_table(["M", "B", "X"], patience=patience))
        self.bundle = os.path.join(self.folder, "policy.bundle")
        done = subprocess.run(AISLECTL + ["bundle", "build", source, "-o", self.bundle], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        with open(os.path.join(self.folder, "pepper"), "w") as f:
            f.write(PEPPER + "\n")
        self.events, self.now = [], 0

    def say(self, kind, data, topic="pos/7/event"):
        self.now += 1
        self.events.append({"specversion": "1.0", "id": f"e{len(self.events)}", "source": "/till", "topic": topic,
                            "type": "aisle." + kind, "time": f"2026-11-{10 + self.now // 3600:02d}T10:{self.now // 60 % 60:02d}:{self.now % 60:02d}Z",
                            "data": data})

    def basket(self, number, *skus, card=None, close=True):
        self.say("basket.opened", {"basket": number, "terminal": "7"})
        if card:
            self.say("customer.identified", {"card": card, "station": "7", "basket": number})
        for i, sku in enumerate(skus):
            self.item(number, i + 1, sku)
        if close:
            self.close(number)

    def item(self, number, line, sku, category="grocery/food"):
        self.say("basket.item-added", {"basket": number, "line": line, "sku": sku, "category": category, "qty": 1, "amount": 100,
                                       "currency": "EUR"})

    def close(self, number):
        self.say("basket.closed", {"basket": number, "total": 100, "currency": "EUR"})

    def replay(self):
        path = os.path.join(self.folder, "events.jsonl")
        with open(path, "w") as f:
            f.write("".join(json.dumps(e) + "\n" for e in self.events))
        profiles = policy.profiles(self.folder, [policy.GOLD], store="0", pepper=os.path.join(self.folder, "pepper"))
        done = subprocess.run(AISLECTL + ["replay", "--bundle", self.bundle, "--profiles", profiles, "--pepper",
                                          os.path.join(self.folder, "pepper"), "--store", "0", "--events", path],
                              capture_output=True, text=True)
        assert done.returncode == 0 and "set aside" not in done.stderr, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def answer(self, prompt, decision, **more):
        first = next(d for d in self.replay() if any(s.get("prompt") == prompt for s in d["slots"]))
        guidance = ulid(policy.SALTS["id"], millis(first["at"]), first["trigger"]["source"], first["trigger"]["id"], "guidance")
        self.say("guidance.decided", {"guidance": guidance, "prompt": prompt, "tablet": "t", "decision": decision, **more},
                 topic="tablet/t/event")

    def close_shop(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def of(decision, action="goes-with"):
    return next(c for c in decision["candidates"] if c["action"] == action)


def last_prompt(decisions):
    return [s["prompt"] for d in decisions for s in d["slots"] if "prompt" in s][-1]


def with_shop(test):
    def run():
        shop = Shop()
        try:
            test(shop)
        finally:
            shop.close_shop()
    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@with_shop
def test_the_likeliest_is_named_with_its_chance(shop):
    shop.basket("b", "A")
    found = of(shop.replay()[-1])
    assert found["fate"] == "offered" and found["item"] == "B" and abs(found["chance"] - 0.5) < 1e-4 and found["p1"] == found["chance"], found


@with_shop
def test_what_is_scanned_is_not_named_and_its_card_goes(shop):
    shop.basket("b", "A", "B", close=False)
    decisions = shop.replay()
    assert of(decisions[0])["item"] == "B"
    assert of(decisions[-1])["fate"] == "applicability" and of(decisions[-1])["clause"] == "outcome.item", of(decisions[-1])
    shop.item("b", 3, "Z")
    assert of(shop.replay()[-1])["item"] == "C"


@with_shop
def test_an_open_card_stays_with_what_it_named(shop):
    shop.basket("b", "A", "Z", close=False)
    decisions = shop.replay()
    assert [of(d)["item"] for d in decisions] == ["B", "B"], decisions
    assert decisions[0]["slots"][0]["prompt"] == decisions[1]["slots"][0]["prompt"]


@with_shop
def test_nothing_that_goes_with_it_is_nothing_to_say(shop):
    shop.basket("b", "Q")
    assert of(shop.replay()[-1]) == {"action": "goes-with", "fate": "applicability", "clause": "outcome.item"}


@with_shop
def test_what_is_out_of_stock_is_not_named_until_it_is_in_again(shop):
    shop.say("stock.changed", {"gtin": "4006381333931", "state": "out"}, topic="care/event")
    shop.say("stock.changed", {"gtin": "B", "state": "out"})
    shop.basket("b", "A")
    first = of(shop.replay()[-1])["item"]
    shop.say("stock.changed", {"gtin": "B", "state": "in"})
    shop.basket("c", "A")
    assert (first, of(shop.replay()[-1])["item"]) == ("C", "B")


@with_shop
def test_an_associate_who_found_the_shelf_empty_speaks_for_the_store(shop):
    shop.basket("b", "A", close=False)
    shop.answer(last_prompt(shop.replay()), "dismiss", reason="out-of-stock")
    shop.close("b")
    shop.basket("c", "A")
    assert of(shop.replay()[-1])["item"] == "C"


def test_the_customers_own_wait_for_as_many_lines_as_he_usually_has():
    for patience, clauses in ((100, ["too early", "too early", None]), (0, ["too early"] * 3)):
        shop = Shop([USUAL], patience=patience)
        try:
            for n in range(8):
                shop.basket(f"h{n}", *(["M"] if n < 4 else []), *(["B", "X"] if n >= 4 else []), card=policy.GOLD["card"])
            shop.basket("now", "Q", "B", "X", card=policy.GOLD["card"], close=False)
            found = [of(d, "usual") for d in shop.replay()[-3:]]
            assert [f.get("clause", "").rpartition(": ")[2] or None for f in found] == clauses, found
            if patience:
                assert found[2]["fate"] == "offered" and found[2]["item"] == "M" and 0.2 < found[2]["chance"] < 0.5, found
        finally:
            shop.close_shop()


def test_of_a_stranger_nothing_is_his_own():
    shop = Shop([USUAL])
    try:
        shop.basket("stranger", "B", "X")
        assert of(shop.replay()[-1], "usual")["fate"] == "consent"
    finally:
        shop.close_shop()


def test_instead_of_what_was_not_there():
    shop = Shop([GOES, INSTEAD])
    try:
        shop.basket("b", "A", card=policy.GOLD["card"], close=False)
        shop.answer(last_prompt(shop.replay()), "dismiss", reason="out-of-stock")
        shop.item("b", 2, "Q")
        found = of(shop.replay()[-1], "instead")
        assert found["fate"] == "offered" and found["item"] == "E", found
    finally:
        shop.close_shop()


def test_the_outcome_is_that_the_named_thing_was_bought():
    once = policy.changed(GOES, personal=True, caps=[{"per": "customer", "outcome": "bought", "max": 1, "within": "7d"}])
    for bought, fate in (("B", "contact"), ("C", "offered")):
        shop = Shop([once])
        try:
            shop.basket("b", "A", bought, card=policy.GOLD["card"])
            shop.basket("c", "A", card=policy.GOLD["card"])
            assert of(shop.replay()[-1])["fate"] == fate, (bought, of(shop.replay()[-1]))
        finally:
            shop.close_shop()


def test_a_card_says_what_it_is_about_and_an_empty_shelf_outlives_a_restart():
    shop, store = Shop(), Store()
    store.start()
    try:
        store.ctl("bundle", "install", shop.bundle)
        client = Client(store.broker.port, [f"{store.root}/guidance/7"])

        def card(number):
            store.till(client, "basket.opened", {"basket": number, "terminal": "7"})
            store.till(client, "basket.item-added", {"basket": number, "line": 1, "sku": "A", "category": "grocery/food", "qty": 1,
                                                     "amount": 100, "currency": "EUR"})
            told = wait_for("a card", lambda: [g for g in client.on("guidance/7") if g.get("basket") == number and g["prompts"]])
            store.till(client, "basket.closed", {"basket": number, "total": 100, "currency": "EUR"})
            return told[-1]["prompts"][0]

        first = card("b1")
        assert first["headline"] == "Goes with it: Butter" and first["item"] == {"item": "B"}, first
        store.till(client, "stock.changed", {"gtin": "B", "state": "out"})
        assert card("b2")["headline"] == "Goes with it: Cream"
        store.stop()
        store.start()
        assert card("b3")["item"] == {"item": "C"}
        store.till(client, "stock.changed", {"gtin": "B", "state": "low"})
        assert card("b4")["item"] == {"item": "B"}
        client.close()
    finally:
        store.close()
        shop.close_shop()


def test_what_a_family_may_not_be_is_said():
    cases = [
        ({"from": "table", "name": "own"}, "a customer's own items for strangers"),
        ({"from": "table", "name": "baskets"}, "basket"),
        ({"from": "shelf", "name": "basket"}, "is nothing to take items from"),
    ]
    for item, says in cases:
        folder = tempfile.mkdtemp(prefix="aisle-")
        action = policy.changed(GOES, outcome={"is": "bought", "item": item})
        policy.write(folder, actions=[action], extra={"tables/basket.csv": LIST})
        done = subprocess.run(AISLECTL + ["policy", "check", folder], capture_output=True, text=True)
        assert done.returncode == 65 and says in done.stderr + done.stdout, (done.stdout, done.stderr)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
