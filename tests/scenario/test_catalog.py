#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A catalog, from outside: built from a table, installed, and what tills then need not say."""
import csv
import glob
import hashlib
import json
import os
import random
import signal
import subprocess
import time

import policy
from releases import Chain
from store import AISLECTL, Client, Store, main, wait_for
from test_images import RED, get, path_of

COLUMNS = ["sku", "gtin", "name", "category", "brand", "margin", "marks", "image"]
ROWS = [
    {"sku": "C-1", "gtin": "4006381333931 96385074", "name": "Coffee, 500 g", "category": "Grocery/Coffee", "brand": "ACME",
     "margin": "25%", "image": "cup.png"},
    {"sku": "S-1", "gtin": "036000291452", "category": "drinks/clear", "margin": "31%", "marks": "sensitive@DE"},
    {"sku": "T-1", "category": "services/stamps", "marks": "no-promotion", "margin": "5"},
]
FEATURES = [
    policy.feature("total", "basket.total()"), policy.feature("coffee", "basket.sum(category=grocery/coffee)"),
    policy.feature("acme", "basket.sum(brand=acme)"), policy.feature("margin", "basket.margin()"),
    policy.feature("of", "event.category", "string"), policy.feature("line", "event.line"),
]
PROBE = 100  # the line that a card comes with: its decision is looked at
SAY = {"action": "say", "kind": "inform", "issue": "grow", "group": "g", "on": ["aisle.basket.item-added"], "personal": False,
       "applicable": {"and": [{">=": [{"var": ["line", PROBE]}, PROBE]}] + [{">=": [{"var": f}, 0]} for f in ("total", "coffee", "acme")] + [
           {"!=": [{"var": ["of", ""]}, "never"]}, {"!=": [{"var": ["margin", -1]}, -2]}]},
       "propensity": 0.2, "incremental": 1, "margin": 100, "outcome": {"is": "none"}, "placements": ["tablet"], "gate": "none",
       "expires": "60s", "treatments": [{"treatment": "plain", "language": "en", "headline": "{{total}} in all"}]}


def build(folder, rows=ROWS, version=1, name="range", code=0):
    os.makedirs(os.path.join(folder, "images"), exist_ok=True)
    with open(os.path.join(folder, "images", "cup.png"), "wb") as f:
        f.write(RED)
    table, out = os.path.join(folder, "t.csv"), os.path.join(folder, f"{name}-{version}.catalog")
    with open(table, "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    done = subprocess.run(AISLECTL + ["catalog", "build", table, "--version", str(version), "--name", name, "--images",
                                      os.path.join(folder, "images"), "-o", out], capture_output=True, text=True)
    assert done.returncode == code, done
    return out


def a_store(country=None, config=""):
    store = Store(config=config)
    if country:
        with open(store.conf) as f:
            text = f.read()
        with open(store.conf, "w") as f:
            f.write(text.replace("currency = EUR", f"currency = EUR\ncountry = {country}"))
    store.start()
    folder = policy.write(os.path.join(store.folder, "p"), features=FEATURES, actions=[SAY])
    store.bundle = folder + ".bundle"
    subprocess.run(AISLECTL + ["bundle", "build", folder, "-o", store.bundle], check=True, capture_output=True)
    store.ctl("bundle", "install", store.bundle)
    return store


class Till:
    """A till that says of an article no more than it must, and keeps what it said as a recording."""

    def __init__(self, store):
        self.store, self.basket, self.line, self.told = store, 0, 0, []
        self.client = Client(store.broker.port, [store.root + "/pos/7/receipt", store.root + "/dead-letter"])
        self.next()

    def next(self):
        self.basket, self.line = self.basket + 1, 0
        self.say("basket.opened", {"basket": f"b{self.basket}", "terminal": "7"})

    def say(self, kind, data):
        event = self.store.till(self.client, kind, data, receipt=True)
        receipt = wait_for("the receipt", lambda: [r for r in self.client.on("/receipt")
                                                   if [event["source"], event["id"]] in r["ids"]])[0]
        at = receipt["at"][receipt["ids"].index([event["source"], event["id"]])]
        self.told.append({**event, "recordedtime": at, "topic": "pos/7/event"})
        return event

    def scan(self, amount=400, line=None, **article):
        self.line += 1
        return self.say("basket.item-added", {"basket": f"b{self.basket}", "line": line or self.line, "qty": 1,
                                              "amount": amount, "currency": "EUR", **article})

    def probe(self, **article):
        """The last line of this basket; what its decision saw. Then the next basket."""
        event = self.scan(line=PROBE, **article)

        def decided():
            for guidance in self.store.http("GET", "/v1/stations/7", token=self.store.token)[1]["open"]:
                status, decision = self.store.http("GET", f"/v1/decisions/{guidance['decision']}")
                if status == 200 and decision["trigger"]["id"] == event["id"]:
                    return decision
            return None
        self.decision = wait_for("the decision", decided)
        self.next()
        return {k: v for k, v in self.decision["features"].items() if k != "line"}


def serve(country=None):
    store = a_store(country)
    store.token = store.pair()
    return store, Till(store)


def install(store, file, code=0):
    said = store.ctl("bundle", "install", file, code=code)
    return json.loads(said)["catalog"] if code == 0 else None


def test_a_till_that_sends_a_sku_alone_and_a_recording_that_replays():
    store, till = serve()
    try:
        assert store.status()["catalog"] is None
        file = build(store.folder)
        with open(file, "rb") as f:
            digest = hashlib.blake2b(f.read(), digest_size=32).hexdigest()
        assert install(store, file) == {"name": "range", "version": 1, "hash": digest, "articles": 3}
        assert store.status()["catalog"] == {"name": "range", "version": 1, "hash": digest, "articles": 3}
        assert "catalog   range version 1, 3 articles" in store.ctl("status")
        seen = till.probe(sku="C-1")
        assert seen == {"total": 400, "coffee": 400, "acme": 400, "margin": 100, "of": "grocery/coffee"}, seen
        till.scan(sku="C-1")
        seen = till.probe(gtin="00000096385074")
        assert (seen["coffee"], seen["margin"]) == (800, 200), seen
        # what the till says wins, but for a mark
        till.scan(sku="C-1")
        seen = till.probe(sku="C-1", category="tea", brand="own", margin=7)
        assert seen == {"total": 800, "coffee": 400, "acme": 400, "margin": 107, "of": "tea"}, seen
        till.scan(sku="C-1")
        seen = till.probe(sku="T-1", category="grocery/coffee")
        assert (seen["total"], seen["coffee"]) == (400, 400) and seen.get("of") is None, seen
        recording = os.path.join(store.folder, "told.jsonl")
        with open(recording, "w") as f:
            f.writelines(json.dumps(e) + "\n" for e in till.told)
        words = ["--bundle", store.bundle, "--events", recording]
        again = store.ctl("replay", *words, "--catalog", file)
        assert again == store.ctl("replay", *words, "--catalog", file)
        assert json.loads(again.splitlines()[-1])["features"] == till.decision["features"]
        assert json.loads(again.splitlines()[-1])["decision"] == till.decision["decision"]
        assert json.loads(store.ctl("decide", *words, "--catalog", file))["features"] == till.decision["features"]
        told = json.loads(store.ctl("feed", "check", recording, "--json", code=None))["checks"]
        assert {c["check"]: c["count"] for c in told if c["check"] in ("category", "margin")} == {"category": 2, "margin": 1}
        told = json.loads(store.ctl("feed", "check", recording, "--json", "--catalog", file, code=None))["checks"]
        assert {c["check"]: c["count"] for c in told if c["check"] in ("category", "margin")} == {"category": 7, "margin": 7}
        # without it these are lines that no store takes
        assert "category" in (store.ctl("decide", *words, code=None) and store.said), store.said
    finally:
        store.close()


def test_an_article_is_sensitive_in_one_country():
    for country, total in (("DE", 400), ("FR", 800), (None, 400)):
        store, till = serve(country)
        try:
            install(store, build(store.folder))
            till.scan(sku="C-1")
            assert till.probe(gtin="36000291452")["total"] == total, country
        finally:
            store.close()


def test_a_catalog_replaced_while_a_basket_is_open_and_a_restart():
    store, till = serve()
    try:
        install(store, build(store.folder))
        till.scan(sku="C-1")
        other = [{**ROWS[0], "category": "hot/drinks", "margin": "50%"}]
        assert install(store, build(store.folder, other, version=2))["version"] == 2
        till.scan(sku="C-1")
        store.stop()
        store.start()
        assert store.status()["catalog"]["version"] == 2
        seen = till.probe(sku="C-1")
        assert seen == {"total": 1200, "coffee": 400, "acme": 1200, "margin": 500, "of": "hot/drinks"}, seen
        # an article that it has not: a line all the same
        till.scan(sku="C-1")
        seen = till.probe(sku="S-1")
        assert seen["total"] == 800 and seen.get("margin") is None, seen
        metrics = store.http("GET", "/metrics")[1].decode()
        assert 'aisle_catalog_total{article="found"} 2' in metrics and 'aisle_catalog_total{article="unknown"} 1' in metrics
    finally:
        store.close()


def test_what_is_refused_changes_nothing_and_what_is_damaged_gives_way_to_the_last_good():
    store, till = serve()
    try:
        install(store, build(store.folder))
        second = build(store.folder, version=2)
        with open(second, "rb") as f:
            good = f.read()
        bad = os.path.join(store.folder, "bad.catalog")
        for at in (200, len(good) // 2, len(good) - 5000):
            with open(bad, "wb") as f:
                f.write(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
            if subprocess.run(AISLECTL + ["bundle", "inspect", bad], capture_output=True).returncode != 0:
                install(store, bad, code=77)
        with open(bad, "wb") as f:
            f.write(good[:-4096])
        install(store, bad, code=77)
        assert store.status()["catalog"]["version"] == 1
        hash_of_1 = store.status()["catalog"]["hash"]
        install(store, second)
        files = sorted(os.path.basename(p) for p in glob.glob(os.path.join(store.folder, "state", "catalogs", "*")))
        assert len(files) == 2 and hash_of_1 in files, files
        install(store, build(store.folder, version=3))
        files = [os.path.basename(p) for p in glob.glob(os.path.join(store.folder, "state", "catalogs", "*"))]
        assert len(files) == 2 and hash_of_1 not in files, files
        third = store.status()["catalog"]["hash"]
        store.stop()
        path = os.path.join(store.folder, "state", "catalogs", third)
        with open(path, "r+b") as f:
            f.seek(-100, os.SEEK_END)
            f.write(b"x")
        store.start()
        assert store.status()["catalog"]["version"] == 2
        assert till.probe(sku="C-1")["coffee"] == 400
        said = [c for c in json.loads(store.ctl("doctor", "--json", code=None))["checks"] if c["check"] == "catalog"][0]
        assert said["state"] == "bad" and "the one before is in force" in said["says"], said
        install(store, build(store.folder, version=3))
        assert store.status()["catalog"]["version"] == 3
        # none at all is no reason not to serve
        store.stop()
        for path in glob.glob(os.path.join(store.folder, "state", "catalogs", "*")):
            os.unlink(path)
        store.start()
        assert store.status()["catalog"] is None
        till.scan(sku="C-1", category="grocery/coffee")
    finally:
        store.close()


def test_killed_at_any_moment_of_an_installation_the_store_has_the_old_one_or_the_new():
    store, till = serve()
    random.seed(7)
    try:
        files = {v: build(store.folder, version=v) for v in (1, 2)}
        begun = time.monotonic()
        install(store, files[1])
        took, seen, version = time.monotonic() - begun, set(), 1
        for k in range(40):
            if k >= 12 and len(seen) == 2:
                break
            asked = subprocess.Popen(AISLECTL + ["--config", store.conf, "bundle", "install", files[3 - version]],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.random() * 1.3 * took)
            store.stop(signal.SIGKILL)
            asked.wait(20)
            store.start()
            now = store.status()["catalog"]["version"]
            assert now in (1, 2)
            seen.add(now != version)
            version = now
            left = glob.glob(os.path.join(store.folder, "state", "catalogs", "*"))
            assert len(left) <= 2, left
        assert till.probe(sku="C-1")["coffee"] == 400
        assert seen == {True, False}, "no moment before it, or none after"
    finally:
        store.close()


def test_an_unsigned_catalog_is_refused_where_a_root_is_set():
    store = Store()
    try:
        chain = Chain(os.path.join(store.folder, "chain"))
        with open(store.conf, "a") as f:
            f.write(f"[hq]\nhost = 127.0.0.1\nroot = {chain.roots[0]}\n")
        store.start()
        install(store, build(store.folder), code=77)
        assert "[hq] root is set" in store.said, store.said
        assert store.status()["catalog"] is None
    finally:
        store.close()


def test_an_image_of_the_catalog_is_served_by_its_hash():
    store, till = serve()
    try:
        install(store, build(store.folder))
        status, body, headers = get(store, path_of(RED), store.token)
        assert (status, body, headers["Content-Type"]) == (200, RED, "image/png")
        assert get(store, path_of(RED))[0] == 401
        assert get(store, path_of(b"another"), store.token)[0] == 404
        install(store, build(store.folder, [{"sku": "C-1"}], version=2))
        assert get(store, path_of(RED), store.token)[0] == 404
    finally:
        store.close()


def test_a_card_shows_an_articles_image_and_keeps_it_while_it_is_open():
    store = a_store()
    client = Client(store.broker.port)
    try:
        def image_of(basket):
            store.till(client, "basket.opened", {"basket": basket, "terminal": "7"})
            store.till(client, "basket.item-added", {"basket": basket, "line": PROBE, "sku": "C-1", "qty": 1, "amount": 400,
                                                     "category": "c", "currency": "EUR"})
            card, = wait_for("the card", lambda: [p for g in store.http("GET", "/v1/stations/7", token=token)[1]["open"]
                                                  if g["basket"] == basket for p in g["prompts"]])
            return card.get("image")

        token = store.pair()
        words = [{**SAY["treatments"][0], "image": {"item": "04006381333931"}}]
        folder = policy.write(os.path.join(store.folder, "shown"), policy=policy.changed(policy.POLICY, version=2), features=FEATURES,
                              actions=[policy.changed(SAY, treatments=words)])
        subprocess.run(AISLECTL + ["bundle", "build", folder, "-o", store.bundle], check=True, capture_output=True)
        store.ctl("bundle", "install", store.bundle)
        assert image_of("b1") is None  # there is no catalog
        install(store, build(store.folder))
        assert image_of("b2") == path_of(RED)
        install(store, build(store.folder, [{"sku": "C-1", "gtin": "4006381333931"}], version=2))
        assert get(store, path_of(RED), token)[:2] == (200, RED)  # of the open card
        assert image_of("b3") is None
        for n in (1, 2, 3):
            store.till(client, "basket.cancelled", {"basket": f"b{n}"})
        wait_for("the cards to go", lambda: not store.http("GET", "/v1/stations/7", token=token)[1]["open"])
        assert get(store, path_of(RED), token)[0] == 404
        out = os.path.join(store.folder, "few.catalog")
        for item, said in (("04006381333931", "3 articles, 1 images\n"), ("S-1", "3 articles, 0 images, 1 left out that no action shows\n")):
            policy.write(folder, policy=policy.POLICY, features=FEATURES,
                         actions=[policy.changed(SAY, treatments=[{**words[0], "image": {"item": item}}])])
            build(store.folder)
            done = subprocess.run(AISLECTL + ["catalog", "build", os.path.join(store.folder, "t.csv"), "--version", "3", "--policy", folder,
                                              "--images", os.path.join(store.folder, "images"), "-o", out], capture_output=True, text=True)
            assert done.returncode == 0 and done.stdout.endswith(said), done
            assert (item in done.stderr and "warning: no image of" in done.stderr) == (item == "S-1"), done
    finally:
        client.close()
        store.close()


def test_a_table_with_mistakes_makes_no_file():
    store = Store()
    try:
        file = build(store.folder, [{"sku": "A"}, {"sku": "A"}], code=65)
        assert not os.path.exists(file)
        done = subprocess.run(AISLECTL + ["catalog", "build", os.path.join(store.folder, "none.csv"), "--version", "1", "-o", file],
                              capture_output=True, text=True)
        assert done.returncode == 66, done
        done = subprocess.run(AISLECTL + ["catalog", "build", os.path.join(store.folder, "t.csv"), "--version", "0", "-o", file],
                              capture_output=True, text=True)
        assert done.returncode == 64, done
        file = build(store.folder)
        found = [json.loads(line) for line in subprocess.run(
            AISLECTL + ["catalog", "find", file, "4006381333931", "S-1", "X", "--country", "DE", "--json"],
            capture_output=True, text=True, check=True).stdout.splitlines()]
        assert found == [
            {"code": "4006381333931", "found": True, "name": "Coffee, 500 g", "category": "grocery/coffee", "brand": "acme",
             "margin": "25.000%"},
            {"code": "S-1", "found": True, "category": "drinks/clear", "margin": "31.000%", "mark": "sensitive"},
            {"code": "X", "found": False}], found
        shown = json.loads(subprocess.run(AISLECTL + ["bundle", "inspect", file, "--json"], capture_output=True, text=True,
                                          check=True).stdout)
        assert (shown["kind"], shown["articles"], shown["codes"], shown["images"]) == ("catalog", 3, 6, 1), shown
    finally:
        store.close()


if __name__ == "__main__":
    main([
        test_a_till_that_sends_a_sku_alone_and_a_recording_that_replays,
        test_an_article_is_sensitive_in_one_country,
        test_a_catalog_replaced_while_a_basket_is_open_and_a_restart,
        test_what_is_refused_changes_nothing_and_what_is_damaged_gives_way_to_the_last_good,
        test_killed_at_any_moment_of_an_installation_the_store_has_the_old_one_or_the_new,
        test_an_unsigned_catalog_is_refused_where_a_root_is_set,
        test_an_image_of_the_catalog_is_served_by_its_hash,
        test_a_card_shows_an_articles_image_and_keeps_it_while_it_is_open,
        test_a_table_with_mistakes_makes_no_file,
    ])
