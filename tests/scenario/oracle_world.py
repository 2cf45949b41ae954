# SPDX-License-Identifier: Apache-2.0
"""Random policies and random weeks in a store, by seed; see test_deciding.py.

The week is made while the oracle lives it, so that taps and tokens name cards
that the oracle says are there.
"""
import json

from oracle import text_of

CATEGORIES = ["grocery/coffee", "grocery/coffee/beans", "grocery/tea", "grocery", "dairy/milk", "home", "grocery/coffeecake"]
BRANDS = ["acme", "house", None, "zest"]
CARDS = ["400012341234%04d" % n for n in range(6)]

FEATURES = [
    ("tier", "string", "profile.tier", "none"), ("age", "number", "profile.age", None), ("vip", "bool", "profile.vip", None),
    ("coffee_30", "number", "local.sum(category=grocery/coffee, half_life=30d)", None),
    ("coffee_7", "number", "local.sum(category=grocery/coffee, within=7d)", None),
    ("qty_all", "number", "local.qty()", None), ("qty_acme", "number", "local.qty(brand=acme, half_life=36h)", None),
    ("lines_tea", "number", "local.count(item=sku-2)", None), ("visits", "number", "local.visits()", None),
    ("visits_decayed", "number", "local.visits(category=grocery, half_life=3d)", None),
    ("recency", "number", "local.recency()", None), ("gap", "number", "local.gap(category=grocery)", None),
    ("overdue", "number", "local.overdue(category=grocery/coffee)", None), ("total", "number", "local.total()", None),
    ("voided", "number", "local.incidents(kind=void, within=5d)", None),
    ("returned", "number", "local.incidents(kind=return, within=30d)", 0),
    ("b_coffee", "number", "basket.sum(category=grocery/coffee)", None), ("b_lines", "number", "basket.lines()", None),
    ("b_qty", "number", "basket.qty(brand=acme)", None), ("b_total", "number", "basket.total()", None),
    ("b_recency", "number", "basket.recency(category=home)", None), ("b_has", "bool", "basket.has(category=home)", False),
    ("shown_all", "number", "history.count(all, outcome=shown, within=2d)", None),
    ("dismissed_g", "number", "history.count(group=g1, outcome=dismissed, within=30d)", None),
    ("self_shown", "number", "history.count(action=self, outcome=shown, within=1d)", None),
    ("accepted_r", "number", "history.recency(issue=grow, outcome=accepted)", None),
    ("known", "bool", "visit.known", None), ("age_s", "number", "visit.age_s", None), ("voids", "number", "visit.voids", None),
    ("declines", "number", "visit.declines", None), ("waiting", "bool", "visit.waiting", None), ("card", "bool", "visit.card", None),
    ("prompts", "number", "visit.prompts", None), ("queue", "number", "store.queue", None),
    ("hour", "number", "time.hour", None), ("weekday", "number", "time.weekday", None),
    ("doy", "number", "time.day_of_year", None), ("to", "number", "time.days_to(2026-04-01)", None),
    ("amount", "number", "event.amount", None), ("a_depth", "number", "action.depth", None),
    ("a_worth", "number", "action.worth", None), ("a_group", "string", "action.group", None),
    ("m_churn", "number", "model.churn", None)]

KINDS = ["offer", "offer", "offer", "retain", "recommend", "remind", "service", "inform", "alert", "coach"]
GOALS = {"offer": "redeemed", "retain": "redeemed", "recommend": "bought", "remind": "bought", "service": "case-closed",
         "inform": "none", "alert": "none", "coach": "goal"}
TRIGGERS = ["aisle.customer.identified", "aisle.basket.item-added", "aisle.basket.item-voided", "aisle.basket.closed",
            "aisle.basket.opened", "aisle.basket.tender-started", "aisle.sensor.reading", "aisle.return.completed"]


class World:
    def __init__(self, rng):
        self.rng = rng

    def some(self, share):
        return self.rng.random() < share

    # ---- a policy ----

    def number_rule(self):
        r = self.rng
        name = r.choice([f[0] for f in FEATURES if f[1] == "number"])
        return {r.choice([">", "<", ">=", "<="]): [{"var": name}, r.choice([0, 1, 2, 0.5, 300, 1500])]}

    def rule(self, deep=True):
        r, pick = self.rng, self.rng.random()
        if pick < 0.35:
            return self.number_rule()
        if pick < 0.5:
            return {"in": [{"var": "tier"}, r.sample(["gold", "silver", "none"], 2)]}
        if pick < 0.6:
            return {"==": [{"var": r.choice(["age", "vip", "overdue", "queue", "amount"])}, None]}
        if pick < 0.7:
            return {"!": [{"missing": [r.choice(["age", "gap", "tier"])]}]}
        if pick < 0.8:
            return {">=": [{"var": [r.choice(["age", "recency", "overdue"]), r.choice([0, 3])]}, r.choice([0, 1, 30])]}
        if deep:
            return {r.choice(["and", "or"]): [self.rule(False), self.rule(False)]}
        return {r.choice(["!", "!!"][:1]): [{"var": r.choice(["known", "waiting", "card", "b_has", "voids"])}]}

    def value(self, low, high):
        """A number, or a rule that comes to one."""
        r = self.rng
        if self.some(0.6):
            return r.randint(low, high)
        name = r.choice(["b_total", "hour", "visits", "coffee_30", "a_worth", "queue", "overdue"])
        return {"+": [r.randint(low, high), {"*": [r.choice([0.01, 0.25, 0.1]), {"var": name}]}]}

    def offer(self):
        r, kind = self.rng, self.rng.choice(["percent", "amount", "fixed-price", "points", "free-item"])
        depths = {"percent": [5, 10, 15, 33], "amount": [40, 70, 150], "fixed-price": [99, 199, 250],
                  "points": [50, 100], "free-item": [1, 2]}[kind]
        offer = {"type": kind, "apply": r.choice(["till-code", "lines", "barcode"])}
        if self.some(0.3):
            offer["ladder"] = sorted(r.sample(depths, 2))
        else:
            offer["depth"] = r.choice(depths)
            if self.some(0.3):
                offer["tiers"] = [{"from": f, "depth": d} for f, d in zip(sorted(r.sample([500, 900, 2000], 2)), depths)]
        if kind in ("percent", "fixed-price") or self.some(0.3):
            offer["typical"] = r.choice([450, 333, 999])
        if kind in ("percent", "free-item", "fixed-price") or self.some(0.3):
            offer["max"] = r.choice([60, 120, 300])
        for member, share, make in (
                ("funded", 0.4, lambda: r.choice([0.5, 0.25, 1 / 3])), ("min_basket", 0.2, lambda: r.choice([300, 1000])),
                ("include", 0.6, lambda: {"category": r.choice(CATEGORIES[:5])}),
                ("exclude", 0.3, lambda: {"brand": "house"}), ("stack", 0.4, lambda: r.choice(["s1", "s2"])),
                ("margin_floor", 0.2, lambda: r.choice([0, 50, 120]))):
            if self.some(share):
                offer[member] = make()
        if "funded" in offer:
            offer["funder"] = "acme"
        return offer

    def action(self, name, models, places):
        r, kind = self.rng, self.rng.choice(KINDS)
        a = {"action": name, "kind": kind, "issue": r.choice(["grow", "keep"]), "group": r.choice(["g1", "g2"]),
             "on": sorted(set(r.choices(TRIGGERS[:2], k=2) + r.choices(TRIGGERS, k=1))),
             "placements": r.sample(places, r.randint(1, len(places))), "gate": r.choice(["none", "associate"]),
             "expires": r.choice(["20s", "120s", "10m"]), "margin": self.value(100, 300),
             "outcome": {"is": GOALS[kind]}}
        if kind in ("offer", "retain"):
            a["offer"] = self.offer()
        if kind in ("recommend", "remind"):
            a["outcome"].update(item={"category": r.choice(CATEGORIES[:4])}, within=r.choice(["0d", "1d"]))
        if kind in ("offer", "retain") or kind in ("recommend", "remind", "service", "coach"):
            if self.some(0.25):
                a["uplift"] = dict(zip(("treated", "control"), r.sample(models, 2)))
            else:
                a["propensity"] = r.choice([0.4, 0.7, {"model": r.choice(models)}, {"if": [self.number_rule(), 0.6, 0.3]}])
        else:
            a["propensity"] = 0.5
        if "propensity" in a:
            a["incremental"] = r.choice([0.3, 0.6, 1])
        for member in ("eligible", "applicable", "suitable"):
            if self.some(0.2):
                a[member] = self.rule()
        if self.some(0.5):
            a["personal"] = False
        if self.some(0.3):
            a["context"] = r.choice([0.5, 1.5, {"if": [{">": [{"var": "hour"}, 12]}, 1.2, 0.9]}])
        if self.some(0.2):
            a["lever"] = r.choice([0.8, 1.1])
        if self.some(0.35):
            a["caps"] = [self.cap()]
        if self.some(0.4):
            a["budget"] = {"per": r.choice(["store-day", "campaign"]), "units": r.randint(2, 8)}
            if "offer" in a and (a["offer"]["type"] != "fixed-price" or "max" in a["offer"]):
                a["budget"]["money"] = r.choice([300, 900])
        if self.some(0.12):
            a["valid"] = r.choice([{"days": ["mon", "wed", "fri", "sun"]}, {"hours": ["09:00", "18:30"]},
                                   {"hours": ["05:15", "12:00"]}, {"from": "2026-03-27T00:00:00Z", "until": "2026-03-30T12:00:00Z"}])
        if self.some(0.08):
            a = {k: v for k, v in a.items() if k not in ("offer", "propensity", "incremental", "uplift", "outcome", "budget",
                                                         "margin", "context", "lever")}
            a.update(kind="alert", mandatory=True, personal=True)
        a["treatments"] = self.treatments("offer" in a)
        return a

    def treatments(self, offers):
        r = self.rng
        value = r.choice(["{{depth}} off", "worth {{worth|money}}"]) if offers else "{{b_total|money}} so far"
        texts = [{"treatment": "t1", "language": "en", "headline": "Hello " + value, "why": ["{{recency|round|default:new}}"]}]
        if self.some(0.4):
            texts.append({"treatment": "t2", "language": "en", "headline": "Age {{age|default:?}}", "say": value})
        if self.some(0.4):
            texts.append({"treatment": "t3", "language": "de", "headline": "Guten Tag " + "{{tier}} " * r.randint(0, 6)})
        if self.some(0.3):
            texts[0]["body"] = r.choice(["{{overdue|round}} days", "{{visits}}/{{hour}}"]) + " and {{coffee_7|default:none}}"
        return texts

    def cap(self):
        r = self.rng
        cap = {"per": r.choice(["customer", "customer", "action", "group", "issue", "placement"]),
               "outcome": r.choice(["shown", "shown", "dismissed", "accepted", "applied", "redeemed", "decided"]), "max": r.choice([1, 2, 3, 5, 8])}
        clock = r.choice(["rolling", "business-day", "own-gap", None])
        if cap["per"] == "customer" and self.some(0.5):
            cap["scope"] = r.choice(["all", "action", "group", "issue", "group:g1", "issue:keep"])
        if clock:
            cap["clock"] = clock
        if clock == "own-gap":
            cap["gaps"] = r.choice([0.5, 2])
        else:
            cap["within"] = r.choice(["1d", "2d", "3d"] if clock == "business-day" else ["90s", "6h", "1d", "7d"])
        return cap

    def suppression(self):
        r = self.rng
        return {"after": {"outcome": r.choice(["dismissed", "expired", "overridden:insensitive", "shown"]),
                          "count": r.randint(1, 3), "within": r.choice(["10m", "1d", "30d"])},
                "scope": r.choice(["all", "action", "group", "issue"]), "for": r.choice(["5m", "1d", "2d"])}

    def model(self, name):
        r = self.rng
        linear = {"format": "aisle-linear", "link": "logit", "bias": r.uniform(-1, 1),
                  "weights": {"x": r.uniform(-0.01, 0.01), "y": r.uniform(-0.3, 0.3), "tier=gold": r.uniform(-1, 1)}}
        if self.some(0.6):
            linear["missing"] = {"x": r.uniform(0, 50)}
        model = {"model": name, "file": f"{name}.linear.json", "linear": linear,
                 "inputs": {"x": r.choice(["coffee_30", "b_total"]), "y": r.choice(["visits", "recency", "hour"]),
                            "tier": "tier"}}
        if name != "churn":
            model["calibration"] = r.choice([{"platt": [1.02, -0.1]}, {"isotonic": [[-2, 0.05], [0, 0.4], [1.5, 0.9]]}])
        return model

    def experiments(self, actions):
        r = self.rng
        patch = r.choice([{"policy": {"interrupt": 6}}, {"actions": {r.choice(actions): {"suitable": False}}},
                          {"policy": {"explore": "greedy"}}, {"policy": {"explore": {"share": 0.2, "cost_max": None, "gamma": None, "unit": None}}}, {"contact": {"caps": []}},
                          {"policy": {"levers": {"action:act-1": 0.5}}, "actions": {r.choice(actions): {"personal": None}}}])
        both = [{"experiment": "wording", "unit": r.choice(["customer", "visit", "station-day", "store"]), "salt": r.randbytes(32).hex(),
                 "share": r.choice([0.5, 1]), "arms": {"b": {"weight": 1, "patch": patch}, "a": {"weight": 1.5}}},
                {"experiment": "hold", "unit": "customer", "salt": r.randbytes(32).hex(), "share": 0.4,
                 "arms": {"in": {"weight": 2}, "out": {"weight": 1, "withhold": True}}}]
        return r.sample(both, r.randint(0, 2))

    def shrink(self):
        r = self.rng
        return {"mid": r.uniform(-3, 1), "d": r.uniform(-0.5, 1.5), "a": r.uniform(-0.5, 0.5), "beta": r.uniform(0.25, 1.25),
                "delta": r.uniform(-0.4, 0.4), "lambda": r.choice([0, 0.3, 1]), "rows": r.randint(0, 9999), "from": r.choice(["default", "settled", "exam"])}

    def policy(self):
        r = self.rng
        places = ["tablet"] + r.sample(["receipt", "later", "till"], r.randint(0, 2))
        models = ["churn", "coffee", "untreated"]
        names = [f"act-{i}" for i in range(r.randint(4, 9))]
        actions = {n: self.action(n, models, places) for n in names}
        settings = {"name": "random", "version": 3, "currency": "EUR", "languages": ["en", "de"], "salts": {k: r.randbytes(32).hex() for k in ("id", "control", "explore")},
                    "placements": {p: {"slots": r.randint(1, 3), "headline_max": r.choice([30, 48])} for p in places},
                    "explore": r.choice(["greedy", {"unit": 100, "cost_max": 2, "shortlist": r.randint(1, 8)},
                                         {"gamma": 20}, {"unit": 7, "cost_max": 30, "shortlist": 4}, {"share": 0.3, "worth": 40},
                                         {"share": 0.1, "shortlist": 5}, {"share": 0.02, "worth": 3}])}
        if self.some(0.1):
            del settings["explore"]
        if self.some(0.7):
            settings["interrupt"] = r.choice([1, 6, {"+": [1, {"var": "prompts"}]}, {"var": "queue"}])
        if self.some(0.4):
            settings["control"] = {"share": 0.3}
        if self.some(0.4):
            settings["levers"] = {f"issue:{actions[names[0]]['issue']}": 1.2, f"action:{names[1]}": 0.9}
        if self.some(0.6):
            settings["quiet"] = r.choice([{"tender": False}, {"queue_over": 4}, {"tender": False, "queue_over": 6}])
        if self.some(0.4):
            settings["care"] = {"severity": 2, "likely_to_call": 0.6, "only": ["service", "retain"]}
        source = {"policy": settings, "actions": actions, "models": [self.model(m) for m in models],
                  "features": [{"name": n, "type": t, "from": f, **({} if d is None else {"default": d})}
                               for n, t, f, d in FEATURES]}
        source["contact"] = {"caps": [self.cap() for _ in range(r.randint(0, 2))],
                             "suppress": [self.suppression() for _ in range(r.randint(0, 2))]}
        experiments = self.experiments(names)
        if experiments:
            source["experiments"] = experiments
        if self.some(0.4):
            source["shrink"] = {name: self.shrink() for name in names if self.some(0.6)}
        return source

    def profiles(self):
        r = self.rng
        rows = []
        for card in CARDS[:5]:
            consent = {p: r.choice(["granted"] * 6 + ["denied"]) for p in ("personalise", "profile", "contact")}
            row = {"card": card, "consent": consent, "attributes": {"tier": r.choice(["gold", "silver", "bronze"])}}
            if self.some(0.6):
                row["attributes"]["age"] = r.randint(18, 80)
            if self.some(0.4):
                row["attributes"]["vip"] = self.some(0.5)
            if self.some(0.3):
                row["attributes"]["likely_to_call"] = r.choice([0.5, 0.6, 0.61])
            if self.some(0.5):
                row["language"] = r.choice(["de", "en", "fr", "de-AT"])
            if self.some(0.5):
                row["line"] = "a line"
            rows.append(row)
        return rows

    # ---- a week ----

    def week(self, oracle, visits, start):
        """Events, and the decisions that the oracle made of them."""
        self.oracle, self.now, self.events, self.serial, self.baskets = oracle, start, [], 0, 0
        for _ in range(visits):
            self.now += self.rng.choice([30000, 300000, 3600000, 7 * 3600000, 26 * 3600000])
            self.visit()
        return self.events, oracle.decisions

    def say(self, kind, data, topic, wait=None):
        self.now += self.rng.choice([1, 900, 2500, 7000, 25000]) if wait is None else wait
        self.serial += 1
        event = {"specversion": "1.0", "id": f"e{self.serial}", "source": "/till/" + topic.split("/")[1], "topic": topic,
                 "type": "aisle." + kind, "time": text_of(self.now), "data": data}
        self.events.append(event)
        if self.some(0.02):
            self.events.append(event)
        self.oracle.event(event)
        if not kind.startswith(("guidance", "offer")):
            self.react()

    def visit(self):
        r = self.rng
        self.baskets += 1
        till, self.basket, card = r.choice(["7", "8"]), f"b{self.baskets}", r.choice(CARDS + [None])
        self.topic = f"pos/{till}/event"
        when = r.choice(["waiting", "start", "start", "middle", "late"]) if card else "never"
        if when == "waiting":
            self.say("customer.identified", {"card": card, "station": till}, "loyalty/r1/event")
        self.say("basket.opened", {"basket": self.basket, "terminal": till, **({"training": True} if self.some(0.05) else {})},
                 self.topic)
        lines = r.randint(0, 6)
        for n in range(1, lines + 1):
            if when == "start" and n == 1 or when == "middle" and n == 3:
                self.say("customer.identified", {"card": card, "station": till, "basket": self.basket}, self.topic)
            self.item(n)
            self.trouble(n, card, till)
        self.end(card, till, when, lines)

    def item(self, n):
        r = self.rng
        data = {"basket": self.basket, "line": n, "sku": f"sku-{r.randint(1, 5)}", "category": r.choice(CATEGORIES),
                "qty": r.choice([1, 1, 2, 3, 0.345, 1.5]), "amount": r.choice([99, 149, 250, 333, 499, 1205]), "currency": "EUR"}
        brand = r.choice(BRANDS)
        self.say("basket.item-added", {**data, **({"brand": brand} if brand else {})}, self.topic)

    def trouble(self, n, card, till):
        r = self.rng
        if self.some(0.1):
            self.say("basket.item-voided", {"basket": self.basket, "line": r.randint(1, n)}, self.topic)
        if self.some(0.05):
            self.item(n)
        if self.some(0.05):
            self.say("basket.payment-declined", {"basket": self.basket}, self.topic)
        if self.some(0.05):
            self.say("basket.suspended", {"basket": self.basket}, self.topic)
            self.say("basket.resumed", {"basket": self.basket}, self.topic)
        if self.some(0.08):
            self.say("sensor.reading", {"kind": "queue", "station": till, "value": r.randint(0, 8)}, "loyalty/r1/event")
        if card and self.some(0.05):
            self.say("return.completed", {"return": f"r{self.serial}", "card": card, "total": 5, "currency": "EUR",
                                          "items": [{"sku": "sku-1", "category": "home", "qty": 1, "amount": 5}]},
                     self.topic)
        if card and self.some(0.12):
            self.about(card)

    def about(self, card):
        r, topic = self.rng, "loyalty/r1/event"
        pick = r.randrange(5)
        if pick == 0:
            self.say("consent.changed", {"card": card, "purpose": r.choice(["personalise", "profile", "contact"]),
                                         "state": r.choice(["granted", "denied"])}, topic)
        elif pick == 1:
            self.say("care.case-opened", {"card": card, "case": f"c{self.serial}", "topic": "x", "severity": r.randint(1, 3)},
                     "care/event")
        elif pick == 2:
            subject = self.oracle.of_subject({"card": card})[0]
            for case, (_, still) in list(subject.cases.items()):
                if still:
                    self.say("care.case-closed", {"card": card, "case": case, "topic": "x", "severity": 1}, "care/event")
        elif pick == 3:
            self.say("loyalty.balance", {"card": card, "points": r.randint(0, 900), "tier": r.choice(["gold", "silver"])}, topic)
        else:
            self.say("contact.recorded", {"card": card, "channel": "mail", "action": "act-1",
                                          "at": text_of(self.now - r.choice([0, 3600000, 2 * 86400000]))}, topic)

    def end(self, card, till, when, lines):
        r = self.rng
        if self.some(0.6):
            self.say("basket.tender-started", {"basket": self.basket}, self.topic)
        if when == "late":
            self.say("customer.identified", {"card": card, "station": till, "basket": self.basket}, self.topic)
        if self.some(0.1):
            self.say("basket.cancelled", {"basket": self.basket}, self.topic)
            return
        visit = self.oracle.by_basket(self.basket)
        total = sum(x["amount"] for x in visit.live()) - (10 if self.some(0.2) else 0) if visit.live() else 0
        self.say("basket.closed", {"basket": self.basket, "total": total, "currency": "EUR"}, self.topic)
        if self.some(0.1):
            self.item(lines + 1)
        if self.some(0.03):
            self.say("basket.cancelled", {"basket": self.basket}, self.topic)
        if self.some(0.05):
            old, into = r.sample(CARDS, 2)
            self.say("customer.merged", {"card": old, "into": into}, "loyalty/r1/event")

    # ---- the associate, and the till's answers ----

    def react(self):
        for visit in self.oracle.visits[-3:]:
            for card in visit.cards:
                if card["guidance"] and not card["withheld"]:
                    self.tap(card)
                    self.till_says(visit, card)

    def tap(self, card):
        r, base = self.rng, {"guidance": card["guidance"], "prompt": card["prompt"], "tablet": "t1"}
        if card["state"] == "open" and "shown" not in card and self.some(0.3):
            self.say("guidance.shown", {**base, **({"shown": False} if self.some(0.3) else {})}, "tablet/t1/event", 100)
        if card["state"] == "open" and not card["answer"] and self.some(0.3):
            choice = r.choice(["accept", "accept", "dismiss", "snooze", "override"])
            if self.oracle.base["actions"][card["action"]].get("mandatory"):
                choice = "accept"  # it cannot be put off
            data = {**base, "decision": choice}
            if choice in ("override", "dismiss"):
                data["reason"] = r.choice(["not-relevant", "insensitive"])
            if choice == "snooze" and self.some(0.5):
                data["until"] = text_of(self.now + 40000)
            self.say("guidance.decided", data, "tablet/t1/event", 100)

    def till_says(self, visit, card):
        if not card["token"] or visit.state == "cancelled" or not visit.basket:
            return
        data = {"basket": visit.basket, "token": card["token"], "amount": 40}
        topic = f"pos/{visit.terminal}/event"
        if visit.state == "closed" and self.now > visit.closed + 240000:
            return  # then it has nothing to say of it any more
        if card["state"] == "asked" and self.some(0.7):
            if self.some(0.8):
                self.say("offer.applied", data, topic, 300)
            else:
                self.say("offer.refused", {"basket": visit.basket, "token": card["token"], "reason": "no"}, topic, 300)
        if card["state"] == "applied" and not card["redeemed"] and self.some(0.3):
            self.say("offer.redeemed", data, topic, 300)
        elif card["redeemed"] and self.some(0.05):
            self.say("offer.reversed", data, topic, 300)


def files(source):
    """The folder's files beside policy.json, features.json and actions/, for policy.write."""
    extra = {}
    if source.get("models"):
        extra["models/models.json"] = {"models": [{k: v for k, v in m.items() if k != "linear"} for m in source["models"]]}
        for m in source["models"]:
            extra["models/" + m["file"]] = m["linear"]
    if "contact" in source:
        extra["contact.json"] = source["contact"]
    if "experiments" in source:
        extra["experiments.json"] = {"experiments": source["experiments"]}
    if "shrink" in source:
        extra["shrink.json"] = {"shrink": source["shrink"]}
    return extra


def lines(events):
    return "".join(json.dumps(e) + "\n" for e in events)
