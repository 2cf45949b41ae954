# SPDX-License-Identifier: Apache-2.0
"""The store around a decision: visits, customers, cards, the till's word. See oracle.py."""
import copy
from zoneinfo import ZoneInfo

from oracle import (DAY, QUIET_PLACES, ZERO, chance, day_start, duration, half_up, matches, matches_offer, merge_patch, millis,
                    subject_of, ulid, worth)
from oracle_decide import WITHHELD_KINDS, Run, kept



class Subject:
    def __init__(self, ident, row=None):
        row = row or {}
        self.id, self.row = ident, row
        self.attributes = dict(row.get("attributes", {}))
        self.language, self.line = row.get("language"), row.get("line")
        self.consent = {k: [v == "granted", None] for k, v in row.get("consent", {}).items()}
        self.contacts, self.purchases, self.incidents, self.cases = [], {}, [], {}
        self.balance, self.mixed = {}, False

    def may(self, purpose, now):
        granted, until = self.consent.get(purpose, [False, None])
        return granted and (until is None or now < until)

    def baskets(self):
        return [self.purchases[k] for k in sorted(self.purchases, key=lambda k: (self.purchases[k]["at"], k))]


class Visit:
    def __init__(self, ident, station, now):
        self.id, self.station, self.opened, self.last = ident, station, now, now
        self.state, self.basket, self.terminal, self.subject, self.language = "waiting", None, None, None, None
        self.training, self.identified, self.total, self.closed = False, None, 0, None
        self.voids = self.declines = self.returns = 0
        self.lines, self.cards, self.contacts, self.guidance = {}, [], [], None
        self.sold, self.backs, self.drew = None, [], set()

    def live(self):
        return [x for x in self.lines.values() if not x["voided"]]

    def kept(self):
        """The lines without what came back of them: each as (what was scanned, what is left of it)."""
        lines = [self.lines[n] for n in sorted(self.lines) if not self.lines[n]["voided"]]
        left = [x["qty_milli"] for x in lines]
        open_ = [dict(b) for b in sorted(self.backs, key=lambda b: (b["item"], b["qty_milli"], b["amount"], b["return"]))]
        for like in ("amount", "quantity", "article"):
            for back in open_:
                for i, line in enumerate(lines):
                    whole = left[i] == line["qty_milli"] == back["qty"]
                    if line["item"] != back["item"] or like != "article" and not (
                            whole and (like == "quantity" or line["amount"] == back["amount"])):
                        continue
                    part = min(left[i], back["qty_milli"])
                    left[i] -= part
                    back["qty_milli"] -= part
        return [(x, {**x, "qty_milli": n, "amount": round_away(x["amount"] * n, x["qty_milli"])})
                for x, n in zip(lines, left)]

    def rest(self):
        return [x for _, x in self.kept() if x["qty_milli"] > 0]

    def over(self):
        return self.state in ("closed", "cancelled")


def round_away(a, b):
    return half_up(a, b) if a >= 0 else -half_up(-a, b)


class Looking:
    """What a slot may cost where the policy says a share: the days before, and today's account."""

    def __init__(self, store):
        explore = store.base["policy"].get("explore", {})
        self.store, self.prior, self.before, self.today, self.day = store, 0, [], [], 0
        self.stated = explore.get("worth", 0) if isinstance(explore, dict) else 0
        self.over = False

    def start(self):
        return day_start(self.store.zone, self.store.now, self.store.cut)

    def price(self, share, worth):
        here = self.start() <= self.day
        if here and self.over:
            return 0
        known = self.before + ([] if here else self.today)
        prior = (self.stated if self.day else 0) if worth is None else worth
        return max(0.01, share * (200 * prior + sum(w for _, w, _ in known)) / (200 + len(known)))

    def note(self, share, worth, cost):
        if self.start() > self.day:
            self.before, self.today, self.day, self.over = self.before + self.today, [], self.start(), False
        self.today.append((share, worth, cost))
        if len(self.today) >= 100 and sum(c for _, _, c in self.today) > 2 * sum(s * w for s, w, _ in self.today):
            self.over = True


class Oracle:
    def __init__(self, source, profiles=(), store="0042", zone="UTC", day_cut=240, pepper="00" * 32, stations=None):
        self.base, self.store, self.zone, self.cut, self.pepper = source, store, ZoneInfo(zone), day_cut, pepper
        self.stations = stations or {}
        self.subjects, self.visits, self.timers, self.queues, self.seen = {}, [], {}, {}, set()
        self.forward = {}
        for row in profiles:
            ident = row.get("subject") or subject_of(row["card"], pepper)
            self.subjects[ident] = Subject(ident, row)
        self.now, self.source, self.id = 0, "", ""
        self.decisions, self.patched = [], {}
        self.spent, self.returned, self.strays, self.time = [], set(), [], 0
        self.looking = Looking(self)

    # ---- small helpers ----

    def make(self, purpose):
        return ulid(self.base["policy"]["salts"]["id"], self.now, self.source, self.id, purpose)

    def subject(self, ident):
        return self.subjects.setdefault(ident, Subject(ident))

    def person(self, card):
        """A card that was merged is the other one, for good."""
        ident = subject_of(card, self.pepper)
        return self.forward.get(ident, ident)

    def known(self, visit):
        subject = self.subject(visit.subject) if visit.subject else None
        return subject if subject and subject.may("personalise", self.now) else None

    def timer(self, kind, thing, due):
        self.timers[f"{kind}/{thing}/{due}"] = (due, kind, thing)

    def card_by(self, name, ident):
        for visit in self.visits:
            for card in visit.cards:
                if card[name] == ident:
                    return visit, card
        return None, None

    # ---- time ----

    def clock(self, now):
        now = max(now, self.now)
        while True:
            due = sorted((d, k) for k, (d, _, _) in self.timers.items() if d <= now)
            if not due:
                break
            when, name = due[0]
            _, kind, thing = self.timers.pop(name)
            self.now, self.source, self.id = max(self.now, when), "timer", name
            getattr(self, "due_" + kind)(thing)
        self.now = now

    def due_card(self, prompt):
        visit, card = self.card_by("prompt", prompt)
        if card["state"] == "open":
            self.withdraw(visit, card, "expired")
            if not card["withheld"] and visit.guidance:
                self.guide(visit)

    def due_ask(self, prompt):
        visit, card = self.card_by("prompt", prompt)
        if card["state"] == "asked":
            self.silent(visit, card)
            if visit.guidance:
                self.guide(visit)

    def silent(self, visit, card):
        card["state"], card["hold"], card["silent"] = "refused", None, True
        self.outcome(visit, card, "refused", "silent")

    def due_snooze(self, prompt):
        visit, card = self.card_by("prompt", prompt)
        newest = [c for c in visit.cards if c["action"] == card["action"]][-1]
        if visit.over() or visit.training or newest is not card:
            return
        card["overdue"] = self.must_wait(visit)
        if card["overdue"]:
            return
        self.choose(visit, {"source": "timer", "id": self.id, "type": "timer", "data": {}}, back=card["action"])

    def must_wait(self, visit):
        quiet = self.base["policy"].get("quiet", {}).get("tender", True)
        return visit.state == "suspended" or visit.state == "tender" and quiet

    def open_snoozed(self):
        """What came due while nobody could be spoken to is due with the event after which somebody can."""
        for visit in self.visits:
            for card in visit.cards:
                if card.get("overdue") and not visit.over() and not self.must_wait(visit):
                    self.timer("snooze", card["prompt"], self.now)

    def due_wait(self, ident):
        for visit in self.visits:
            if visit.id == ident and visit.state == "waiting":
                if self.now - visit.identified < 120000:
                    self.timer("wait", ident, visit.identified + 120000)
                    return
                self.leave(visit, "customer")
                visit.state = "cancelled"

    def due_window(self, prompt):
        visit, card = self.card_by("prompt", prompt)
        action = self.base["actions"][card["action"]]
        goal = action["outcome"]
        if goal["is"] == "bought" and (self.bought(visit, card, goal) or self.bought_later(visit, card, goal)):
            self.outcome(visit, card, "bought")
        if card["depth"] and not card["redeemed"]:
            card["hold"] = None

    def due_return(self, stray):
        self.strays.remove(stray)

    # ---- cards ----

    def outcome(self, visit, card, outcome, reason=None):
        rows = self.subject(visit.subject).contacts if visit.subject else visit.contacts
        rows.append({"prompt": card["prompt"], "decision": card["decision"], "outcome": outcome, "at": self.now,
                     "reason": reason, "placement": card["placement"], "action": card["action"],
                     "group": card["group"], "issue": card["issue"], "back": outcome in ("refused", "reversed", "returned") or
                     outcome == "withdrawn" and card["answer"] == "accept"})

    def withdraw(self, visit, card, reason):
        if card["state"] == "gone" or card["redeemed"]:
            return
        if card["state"] in ("asked", "applied") or card["depth"] and kept(card):
            self.outcome(visit, card, "withdrawn", reason)
        elif card["state"] == "open":
            self.timers.pop(f"card/{card['prompt']}/{card['expires']}", None)
            self.outcome(visit, card, "expired" if reason == "expired" else "withdrawn", reason)
        card["state"], card["hold"] = "gone", None

    def leave(self, visit, reason, taking=False):
        taking = taking or reason in ("cancelled", "customer")
        for card in visit.cards:
            if card["state"] == "open" or taking and card["depth"] and kept(card):
                self.withdraw(visit, card, reason)
        visit.guidance = None

    def hush(self, visit):
        stays = False
        for card in visit.cards:
            if card["state"] != "open":
                continue
            if card["placement"] in QUIET_PLACES["quiet-tender"] and not self.base["actions"][card["action"]].get("mandatory"):
                self.withdraw(visit, card, "tender")
            elif not card["withheld"] and card["placement"] in ("tablet", "customer"):
                stays = True
        if not stays:
            visit.guidance = None

    def wanted(self, visit):
        known = self.known(visit)
        return (any(c["state"] != "gone" and not c["withheld"] and c["placement"] in ("tablet", "customer")
                    for c in visit.cards) or bool(known and known.line))

    def guide(self, visit):
        if not self.wanted(visit):
            visit.guidance = None
            return
        visit.guidance = visit.guidance or self.make("guidance")
        for card in visit.cards:
            if card["state"] != "gone" and card["guidance"] is None:
                card["guidance"] = visit.guidance

    # ---- outcomes ----

    def bought(self, visit, card, goal):
        if card.get("shown") is False:
            return False
        if visit.state == "cancelled":
            return False
        for line in visit.rest():
            if line["at"] <= card["sent"] or not matches(line, goal["item"]):
                continue
            later = [c for c in visit.cards if card["sent"] < c["sent"] < line["at"] and c.get("shown") is not False
                     and self.base["actions"][c["action"]].get("outcome", {}).get("is") == "bought"
                     and matches(line, self.base["actions"][c["action"]]["outcome"]["item"])]
            if not later:
                return True
        return False

    def bought_later(self, visit, card, goal):
        if not visit.subject or card.get("shown") is False:
            return False
        return any(card["sent"] < b["at"] <= card["due"] and k != visit.id
                   and any(matches(x, goal["item"]) for x in b["lines"])
                   for k, b in self.subject(visit.subject).purchases.items())

    def close(self, visit):
        for card in visit.cards:
            action = self.base["actions"][card["action"]]
            goal = action.get("outcome", {"is": "none"})
            if visit.training:
                continue
            if goal["is"] == "bought" and duration(goal.get("within", "0d")) == 0 and self.bought(visit, card, goal):
                self.outcome(visit, card, "bought")
            if (card["depth"] and not card["redeemed"] and duration(action["offer"].get("until", "0d")) == 0
                    and card["answer"] == "accept"):
                card["hold"] = None
                if kept(card) and card["state"] != "applied" and action["offer"].get("apply", "till-code") != "till-code":
                    self.silent(visit, card)
                elif kept(card):
                    self.outcome(visit, card, "unused")

    def purchase(self, visit):
        subject = self.subject(visit.subject) if visit.subject else None
        if subject is None or visit.training or not subject.may("profile", self.now):
            return
        if visit.state == "cancelled" or (visit.total == 0 and not visit.live()):
            subject.purchases.pop(visit.id, None)
            return
        kept = visit.kept()
        back = sum(x["amount"] - y["amount"] for x, y in kept)
        total = visit.total - back
        if any(x["qty_milli"] != y["qty_milli"] for x, y in kept) and (total < 0 or not visit.rest()):
            total = 0
        subject.purchases[visit.id] = {"at": visit.closed or self.now, "total": total, "sold": visit.sold,
                                       "lines": copy.deepcopy(visit.rest())}

    # ---- what came back ----

    def take_back(self, stray, visit):
        """What the sale has of a return's goods; true: something."""
        before, any_ = visit.kept(), False
        for item in stray["items"]:
            have = sum(x["qty_milli"] for x in visit.rest() if x["item"] == item["item"])
            part = min(have, item["qty_milli"])
            if part <= 0:
                continue
            visit.backs.append({"return": stray["return"], "item": item["item"], "qty": part, "qty_milli": part,
                                "amount": round_away(item["amount"] * part, item["qty_milli"])})
            item["amount"] -= round_away(item["amount"] * part, item["qty_milli"])
            item["qty_milli"] -= part
            any_ = True
        if any_:
            self.purchase(visit)
            self.unearned(visit, before)
        return any_

    def find(self, stray):
        subject, any_ = self.subject(stray["subject"]), False
        for ident in sorted(subject.purchases, key=lambda k: (subject.purchases[k]["at"], k), reverse=True):
            bought = subject.purchases[ident]
            if bought["sold"] <= stray["time"] and any(x["item"] == i["item"] and i["qty_milli"] > 0
                                                       for x in bought["lines"] for i in stray["items"]):
                visit = next(v for v in self.visits if v.id == ident)
                visit.subject = stray["subject"]
                any_ = self.take_back(stray, visit) or any_
        return any_

    def ask_strays(self, visit):
        for stray in list(self.strays):
            if stray["subject"] == visit.subject and self.find(stray) and not any(i["qty_milli"] for i in stray["items"]):
                self.strays.remove(stray)
                self.timers = {k: t for k, t in self.timers.items() if t[2] is not stray}

    def unearned(self, visit, before):
        """Cards whose goods all came back: "returned"."""
        after = visit.kept() if visit.state == "closed" else [(x, {**x, "qty_milli": 0, "amount": 0}) for x, _ in before]
        change = [(x, y, z) for (x, y), (_, z) in zip(before, after)]
        for card in visit.cards:
            offer = self.base["actions"][card["action"]].get("offer")
            if card["redeemed"] and offer:
                was = sum(y["amount"] for x, y, _ in change if matches_offer(x, offer))
                rest = sum(z["amount"] for x, _, z in change if matches_offer(x, offer))
                if rest < was and rest <= 0:
                    self.outcome(visit, card, "returned")
        rows = self.subject(visit.subject).contacts if visit.subject else visit.contacts
        for row in list(rows):
            if row["outcome"] != "bought" or any(r["prompt"] == row["prompt"] and r["outcome"] == "returned" for r in rows):
                continue
            owner, card = self.card_by("prompt", row["prompt"])
            goal = self.base["actions"][row["action"]]["outcome"]
            if not any(z["qty_milli"] < y["qty_milli"] and matches(x, goal["item"]) for x, y, z in change):
                continue
            if self.bought(owner, card, goal) or (duration(goal.get("within", "0d")) > 0
                                                  and self.bought_later(owner, card, goal)):
                continue
            self.outcome(owner, card, "returned")

    def incident(self, visit, kind):
        if visit.subject and not visit.training and self.subject(visit.subject).may("profile", self.now):
            self.subject(visit.subject).incidents.append((self.now, kind))

    # ---- events ----

    def event(self, event):
        """Applies one recorded event; the decision it made, or None."""
        self.clock(millis(event.get("recordedtime") or event["time"]))
        if (event["source"], event["id"]) in self.seen:
            return None
        self.seen.add((event["source"], event["id"]))
        self.source, self.id = event["source"], event["id"]
        self.time = millis(event["time"])
        origin = event["topic"].split("/")[1]
        kind, data = event["type"][6:], event["data"]
        station = data.get("station") or self.stations.get(origin, origin)
        before = len(self.decisions)
        self.told = event
        handler = getattr(self, "on_" + kind.replace(".", "_").replace("-", "_"))
        visit = handler(data, station, origin)
        self.open_snoozed()
        if visit is not None and not visit.training:
            self.choose(visit, event)
        return self.decisions[-1] if len(self.decisions) > before else None

    def by_basket(self, basket):
        return next((v for v in self.visits if v.basket == basket), None)

    def at_station(self, station, states=("waiting", "open", "tender")):
        here = [v for v in self.visits if v.station == station and v.state in states]
        return max(here, key=lambda v: (v.opened, v.id)) if here else None

    def basket(self, data, station, origin):
        visit = self.by_basket(data["basket"])
        if visit is None:
            visit = self.at_station(station, ("waiting",))
            if visit is None or visit.basket or self.now - visit.identified >= 120000:
                visit = Visit(self.make("visit"), station, self.now)
                self.visits.append(visit)
            visit.basket = data["basket"]
        if visit.state == "waiting":
            visit.state, visit.terminal = "open", origin
        return visit

    def on_basket_opened(self, data, station, origin):
        visit = self.basket(data, station, origin)
        if data.get("training", False) and not visit.training:
            visit.training = True
            self.leave(visit, "gate", taking=True)
        return visit

    def on_basket_item_added(self, data, station, origin):
        visit = self.basket(data, station, origin)
        if visit.state == "cancelled":
            return None
        old = visit.lines.get(data["line"])
        line = {"category": data["category"], "brand": data.get("brand"), "item": data.get("sku") or data["gtin"],
                "qty_milli": round(data["qty"] * 1000), "amount": data["amount"], "at": self.now,
                "voided": old is not None and old["voided"] and old.get("early", False)}
        visit.lines[data["line"]] = line
        if visit.over():
            self.purchase(visit)
            self.ask_strays(visit)
            return None
        visit.state = "open"
        return visit

    def on_basket_item_voided(self, data, station, origin):
        visit = self.basket(data, station, origin)
        line = visit.lines.get(data["line"])
        if visit.state == "cancelled" or (line is not None and line["voided"]):
            return None
        if line is None:
            visit.lines[data["line"]] = {"voided": True, "early": True}
        else:
            line["voided"] = True
        if visit.over():
            self.purchase(visit)
            self.ask_strays(visit)
            return None
        visit.voids += 1
        self.incident(visit, "void")
        return visit

    def on_basket_suspended(self, data, station, origin):
        visit = self.basket(data, station, origin)
        visit.state = "suspended"
        self.leave(visit, "gate")
        return visit

    def on_basket_resumed(self, data, station, origin):
        visit = self.basket(data, station, origin)
        visit.state = "open"
        self.guide(visit)  # what was agreed is on the screen again
        return visit

    def on_basket_tender_started(self, data, station, origin):
        visit = self.basket(data, station, origin)
        visit.state = "tender"
        if self.base["policy"].get("quiet", {}).get("tender", True):
            self.hush(visit)
        return visit

    def on_basket_payment_declined(self, data, station, origin):
        visit = self.basket(data, station, origin)
        visit.declines += 1
        self.incident(visit, "decline")
        return visit

    def on_basket_cancelled(self, data, station, origin):
        visit = self.basket(data, station, origin)
        was_closed, before = visit.state == "closed", visit.kept()
        visit.state = "cancelled"
        self.leave(visit, "cancelled")
        if was_closed:
            self.purchase(visit)
            self.unearned(visit, before)
        return None

    def on_basket_closed(self, data, station, origin):
        visit = self.basket(data, station, origin)
        visit.state, visit.closed, visit.total = "closed", self.now, data["total"]
        visit.sold = self.time
        self.close(visit)
        self.leave(visit, "closed")
        self.purchase(visit)
        self.ask_strays(visit)
        return visit

    def join(self, visit, ident):
        if visit.subject and visit.subject != ident:
            self.leave(visit, "customer")
        visit.subject, visit.identified = ident, self.now
        subject = self.subject(ident)
        visit.language = subject.language if subject.may("personalise", self.now) else None
        subject.contacts += visit.contacts
        subject.contacts.sort(key=lambda r: r["at"])
        visit.contacts = []
        self.conceal(visit)

    def conceal(self, visit):
        """What a stranger was shown and a control customer may not see."""
        run = Run(self, visit, {"type": None, "data": {}})
        for card in visit.cards:
            action = run.actions.get(card["action"])
            if (run.withheld and card["state"] == "open" and not card["withheld"] and action
                    and action["kind"] in WITHHELD_KINDS and not action.get("mandatory")):
                self.outcome(visit, card, "withdrawn", "customer")
                card["withheld"], card["hold"] = True, None
                self.guide(visit)

    def on_customer_identified(self, data, station, origin):
        ident = data.get("subject") or self.person(data["card"])
        visit = (self.by_basket(data["basket"]) if "basket" in data
                 else self.at_station(station, ("open", "tender")))
        if visit is None:
            visit = Visit(self.make("visit"), station, self.now)
            self.visits.append(visit)
            visit.basket = data.get("basket")
        self.join(visit, ident)
        if visit.state == "waiting":
            self.timer("wait", visit.id, visit.identified + 120000)
        return visit

    def of_subject(self, data):
        ident = data.get("subject") or self.person(data["card"])
        here = [v for v in self.visits if v.subject == ident and not v.over()]
        return self.subject(ident), (max(here, key=lambda v: (v.opened, v.id)) if here else None)

    def on_consent_changed(self, data, station, origin):
        subject, visit = self.of_subject(data)
        subject.consent[data["purpose"]] = [data["state"] == "granted", millis(data["until"]) if "until" in data else None]
        if data["state"] == "denied" and data["purpose"] == "personalise" and visit:
            self.leave(visit, "consent")
        return visit

    def on_care_case_opened(self, data, station, origin):
        subject, visit = self.of_subject(data)
        subject.cases[data["case"]] = [data["severity"], True]
        subject.incidents.append((self.now, "complaint"))
        return visit

    def on_care_case_closed(self, data, station, origin):
        subject, visit = self.of_subject(data)
        subject.cases[data["case"]][1] = False
        if visit:
            for card in visit.cards:
                if self.base["actions"][card["action"]]["kind"] == "service":
                    self.outcome(visit, card, "case-closed")
        return visit

    def on_loyalty_balance(self, data, station, origin):
        subject, visit = self.of_subject(data)
        subject.balance.update({k: (self.now, data[k]) for k in ("points", "tier") if k in data})
        return visit

    def on_contact_recorded(self, data, station, origin):
        subject, visit = self.of_subject(data)
        action = self.base["actions"].get(data.get("action"), {})
        subject.contacts.append({"prompt": self.source + self.id, "decision": ZERO, "outcome": "shown", "reason": None,
                                 "at": millis(data["at"]), "placement": "later", "action": data.get("action"),
                                 "group": action.get("group"), "issue": action.get("issue")})
        subject.contacts.sort(key=lambda r: r["at"])
        return None

    def on_customer_merged(self, data, station, origin):
        old, into = self.person(data["card"]), self.person(data["into"])
        if old != into:
            self.unite(self.subject(old), self.subject(into))
            self.forward.update({k: into for k, v in self.forward.items() if v == old})
            self.forward[old] = into
        here = None
        for visit in self.visits:
            if visit.subject == old:
                visit.subject = into
                here = visit if not visit.over() else here
        return here

    def unite(self, a, b):
        b.purchases.update(a.purchases)
        rows = {(r["prompt"], r["outcome"]): r for r in a.contacts + b.contacts}
        b.contacts = sorted(rows.values(), key=lambda r: r["at"])
        b.incidents = sorted(set(a.incidents + b.incidents))
        b.cases.update({case: list(state) for case, state in a.cases.items()})
        for name, value in a.balance.items():
            b.balance[name] = max(value, b.balance.get(name, value))
        for purpose in ("personalise", "profile", "contact"):
            states = [s.consent[purpose] for s in (a, b) if purpose in s.consent]
            if states:
                b.consent[purpose] = min(states, key=lambda s: s[0])
        b.attributes = {**a.attributes, **b.attributes}
        b.language, b.line = b.language or a.language, b.line or a.line
        b.mixed = True

    def on_return_completed(self, data, station, origin):
        if data["return"] in self.returned:
            return None
        self.returned.add(data["return"])
        visit = self.at_station(station)
        if visit:
            visit.returns += 1
        if "card" in data:
            subject = self.subject(self.person(data["card"]))
            if subject.may("profile", self.now):
                subject.incidents.append((self.now, "return"))
            stray = {"return": data["return"], "subject": subject.id, "time": self.time,
                     "items": [{"item": i.get("sku") or i["gtin"], "qty_milli": round(i["qty"] * 1000),
                                "amount": i["amount"]} for i in data["items"]]}
            self.find(stray)
            if any(i["qty_milli"] for i in stray["items"]):
                self.strays.append(stray)
                self.timer("return", stray, self.now + 72 * 3600000)
        return visit

    def on_sensor_reading(self, data, station, origin):
        self.queues[station] = data["value"]
        return self.at_station(station)

    # ---- what a person and the till say ----

    def on_guidance_shown(self, data, station, origin):
        visit, card = self.card_by("prompt", data["prompt"])
        if card and card["guidance"] == data["guidance"] and not card["withheld"] and "shown" not in card:
            card["shown"] = data.get("shown", True)
            self.outcome(visit, card, "shown" if card["shown"] else "not-shown")

    def on_guidance_decided(self, data, station, origin):
        visit, card = self.card_by("prompt", data["prompt"])
        if not card or card["answer"] or card["guidance"] != data["guidance"]:
            return
        paying = visit.state in ("tender", "closed")
        if card["state"] != "open" or paying and card["depth"] and data["decision"] == "accept":
            if data["decision"] == "accept" and paying and not card["late"]:
                card["late"] = True
                self.outcome(visit, card, "late")
            return
        if data["decision"] == "accept" and Run(self, visit, {"type": None, "data": {}}).limited(card):
            card["closed"] = True
            self.withdraw(visit, card, "gate")
            self.guide(visit)
            return
        card["answer"], card["state"] = data["decision"], "answered"
        self.timers.pop(f"card/{card['prompt']}/{card['expires']}", None)
        name = {"accept": "accepted", "dismiss": "dismissed", "snooze": "snoozed", "override": "overridden"}
        self.outcome(visit, card, name[data["decision"]], data.get("reason"))
        if data["decision"] != "accept":
            card["hold"] = None
            if data["decision"] == "snooze":
                card["snooze"] = millis(data["until"]) if "until" in data else self.now + 300000
                if card["snooze"] - self.now <= 3 * DAY:
                    self.timer("snooze", card["prompt"], card["snooze"])
        elif card["depth"]:
            run = Run(self, visit, self.told)
            card["worth"], _ = worth(run.actions[card["action"]]["offer"], card["depth"], visit.live(), run.takings())
            card["token"] = self.make("token/1")
            if self.base["actions"][card["action"]]["offer"].get("apply", "till-code") != "barcode":
                card["state"] = "asked"
                if self.base["actions"][card["action"]]["offer"].get("apply", "till-code") == "till-code":
                    self.timer("ask", card["prompt"], self.now + 5000)
        if data["decision"] in ("accept", "override"):
            self.again(visit, self.told)
        self.guide(visit)

    def again(self, visit, event):
        """The open cards alone, once more: what was taken is not there for the others."""
        if visit.training or visit.over() or not any(c["state"] == "open" for c in visit.cards):
            return False
        run = Run(self, visit, event)
        run.decide()
        return run.apply(False)

    def till_word(self, data):
        visit, card = self.card_by("token", data["token"])
        self.timers = {k: t for k, t in self.timers.items() if not (t[1] == "ask" and t[2] == card["prompt"])}
        return visit, card

    def on_offer_applied(self, data, station, origin):
        visit, card = self.till_word(data)
        card["state"], card["worth"], card["silent"] = "applied", data["amount"], False
        self.outcome(visit, card, "applied")
        if visit.guidance:
            self.guide(visit)
        if self.again(visit, self.told):
            self.guide(visit)

    def on_offer_refused(self, data, station, origin):
        visit, card = self.till_word(data)
        card["state"], card["hold"], card["silent"] = "refused", None, False
        self.outcome(visit, card, "refused", data.get("reason"))
        if visit.guidance:
            self.guide(visit)
        if self.again(visit, self.told):
            self.guide(visit)

    def on_offer_redeemed(self, data, station, origin):
        visit, card = self.till_word(data)
        card["redeemed"], card["state"] = True, "applied"
        funded = self.base["actions"][card["action"]]["offer"].get("funded", 0)
        card["hold"] = half_up(round(data["amount"] * (1 - funded) * 1000000), 1000000)
        self.outcome(visit, card, "redeemed")
        if visit.guidance:
            self.guide(visit)
        if self.again(visit, self.told):
            self.guide(visit)

    def on_offer_reversed(self, data, station, origin):
        visit, card = self.till_word(data)
        card["redeemed"], card["hold"], card["state"] = False, None, "refused"
        self.outcome(visit, card, "reversed")
        if visit.guidance:
            self.guide(visit)
        if self.again(visit, self.told):
            self.guide(visit)

    # ---- the decision ----

    def choose(self, visit, event, back=None):
        named = back is not None or any(event["type"] in a["on"] for a in self.base["actions"].values())
        for card in visit.cards:
            if card["state"] == "refused" and not card.get("silent") or card["state"] == "answered" and card["answer"] != "accept":
                card["state"], card["hold"] = "gone", None
        if not named and not any(c["state"] == "open" for c in visit.cards):
            return
        if visit.state == "cancelled" or visit.state == "closed" and event["type"] != "aisle.basket.closed":
            return
        run = Run(self, visit, event)
        run.decide(back)
        changed = run.apply(named)
        if not named:
            if changed:
                self.guide(visit)
            return
        self.decisions.append(run.record())
        run.look()
        if changed or (visit.guidance is None and self.wanted(visit)):
            self.guide(visit)

    def arms(self, visit):
        chosen, withhold = {}, False
        for e in sorted(self.base.get("experiments", []), key=lambda e: e["experiment"]):
            unit = {"customer": [visit.subject] if visit.subject else None, "visit": [visit.id], "store": [self.store],
                    "station-day": [visit.station, str(day_start(self.zone, self.now, self.cut))]}[e["unit"]]
            if unit is None or not chance(e["salt"], "share", e["experiment"], *unit) < e["share"]:
                continue
            u, total = chance(e["salt"], "arm", e["experiment"], *unit), sum(a["weight"] for a in e["arms"].values())
            reached = 0
            for name in sorted(e["arms"]):
                reached += e["arms"][name]["weight"]
                if u * total < reached:
                    chosen[e["experiment"]] = name
                    withhold = withhold or e["arms"][name].get("withhold", False)
                    break
        return chosen, withhold

    def policy_for(self, arms):
        source = copy.deepcopy({k: self.base[k] for k in ("policy", "actions", "contact")})
        for e in self.base.get("experiments", []):
            if e["experiment"] in arms:
                source = merge_patch(source, e["arms"][arms[e["experiment"]]].get("patch", {}))
        return source
