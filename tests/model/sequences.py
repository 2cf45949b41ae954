# SPDX-License-Identifier: Apache-2.0
"""The store beside the model of its contract (contract.py), over random sequences of events.

Each sequence is two tills, a reader, a tablet and headquarters' desk, with doubles, events out of order, two tills with one number, sales that
move, merges, returns, reversals and restarts; after each step history, cards with their worth, budgets and balances are the model's. A sequence
that differs is printed whole, with its seed:  sequences.py --seed N --count 1 --verbose
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import contract  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
T0 = 1795255200000  # 2026-11-21T10:00:00Z
CARDS = ["c1", "c2", "c3"]
TILLS = ["7", "8"]
CATEGORIES = ["x", "x", "y", "y", "z", contract.SENSITIVE, contract.NO_PROMOTION]
PRICES = {f"{c}{n}": 100 * n + 30 for c in set(CATEGORIES) for n in (1, 2, 3)}
MARGINS = {sku: price // 3 for sku, price in PRICES.items()}
MAY_SWAP = {"basket.item-added", "basket.item-voided"}


def policy(folder):
    salts = {name: digit * 64 for name, digit in (("id", "1"), ("control", "2"), ("explore", "3"))}
    offers = contract.OFFERS
    parts = {"policy.json": {"name": "sequences", "version": 1, "currency": "EUR", "languages": ["en"], "salts": salts, "explore": "greedy", "interrupt": 1,
                             "placements": {"tablet": {"slots": 3, "headline_max": 60}}, "sensitive": [f"category={contract.SENSITIVE}"],
                             "no_promotion": [f"category={contract.NO_PROMOTION}"]},
             "features.json": {"features": [{"name": "total", "type": "number", "from": "basket.total()"}]}}
    for name, offer in offers.items():
        rule = {"type": offer["type"], "depth": offer["depth"], "max": offer["most"], "include": {"category": offer["category"]}, "until": "0d", "apply": "till-code"}
        if "typical" in offer:
            rule["typical"] = offer["typical"]
        outcome, within = offer["cap"]
        parts[f"actions/{name}.json"] = {
            "action": name, "kind": "offer", "issue": "grow", "group": name, "on": ["aisle.customer.identified", "aisle.basket.item-added"],
            "propensity": 0.5, "incremental": 1, "margin": 100000, "outcome": {"is": "redeemed", "within": "0d"}, "offer": rule, "placements": ["tablet"],
            "gate": "associate", "expires": "600s", "caps": [{"per": "customer", "outcome": outcome, "max": 1, "within": f"{within // contract.DAY}d"}],
            "treatments": [{"treatment": "plain", "language": "en", "headline": name}], **({"budget": {"money": offer["budget"], "per": "store-day"}} if "budget" in offer else {})}
    for name, part in parts.items():
        path = os.path.join(folder, "policy", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            json.dump(part, f)
    bundle = os.path.join(folder, "policy.bundle")
    done = subprocess.run([os.path.join(BUILD, "aislectl"), "bundle", "build", os.path.join(folder, "policy"), "-o", bundle], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return bundle


class Box:
    def __init__(self, bundle):
        self.process = subprocess.Popen([os.path.join(BUILD, "box"), bundle], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **line):
        self.process.stdin.write(json.dumps({k: list(v) if k == "subjects" else v for k, v in line.items()}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the box left at {line}"
        return json.loads(answer)


class Differs(Exception):
    pass


class Till:
    """What stands at one terminal: the sale it is at, and what it has not sent yet."""

    def __init__(self, name):
        self.name, self.basket, self.state, self.line, self.lines, self.closed, self.queue = name, None, "idle", 0, {}, [], []
        self.heard = True  # of this basket, more than a card
        self.held = None   # the close of a sale, which comes late
        self.opened = False
        self.cards = []    # that were read in this basket, and come late


class Sequence:
    def __init__(self, box, seed, verbose=False):
        self.box, self.chance, self.verbose = box, random.Random(seed), verbose
        self.store, self.now, self.count, self.log, self.sent = contract.Store(), T0, 0, [], []
        self.tills = {name: Till(name) for name in TILLS}
        self.tokens, self.used, self.parked, self.numbers, self.returned = [], {}, [], 0, 0
        self.booked = self.came_back = 0  # redeemed less reversed, and returned, of the records for headquarters
        self.told = {}  # visit -> its newest record of a sale
        self.settled = {}  # (visit, placement, slot, action) -> number, decision, newest row
        self.counted = set()
        self.subjects = {contract.subject_of(c): c for c in CARDS}
        self.disk = self.chance.random() < 0.1
        box.ask(do="open", disk=self.disk)
        for card in CARDS:
            for purpose in ("personalise", "profile"):
                self.box.ask(do="message", at=self.now, topic="care/event", event=self.event("care", "consent.changed", dict(card=card, purpose=purpose, state="granted")))

    # ---- saying ----

    def event(self, source, kind, data, ms=None):
        self.count += 1
        ms = self.now if ms is None else ms
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"
        return {"specversion": "1.0", "id": f"e{self.count}", "source": f"/t/{source}", "type": "aisle." + kind, "time": stamp, "data": data, "ms": ms}

    def note(self, text):
        self.log.append(f"{(self.now - T0) / 1000:9.3f}  {text}")
        if self.verbose:
            print(self.log[-1])

    def deliver(self, sender, event):
        wire = {k: v for k, v in event.items() if k != "ms"}
        late = f"  (of {(event['ms'] - T0) / 1000:.3f})" if event["ms"] != self.now else ""
        self.note(f"{sender:10} {event['id']:4} {event['type'][6:]} {json.dumps(event['data'])}{late}")
        answer = self.box.ask(do="message", at=self.now, topic=f"{sender}/event", event=wire, stations=TILLS, subjects=self.subjects)
        if event["type"].startswith("aisle.basket.") and event["data"]["basket"] == self.tills[sender[4:]].basket:
            self.tills[sender[4:]].heard = True
        self.store.take(sender, event, self.now)
        for said in answer["said"]:
            if said["topic"].endswith("dead-letter"):
                self.note(f"{'':15} dead letter {said['body']['reason']}: {said['body']['detail']}")
        self.sent.append((sender, event))
        self.compare(answer)

    def compare(self, seen=None):
        subjects = self.subjects
        alone = [s for s in subjects if s not in self.store.merged]
        seen = seen or self.box.ask(do="look", stations=TILLS, subjects=subjects)
        wrong = []
        for subject in alone:
            have = seen["subjects"].get(subject, {"purchases": []})
            history = []
            for purchase in have["purchases"]:
                lines = {}
                for v in purchase["lines"]:
                    qty, amount = lines.get(v["item"], (0, 0))
                    lines[v["item"]] = (qty + v["qty"], amount + v["amount"])
                history.append(sorted((item, qty, amount) for item, (qty, amount) in lines.items() if qty > 0))
            history = sorted(h for h in history if h)
            should = [h for h in self.store.history(subject) if h]
            if history != should:
                wrong.append(("history", f"history of {subjects[subject]}: {history}\n      the model says {should}"))
            points = self.store.points.get(subject, (0, 0, None))[2]
            if have.get("points") != points:
                wrong.append(("points", f"points of {subjects[subject]}: {have.get('points')}, the model says {points}"))
        for station in TILLS:
            cards = {p["action"]: p["offer"]["worth"] for g in seen["stations"][station]["open"] for p in g["prompts"] if p["state"] == "open"}
            should, doubtful = self.store.on_screen(station)
            for action, basket in doubtful.items():
                if action not in cards:
                    del should[action], basket.cards[action]
            if cards != should:
                wrong.append(("cards", f"cards at {station}: {cards}\n      the model says {should}"))
        for record in seen["up"]:
            body = record["body"]
            if record["type"] == "outcome" and body["outcome"] in ("redeemed", "reversed"):
                self.booked += body["amount"] if body["outcome"] == "redeemed" else -body["amount"]
            elif record["type"] == "outcome" and body["outcome"] == "returned":
                self.came_back += body["amount"]
            elif record["type"] == "sale":
                self.told[body["visit"]] = body
            elif record["type"] == "settled":
                self.settle(body, wrong)
        if self.booked != self.store.booked():
            wrong.append(("records", f"records of money: {self.booked}, the model says {self.store.booked()}"))
        if self.came_back != self.store.came_back:
            wrong.append(("returned", f"records of what came back: {self.came_back}, the model says {self.store.came_back}"))
        self.compare_sales(wrong)
        self.compare_settled(wrong)
        used = seen["report"]["day_budget"]["money_used"]
        if used != self.store.budget_used():
            wrong.append(("budget", f"budget: {used} used, the model says {self.store.budget_used()}"))
        promises = {name: n for name, n in seen["report"]["promises"].items() if name != "by"}
        if promises != self.store.promises:
            wrong.append(("promises", f"promises: {promises}\n      the model says {self.store.promises}"))
        self.seen = seen
        if wrong:
            if self.verbose:
                print(json.dumps(seen["stations"], indent=1))
            raise Differs(wrong[0][0], "\n   ".join(text for _, text in wrong))

    def compare_sales(self, wrong):
        def by_text(sales):
            return sorted(sales, key=repr)
        told = by_text((b["basket"], b.get("subject") and self.store.person(b["subject"]), b["gross"], b["discount"], b.get("margin"), b.get("returned", 0), b["lines"])
                       for visit, b in self.told.items() if visit not in self.store.returns)
        should = by_text(self.store.sales())
        if told != should:
            wrong.append(("sales", f"sales: {[s for s in told if s not in should]}\n      the model says {[s for s in should if s not in told]}"))
        for number in self.store.returns:
            have, missing = self.told.get(number, {"gross": 0, "returned": 0}), self.store.missing(number)
            if (have["gross"], have.get("returned", 0)) != (-missing, missing):
                wrong.append(("sales", f"return {number}: {have}, the model says that {missing} have no sale"))

    def settle(self, body, wrong):
        """Each action is told once for each number, from 0, and again only where it is other; of one decision that counts."""
        where = (body["visit"], body["placement"], body["slot"])
        for row in body["rows"]:
            rev, decision, before = self.settled.get((*where, row["action"]), (-1, None, None))
            if body["rev"] != rev + 1 or before == row or (decision or body["decision"]) != body["decision"]:
                wrong.append(("settled", f"{where}: {row} is told with number {body['rev']}, before it {before} with {rev}"))
            self.settled[(*where, row["action"])] = body["rev"], body["decision"], row
        counted = {d for (*w, _), (_, d, _) in self.settled.items() if body["counted"] and tuple(w) == where and d in self.counted}
        self.counted |= {body["decision"]} if body["counted"] else set()
        if counted - {body["decision"]}:
            wrong.append(("settled", f"{where}: {body['decision']} counts beside {counted}"))

    def compare_settled(self, wrong):
        """Whatever was shown: were its goods bought in the basket? Of numbers that were given once."""
        for (visit, _, _, action), (_, _, row) in self.settled.items():
            sale = self.told.get(visit)
            baskets = [b for b in self.store.baskets if sale and b.number == sale["basket"]]
            if len(baskets) != 1 or action == "nothing":
                continue
            bought = baskets[0].is_sale() and any(v["category"] == contract.OFFERS[action]["category"] and qty for v, qty in baskets[0].left())
            if row["y"] != int(bought or row.get("amount", 0) > 0):
                wrong.append(("settled", f"{action} in {sale['basket']}: {row}, the model says {bought}"))

    # ---- what happens in a store ----

    def till_event(self, till, kind, data, ms=None, now=False):
        till.queue.append(self.event(till.name, kind, data, ms))
        if now or kind not in MAY_SWAP or self.chance.random() < 0.8:
            self.flush(till)

    def flush(self, till):
        """Sends what waits there; what may come in another order sometimes does."""
        while till.queue:
            at = 0
            if len(till.queue) > 1 and all(e["type"][6:] in MAY_SWAP for e in till.queue[:2]):
                at = self.chance.randrange(2)
            self.deliver(f"pos/{till.name}", till.queue.pop(at))

    def begin(self, till):
        chance = self.chance
        if chance.random() < 0.2:
            self.let_go(till)
        held = till.held["data"]["basket"] if till.held else None
        old = [n for n in till.closed if n not in [t.basket for t in self.tills.values()] + [p[1] for p in self.parked]]
        if held:
            till.basket = held  # given again before its end was heard of
            self.now = max(self.now, till.held["ms"] + 1)
        elif old and chance.random() < 0.2:
            till.basket = chance.choice(old)
        elif chance.random() < 0.2 and self.tills["8" if till.name == "7" else "7"].basket and self.numbers_free(till):
            till.basket = self.tills["8" if till.name == "7" else "7"].basket
        else:
            self.numbers += 1
            till.basket = f"b{self.numbers}"
        again = till.basket in till.closed
        till.state, till.line, till.lines, till.heard = "open", 0, {}, False
        till.opened = again or chance.random() < 0.85
        if till.opened:
            training = {"training": True} if chance.random() < 0.05 and till.basket != held else {}
            self.till_event(till, "basket.opened", dict(basket=till.basket, terminal=till.name, **training), now=True)

    def numbers_free(self, till):
        other = self.tills["8" if till.name == "7" else "7"].basket
        return other not in till.closed and other not in [p[1] for p in self.parked]

    def scan(self, till, line=None, qty=None):
        category = self.chance.choice(CATEGORIES)
        sku = f"{category}{self.chance.randint(1, 3)}"
        if line is None:
            till.line += 1
            line = till.line
        else:
            sku = till.lines[line]
            category = sku[:-1]
        till.lines[line] = sku
        qty = qty or self.chance.randint(1, 3)
        self.till_event(till, "basket.item-added", dict(basket=till.basket, line=line, sku=sku, category=category, qty=qty, amount=qty * PRICES[sku], currency="EUR",
                                                               **({"margin": qty * MARGINS[sku]} if self.chance.random() < 0.95 else {})))

    def void(self, till):
        """A line; all but some; the newest of an article. Times of their own: of one time what comes last wins."""
        roll, line = self.chance.random(), self.chance.choice(list(till.lines))
        if roll < 0.7:
            what = {"line": line}
        elif roll < 0.8:
            what = {"except": [n for n in till.lines if self.chance.random() < 0.6]}
        else:
            what = {"sku": till.lines[line], **({"qty": self.chance.randint(1, 3)} if self.chance.random() < 0.5 else {})}
        self.now += 1
        self.till_event(till, "basket.item-voided", dict(basket=till.basket, **what))
        self.now += 1

    def late_cards(self, till):
        while till.cards:
            self.deliver(f"pos/{till.name}", till.cards.pop(0))

    def busy(self, till):
        chance, roll = self.chance, self.chance.random()
        if till.state == "paying":
            if roll < 0.8:
                self.close(till)
            else:
                self.end(till, "basket.cancelled")
        elif roll < 0.45:
            self.scan(till)
        elif roll < 0.53 and till.lines:
            self.scan(till, line=chance.choice(list(till.lines)))
        elif roll < 0.63 and till.lines:
            self.void(till)
        elif roll < 0.78:
            self.flush(till)
            basket = {"basket": till.basket} if chance.random() < 0.5 else {}
            event = self.event(till.name, "customer.identified", dict(card=chance.choice(CARDS), station=till.name, **basket))
            live = self.store.live(till.name)
            if live is not None and live.number == till.basket and chance.random() < 0.2:
                self.now += 1
                till.cards.append(event)
                self.note(f"{'':15} the card {event['data']['card']} is late")
            else:
                self.deliver(f"pos/{till.name}", event)
        elif roll < 0.86:
            self.till_event(till, "basket.tender-started", dict(basket=till.basket))
            till.state = "paying"
        elif roll < 0.92:
            self.close(till)
        elif roll < 0.95:
            self.end(till, "basket.cancelled")
        else:
            self.let_go(till)
            self.late_cards(till)
            self.till_event(till, "basket.suspended", dict(basket=till.basket))
            self.parked.append((till.name, till.basket, till.line, till.lines))
            till.state, till.basket = "idle", None

    def resume(self, till):
        self.let_go(till)
        here, number, line, lines = self.parked.pop(self.chance.randrange(len(self.parked)))
        if here != till.name and any(t.basket == number for t in self.tills.values()):
            self.parked.append((here, number, line, lines))
            return
        if here != till.name and self.store.of_number(till.name, number):
            self.parked.append((here, number, line, lines))
            return
        till.basket, till.line, till.lines, till.state = number, line, lines, "open"
        if here != till.name and self.chance.random() < 0.5:
            self.till_event(till, "basket.opened", {"basket": number, "terminal": till.name, "from": here})
        else:
            self.till_event(till, "basket.resumed", dict(basket=number, terminal=till.name))

    def close(self, till):
        self.flush_some(till)
        for station, token in self.tokens:
            known = self.store.tokens[token]
            if station == till.name and known.state in ("asked", "applied") and known.basket.number == till.basket and self.chance.random() < 0.7:
                self.flush(till)
                self.till_event(till, "offer.redeemed", dict(basket=till.basket, token=token, amount=known.applied or known.worth))
        closed = dict(basket=till.basket, total=0, currency="EUR")
        alone = till.basket not in [p[1] for p in self.parked] + [t.basket for t in self.tills.values() if t is not till]
        if alone and not till.held and till.opened and self.chance.random() < 0.1:
            self.flush(till)
            till.held = self.event(till.name, "basket.closed", closed)
            self.note(f"{'':15} the close of {till.basket} is late")
        else:
            self.till_event(till, "basket.closed", closed)
        self.leave(till)

    def let_go(self, till):
        if till.held:
            self.flush(till)
            event, till.held = till.held, None
            self.deliver(f"pos/{till.name}", event)

    def flush_some(self, till):
        if self.chance.random() < 0.9:
            self.flush(till)

    def end(self, till, kind):
        self.flush(till)
        self.till_event(till, kind, dict(basket=till.basket))
        self.leave(till)

    def leave(self, till):
        till.closed.append(till.basket)
        till.state, till.basket = "idle", None

    def after(self, till, used=False):
        """What comes of sales that are over: late lines, a post-void, goods that come back."""
        roll = self.chance.random() if not used else 1
        sold = [b for b in self.store.baskets if b.is_sale() and b.terminal == till.name]
        if not sold:
            return
        basket = self.chance.choice([b for b in sold if any(t.used for t in b.taken)] * 9 + sold)
        if any(t.held and t.held["data"]["basket"] == basket.number for t in self.tills.values()):
            return
        if any(t.basket == basket.number for t in self.tills.values()) or self.store.of_number(till.name, basket.number)[-1] is not basket:
            return
        if not basket.opened and roll < 0.3:  # it was a trainee's, which is heard of late
            self.till_event(till, "basket.opened", dict(basket=basket.number, terminal=till.name, training=True), ms=basket.began, now=True)
        elif roll < 0.2:
            sku = f"{self.chance.choice(CATEGORIES)}1"
            self.till_event(till, "basket.item-added", dict(basket=basket.number, line=90 + self.count, sku=sku, category=sku[:-1], qty=1, amount=PRICES[sku], currency="EUR"),
                            ms=basket.closed_at + self.chance.choice([-1, 0, 1, contract.LATE_LINES, contract.LATE_LINES + 1]), now=True)
        elif roll < 0.35:
            self.till_event(till, "basket.cancelled", dict(basket=basket.number))
        else:
            goods = [v for v in basket.goods(contract.SENSITIVE) if v["amount"] > 0]
            if not goods:
                return
            meant = [contract.OFFERS[t.action]["category"] for t in basket.taken if t.used]
            item, self.returned = self.chance.choice([v for v in goods if v["category"] in meant] * 3 + goods), self.returned + 1
            qty = self.chance.randint(1, item["qty"])
            if self.chance.random() < 0.1:
                qty += 3
            number = f"r{self.returned if self.chance.random() < 0.85 else max(1, self.returned - 1)}"
            where = {"basket": basket.number} if basket.subject is None or self.chance.random() < 0.6 else {"card": self.card_of(basket.subject)}
            alike = [b for b in self.store.baskets if b.is_sale() and b.number == basket.number and b.closed_at == basket.closed_at]
            if "basket" in where and len(alike) > 1:
                where["terminal"] = till.name  # of one number and one instant: the receipt says which
            self.till_event(till, "return.completed", {"return": number, **where, "currency": "EUR", "total": qty * PRICES[item["sku"]], "items": [
                dict(sku=item["sku"], category=item["category"], qty=qty, amount=qty * PRICES[item["sku"]])]})

    def card_of(self, subject):
        return next(c for c in CARDS if contract.subject_of(c) == subject)

    def tap(self):
        """The associate says yes."""
        station = self.chance.choice(TILLS)
        cards = [(g["guidance"], p) for g in self.seen["stations"][station]["open"] for p in g["prompts"] if p["state"] == "open"]
        if not cards:
            return
        guidance, prompt = self.chance.choice(cards)
        self.note(f"tablet     accepts {prompt['action']} at {station}")
        answer = self.box.ask(do="answer", at=self.now, tablet="t1", guidance=guidance, prompt=prompt["prompt"], answer={"decision": "accept"})
        self.store.pass_time(self.now)
        command = next((s["body"] for s in answer["said"] if s["topic"].endswith("command") and s["body"]["type"] == "apply-offer"), None)
        token = command["token"] if command else None
        status, worth = self.store.accept(station, prompt["action"], token)
        if answer["reply"]["status"] != status or (command and command["offer"]["worth"] != worth):
            raise Differs("accept", f"accept: {answer['reply']} {command}, the model says {status} {worth}")
        if token:
            self.tokens.append((station, token))
        self.compare()

    def money(self):
        """The till says what it did with a token, and sometimes what it should not."""
        station, token = self.chance.choice(self.tokens)
        known = self.store.tokens[token]
        kind = self.chance.choice(["applied", "applied", "refused", "redeemed", "redeemed", "redeemed", "reversed", "reversed"])
        if (known.state in ("refused", "withdrawn") and kind != "reversed") or (known.used and known.net() == 0) or (known.state == "applied" and kind == "reversed") or (known.used and kind == "applied"):
            return  # a till that takes its word back, or does not heed ours
        most = contract.OFFERS[known.action]["most"]
        amount = self.chance.choice([known.worth, known.worth, most, most + 1, 10, -1])
        if kind == "redeemed" and known.applied:
            amount = known.applied
        if kind == "reversed" and known.said != known.redeemed:
            amount = known.said
        elif kind == "reversed":
            amount = self.chance.choice([known.net(), known.net(), 1, known.net() + 1, known.net() // 2])
        till = self.tills[self.chance.choice(TILLS) if self.chance.random() < 0.15 else known.basket.terminal]
        self.flush(till)
        data = dict(basket=known.basket.number, token=token, **({"reason": "no"} if kind == "refused" else {"amount": amount}))
        self.till_event(till, "offer." + kind, data)

    def again(self):
        """Twice, perhaps in another writing."""
        sender, event = self.chance.choice(self.sent)
        if not self.store.seen[(sender, event["source"], event["id"])]:
            return  # it was refused
        data = event["data"]
        if self.chance.random() < 0.5:
            data = dict(reversed(list(data.items())), **{"associate": None} if event["type"] == "aisle.basket.opened" else {})
        self.deliver(sender, dict(event, data=data))

    def step(self):
        chance, roll = self.chance, self.chance.random()
        self.now += chance.choice([0, 1, 200, 1500, 1500, 4000, 9000])
        till = self.tills[chance.choice(TILLS)]
        if till.held and chance.random() < 0.15:
            self.let_go(till)
        elif till.cards and chance.random() < 0.2:
            self.late_cards(till)
        elif roll < 0.02 and all(t.heard for t in self.tills.values()):
            self.let_pass(chance.choice([contract.MIN * 3, contract.MIN * 6, contract.MIN * 11]))
        elif roll < 0.04 and self.disk:
            self.note("restart")
            self.box.ask(do="restart")
            self.compare()
        elif roll < 0.06:
            one, other = chance.sample(CARDS, 2)
            if contract.subject_of(one) in self.store.merged or self.store.person(contract.subject_of(other)) == contract.subject_of(one):
                return
            self.deliver("care", self.event("care", "customer.merged", dict(card=one, into=other)))
        elif roll < 0.08:
            self.deliver("care", self.event("care", "loyalty.balance", dict(card=chance.choice(CARDS), points=chance.randint(0, 99)), ms=self.now - chance.choice([0, 0, 1000, 9000])))
        elif roll < 0.14 and self.sent:
            self.again()
        elif roll < 0.24 and self.tokens:
            self.money()
        elif roll < 0.34 and hasattr(self, "seen"):
            self.tap()
        elif roll < 0.42:
            self.flush(till)
            self.after(till)
        elif any(t.used and t.basket.sold for t in self.store.taken) and chance.random() < 0.2:
            self.flush(till)
            self.after(till, used=True)
        elif till.state != "idle":
            self.busy(till)
        else:
            self.flush(till)
            if self.parked and chance.random() < 0.5:
                self.resume(till)
            else:
                self.begin(till)

    def let_pass(self, ms):
        self.now += ms
        self.note("time passes")
        self.box.ask(do="clock", at=self.now)
        self.store.pass_time(self.now)
        self.compare()

    def run(self, steps):
        for _ in range(steps):
            self.step()
        for till in self.tills.values():
            self.flush(till)
            self.let_go(till)
            self.late_cards(till)
        if all(t.heard for t in self.tills.values()):
            self.let_pass(contract.LATE_LINES)  # what was promised is held against what was taken off


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--steps", type=int, default=30)
    options.add_argument("--most", type=int, default=5, help="stop after so many that differ")
    options.add_argument("--verbose", action="store_true")
    options = options.parse_args()
    bad, kinds, began, events = 0, {}, time.time(), 0
    with tempfile.TemporaryDirectory(prefix="aisle-sequences-") as folder:
        box = Box(policy(folder))
        for seed in range(options.seed, options.seed + options.count):
            sequence = Sequence(box, seed, options.verbose)
            try:
                sequence.run(options.steps)
            except Differs as differs:
                bad += 1
                kinds[differs.args[0]] = kinds.get(differs.args[0], 0) + 1
                if kinds[differs.args[0]] <= 2:
                    print(f"seed {seed}:\n   " + "\n   ".join(sequence.log if not options.verbose else []) + f"\n   {differs.args[1]}\n", flush=True)
                if bad >= options.most:
                    break
            events += sequence.count
            if sys.stderr.isatty() and seed % 100 == 0:
                print(f"\r{seed - options.seed + 1} sequences, {events} events, {bad} differ", end="", file=sys.stderr)
        box.process.stdin.close()
        box.process.wait()
    ran = seed - options.seed + 1
    print(f"{ran} sequences, {events} events in {time.time() - began:.0f} s; differ: {kinds or 'none'}")
    print(f"{ran - bad} passed, {bad} failed")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
