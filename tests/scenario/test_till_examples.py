#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The tills of docs/examples: an offer is applied and paid with, or withdrawn again, and the receipt comes.

TILL: the program and its first arguments (`node docs/examples/till.js`); without it the one in C is compiled."""
import json
import os
import shlex
import subprocess
import tempfile

import policy
from store import RUN, Client, Store, main, wait_for

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/examples")
FOLDER = tempfile.mkdtemp(prefix="aisle-till-")
COFFEE = policy.changed(policy.OFFER, on=["aisle.basket.item-added"], applicable=True, caps=[], gate="associate")


def till():
    if os.environ.get("TILL"):
        return shlex.split(os.environ["TILL"])
    program = os.path.join(FOLDER, "till")
    if not os.path.exists(program):
        found = subprocess.run(["pkg-config", "--cflags", "--libs", "libmosquitto", "jansson"], check=True, capture_output=True, text=True)
        subprocess.run([*shlex.split(os.environ.get("CC", "cc")), *shlex.split(os.environ.get("CFLAGS", "")), "-Wall", "-Wextra",
                        "-Werror", "-o", program, os.path.join(EXAMPLES, "till.c"), *found.stdout.split()], check=True)
    return RUN + [program]


class Sale:
    """A store, a tablet and the example's till with a basket of one article at 4.99."""

    def __init__(self):
        self.store = Store()
        self.store.start()
        self.store.ctl("bundle", "install", policy.bundle(self.store.folder, actions=[COFFEE]))
        self.store.ctl("profiles", "install", policy.profiles(self.store.folder, [policy.GOLD], pepper=self.store.pepper))
        self.token = self.store.pair()
        self.watch = Client(self.store.broker.port, [f"aisle/v1/{self.store.id}/#"])
        self.process = subprocess.Popen([*till(), "127.0.0.1", str(self.store.broker.port), self.store.id, "7",
                                         policy.GOLD["card"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        shown = wait_for("the card", lambda: [g for g in self.watch.on("/guidance/7") if g.get("prompts")])[-1]
        status, _ = self.store.http("POST", f"/v1/guidance/{shown['guidance']}/prompts/{shown['prompts'][0]['prompt']}/decision",
                                    {"decision": "accept"}, self.token)
        assert status == 200
        wait_for("the discount", lambda: self.events("offer.applied"))

    def events(self, kind):
        return [e["data"] for e in self.watch.on("/pos/7/event") if e["type"] == f"aisle.{kind}"]

    def pay(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        return json.loads(self.process.stdout.read())

    def dead(self):
        return self.watch.on("/dead-letter")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.watch.close()
        self.store.close()


def test_an_offer_is_applied_paid_with_and_receipted():
    sale = Sale()
    try:
        paid = sale.pay()
        worth = sale.events("offer.applied")[0]["amount"]
        assert worth > 0 and paid["total"] == 499 - worth, paid
        assert [e["amount"] for e in sale.events("offer.redeemed")] == [worth]
        assert sale.events("basket.closed")[0]["total"] == 499 - worth
        assert sale.events("basket.item-added")[-1]["discounts"][0]["amount"] == worth
        assert not sale.dead(), sale.dead()
        status, report = sale.store.http("GET", "/v1/report", token=sale.token)
        assert status == 200 and report["redeemed"] == 1 and report["refused"] == 0, report
    finally:
        sale.close()


def test_an_offer_that_is_withdrawn_leaves_the_basket_and_is_answered():
    sale = Sale()
    try:
        sale.store.ctl("stop", "coffee-off")
        wait_for("the till's answer", lambda: sale.events("offer.refused"))
        paid = sale.pay()
        assert paid["total"] == 499, paid
        assert not sale.events("offer.redeemed")
        assert sale.events("basket.item-added")[-1]["amount"] == 499
        assert not sale.dead(), sale.dead()
    finally:
        sale.close()


def test_a_sale_outlives_its_broker():
    sale = Sale()
    try:
        sale.store.broker.stop()
        sale.store.broker.start()
        wait_for("the till to go on", lambda: sale.process.poll() is None and sale.store.status()["mqtt"]["connected"])
        paid = sale.pay()
        worth = sale.events("offer.applied")[0]["amount"]
        assert paid["total"] == 499 - worth, paid
        status, report = sale.store.http("GET", "/v1/report", token=sale.token)
        assert status == 200 and report["redeemed"] == 1, report
    finally:
        sale.close()


if __name__ == "__main__":
    main([test_an_offer_is_applied_paid_with_and_receipted, test_a_sale_outlives_its_broker, test_an_offer_that_is_withdrawn_leaves_the_basket_and_is_answered])
