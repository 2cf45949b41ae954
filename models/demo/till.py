# SPDX-License-Identifier: Apache-2.0
"""A till on a real broker, as docs/integrating-a-till.md has it: it scans, reads cards, does what aisled's commands say, and takes money."""
import datetime
import json
import os
import random
import threading
import time

from store import Client
from journey import card, envelope, line_data

ROOT = "aisle/v1/0042"


def below(category, path):
    return category == path or category.startswith(path + "/")


class Till:
    """One sale after another. Discounts of ours stand in the lines that they are for, or, of a whole basket, in the total."""

    def __init__(self, port, station):
        self.station, self.port = station, port
        self.lock = threading.RLock()
        self.number = self.sales = self.redeemed = self.closed = self.cards_seen = self.heard = 0
        self.prefix = f"{os.getpid()}-{station}"
        self.clear(None)
        self.client = Client(port, [f"{ROOT}/pos/{station}/command", f"{ROOT}/guidance/{station}"])

    def clear(self, basket):
        self.basket, self.lines, self.tokens, self.paid = basket, [], {}, False
        self.done, self.prompts, self.message = set(), {}, ""

    def event(self, kind, data, channel="pos", origin=None):
        self.number += 1
        origin = origin or self.station
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        body = envelope(kind, f"/store/0042/{channel}/{origin}", f"{self.prefix}-{self.number}", data, at)
        self.client.publish(f"{ROOT}/{channel}/{origin}/event", body, wait=False)

    # ---- a sale ----

    def begin(self, household=None):
        self.sales += 1
        self.clear(f"{self.prefix}-{self.sales}")
        self.event("basket.opened", {"basket": self.basket, "terminal": self.station})
        if household is not None:
            self.event("customer.identified", {"card": card(household), "basket": self.basket, "station": self.station}, "loyalty", f"r{self.station}")

    def scan(self, row):
        self.lines.append({"row": row, "off": 0, "token": None})
        self.say_line(len(self.lines))
        self.apply_waiting()

    def say_line(self, number):
        line = self.lines[number - 1]
        data = line_data(self.basket, number, line["row"])
        if line["off"]:
            data.update(amount=data["amount"] - line["off"], discounts=[{"ref": line["token"], "amount": line["off"]}])
        self.event("basket.item-added", data)

    def total(self):
        return sum(int(line["row"]["amount"]) - line["off"] for line in self.lines) - sum(t["basket"] for t in self.tokens.values())

    def pay(self, declined=False):
        self.event("basket.tender-started", {"basket": self.basket})
        if declined:
            self.event("basket.payment-declined", {"basket": self.basket})
        for token, given in self.tokens.items():
            if given["amount"]:
                self.event("offer.redeemed", {"basket": self.basket, "token": token, "amount": given["amount"]})
                self.redeemed += 1
            else:
                self.event("offer.refused", {"basket": self.basket, "token": token, "reason": "its goods were not bought"})
        self.event("basket.closed", {"basket": self.basket, "total": self.total(), "currency": "USD"})
        self.paid = True
        self.closed += 1

    # ---- what aisled says ----

    def attend(self):
        with self.client.lock:
            new, self.heard = self.client.messages[self.heard:], len(self.client.messages)
        with self.lock:
            for topic, payload, _ in new:
                message = json.loads(payload)
                if topic.endswith("/command"):
                    self.carry_out(message)
                else:
                    self.see(message)

    def carry_out(self, command):
        if command["command"] in self.done or command["basket"] != self.basket or self.paid:
            return                                          # it may come twice, or too late
        self.done.add(command["command"])
        if command["type"] == "apply-offer":
            self.tokens[command["token"]] = {"offer": command["offer"], "amount": 0, "basket": 0, "prompt": command["prompt"]}
            self.apply_waiting()
        elif command["type"] == "withdraw-offer":
            self.take_back(command["token"])
        elif command["type"] in ("show-message", "clear-message"):
            self.message = command.get("text", "")

    def apply_waiting(self):
        """An offer on goods takes effect when they are there; one on the basket at once."""
        for token, given in self.tokens.items():
            if given["amount"]:
                continue
            path = (given["offer"].get("include") or {}).get("category")
            for number, line in enumerate(self.lines, 1):
                price = int(line["row"]["amount"])
                if path and not line["token"] and below(line["row"]["category"], path):
                    given["amount"] = line["off"] = min(given["offer"]["worth"], price)
                    line["token"] = token
                    self.say_line(number)
                    break
            if not path:
                given["amount"] = given["basket"] = min(given["offer"]["worth"], self.total())
            if given["amount"]:
                self.event("offer.applied", {"basket": self.basket, "token": token, "amount": given["amount"]})

    def take_back(self, token):
        given = self.tokens.pop(token, None)
        for number, line in enumerate(self.lines, 1):
            if line["token"] == token:
                line.update(off=0, token=None)
                self.say_line(number)
        if given and given["amount"]:
            self.event("offer.reversed", {"basket": self.basket, "token": token, "amount": given["amount"]})

    def see(self, guidance):
        for prompt in self.prompts.values():
            if prompt["guidance"] == guidance.get("withdraw") and prompt["state"] == "open":
                prompt["state"] = "withdrawn"
        for prompt in guidance.get("prompts", []):
            known = self.prompts.get(prompt["prompt"])
            self.cards_seen += known is None
            decision = known["decision"] if known else guidance["decision"]     # the one that it came from
            self.prompts[prompt["prompt"]] = dict(prompt, guidance=guidance["guidance"], decision=decision)


class Simulated(Till):
    """A till with its cashier, associate and customers: what comes to it is scanned, what is on the tablet is mostly said."""

    def __init__(self, port, station, todo, usual, seconds, stop):
        super().__init__(port, station)
        self.todo, self.usual, self.seconds, self.stop = todo, usual, seconds, stop
        self.chance = random.Random(int(station))
        self.answered = set()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while not self.stop.is_set():
            self.attend()
            if time.monotonic() >= end:
                return
            time.sleep(0.02)

    def answer(self, household, rest):
        """The associate says three cards of four. The customer takes what was going to be bought anyway, or likes the idea."""
        for prompt in [p for p in self.prompts.values() if p["state"] == "open" and p["prompt"] not in self.answered]:
            self.answered.add(prompt["prompt"])
            about = {"guidance": prompt["guidance"], "prompt": prompt["prompt"]}
            tablet = f"t{self.station}"
            self.event("guidance.shown", {**about, "tablet": tablet}, "tablet", tablet)
            if prompt["choices"] and self.chance.random() < 0.75:
                path = (prompt.get("offer", {}).get("include") or {}).get("category")
                comes = [row for row in rest if path and below(row["category"], path)]
                yes = bool(comes) or self.chance.random() < 0.5
                decision = {"decision": "accept"} if yes else {"decision": "dismiss", "reason": "customer-declined"}
                self.event("guidance.decided", {**about, **decision}, "tablet", tablet)
                if yes and path and not comes and path in self.usual.get(household, {}):
                    rest.insert(0, self.usual[household][path])

    def serve(self, household, lines):
        step = self.seconds / max(1, len(self.todo)) / (len(lines) + 4)
        rest = list(lines)
        self.begin(household if self.chance.random() < 0.9 else None)
        self.pause(step)
        self.answer(household, rest)
        while rest and not self.stop.is_set():
            self.scan(rest.pop(0))
            self.pause(step)
            self.answer(household, rest)
            if self.chance.random() < 0.02:
                for _ in range(3):
                    self.event("basket.item-voided", {"basket": self.basket, "line": len(self.lines)})
                    self.say_line(len(self.lines))
        self.pause(2 * step)
        if not self.stop.is_set():
            self.pay(declined=self.chance.random() < 0.04)
            self.pause(step)

    def run(self):
        for _, household, _, lines in self.todo:
            if self.stop.is_set():
                break
            self.serve(household, lines)
        self.pause(0.5)
