# SPDX-License-Identifier: Apache-2.0
"""A store as its documents describe it, small and slow: what it must remember, show and count after each event.

Written from docs/integrating-a-till.md, docs/deciding.md and docs/tablet.md, not from the code. It knows the policy of sequences.py alone,
and of that no more than what a till, a tablet and headquarters can see. Times are milliseconds.
"""
import hashlib

MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LATE_LINES = 5 * MIN      # after the close lines are still of the basket, and its offers are still redeemed
SILENCE = 5_000           # a till that says nothing of a till-code
CARD_WAITS = 120_000      # a card that was read before its basket
CARD_LIVES = 600_000      # "expires" of the actions below
SUSPENDED = 72 * HOUR
RETURN_WAITS = 72 * HOUR
STALE = 600_000

# What the policy of sequences.py offers.
OFFERS = {
    "ten": dict(type="percent", depth=10, category="x", most=300, typical=500, cap=("accepted", 7 * DAY)),
    "fifty": dict(type="amount", depth=50, category="y", most=50, cap=("redeemed", 30 * DAY), budget=200),
}
SENSITIVE, NO_PROMOTION = "alcohol", "lottery"


def subject_of(card):
    return hashlib.blake2b(card.encode(), key=bytes(32), digest_size=16).hexdigest()


class Basket:
    """A number at the terminal that opened it, until it is closed or cancelled."""

    def __init__(self, terminal, number, began):
        self.terminal, self.number, self.began = terminal, number, began
        self.state = "open"      # waiting, open, suspended, paying, closed, cancelled
        self.closed_at = None    # the time of its close
        self.came = 0            # to this terminal, from another one
        self.parked = 0          # when it was suspended
        self.stay = None         # (terminal, from, until) where it was before it was recalled
        self.subject = None
        self.training = self.opened = self.paid = self.sold = False  # sold: paid, and not for training
        self.opens = []          # the times of its `opened`; it may be two sales, if an end between them is late
        self.opens_heard = {}    # when each was heard of
        self.reads = []          # (time, order, subject) of the cards that it was or is the basket of
        self.versions = {}       # line -> [(time, order, version)]
        self.voids = {}          # line -> [(time, order)]
        self.rests = []          # (time, order, lines that are not meant): voids of all others
        self.articles = []       # (time, order, item, qty): voids of the newest line of an article
        self.back = []           # what returns took out: (item, qty, amount)
        self.cards = {}          # action -> Card, open ones
        self.only_card = False   # nothing was heard of it but a card, at heard
        self.taken = []          # Tokens
        self.judged_at = None    # when what was promised in it is held against what was taken off

    def lines(self):
        """What is in it: of each line what happened last, unless a void happened after it."""
        taken = set()  # (line, time, order) of versions that a void by article took
        for at, _, item, qty in sorted(self.articles, key=lambda v: v[:2]):
            there = self.lines_at(at, taken)
            alike = [line for line, (_, _, v) in there.items() if v["item"] == item]
            alike = [line for line in alike if there[line][2]["qty"] == qty] or alike
            if alike:
                line = max(alike, key=lambda line: there[line][:2])
                taken.add((line, *there[line][:2]))
        return {line: version for line, (_, _, version) in self.lines_at(None, taken).items()}

    def lines_at(self, at, taken):
        """line -> (time, order, version), by all that had happened then; None: by now."""
        found = {}
        for line, versions in self.versions.items():
            known = [v for v in versions if at is None or v[0] <= at]
            if not known:
                continue
            time, order, version = max(known, key=lambda v: v[:2])
            voids = [(t, o) for t, o in self.voids.get(line, []) if at is None or t <= at]
            rests = [(t, o) for t, o, but in self.rests if line not in but and (at is None or t <= at)]
            gone = any(t > time or (t == time and o > order) for t, o in voids + rests)
            # A void of the same time that came before any version of its line cancels the next one of that time.
            first = min(o for _, o, _ in versions)
            same = [o for t, o, _ in versions if t == time]
            gone = gone or any(t == time and o < first and order == min(same) for t, o in voids)
            if not gone and (line, time, order) not in taken:
                found[line] = (time, order, version)
        return found

    def goods(self, *but):
        return [v for v in self.lines().values() if v["category"] not in but]

    def total(self):
        return sum(v["amount"] for v in self.goods(SENSITIVE, NO_PROMOTION))

    def left(self):
        """What stays of each line: what came back is of the line of the same quantity and amount, else of the first that has it."""
        lines = self.lines()
        left = {line: lines[line]["qty"] for line in sorted(lines)}
        back = sorted((item, qty) for item, qty, _ in self.back)
        for whole in (True, False):
            rest = []
            for item, qty in back:
                for line in left:
                    here = left[line] if lines[line]["item"] == item else 0
                    if whole and not here == lines[line]["qty"] == qty:
                        continue
                    left[line] -= min(here, qty)
                    qty -= min(here, qty)
                rest += [(item, qty)] if qty else []
            back = rest
        return [(lines[line], qty) for line, qty in left.items()]

    def of_offer(self, action):
        """What the goods of an offer still cost."""
        return sum(v["amount"] * qty // v["qty"] for v, qty in self.left() if v["category"] == OFFERS[action]["category"])

    def is_sale(self):
        return self.state == "closed" and not self.training

    def figures(self):
        """What headquarters hears of the sale: gross, discount, margin (None: a line lacks it), returned, lines."""
        left = [(v, qty) for v, qty in self.left() if v["category"] not in (SENSITIVE, NO_PROMOTION)] if self.is_sale() else []
        stays = [(v, qty) for v, qty in left if qty]
        off = sum(max(t.net() - t.returned, 0) for t in self.taken) if self.is_sale() else 0
        margin = None if any("margin" not in v for v, _ in stays) else sum(v["margin"] * qty // v["qty"] for v, qty in stays) - off
        gross = sum(v["amount"] * qty // v["qty"] for v, qty in stays)
        return gross, off, margin, sum(v["amount"] for v, _ in left) - gross, len(stays)


class Card:
    def __init__(self, action, at):
        self.action, self.at, self.until = action, at, at + CARD_LIVES


class Token:
    def __init__(self, action, basket, worth, now, shown_at):
        self.action, self.basket, self.worth, self.shown_at = action, basket, worth, shown_at
        self.accepted_at = now
        self.subject = basket.subject
        self.state = "asked"     # asked, silent, applied, refused, redeemed, lapsed, withdrawn, cancelled
        self.promised = OFFERS[action]["most"]
        self.applied = self.said = 0
        self.redeemed = 0
        self.used = False        # was it redeemed at all
        self.denied = self.spent = False  # refused by the till, or all taken back; after its sale
        self.unanswered = False  # the till had been silent about it when another customer came
        self.reversed = self.returned = 0
        self.gone = False        # all the goods that it was for came back

    def takes(self):
        """Off this basket, as far as the till has said it."""
        if self.state == "redeemed":
            return self.net()
        if self.state == "applied":
            return self.applied
        return self.worth if self.state == "asked" else 0

    def net(self):
        return self.redeemed - self.reversed

    def off(self):
        """What the till took off with it, by its last word."""
        if self.state == "redeemed":
            return self.net()
        return self.applied if self.state in ("applied", "lapsed") else 0

    def holds(self):
        """Of a budget: the most it can cost until it is known what it does cost."""
        if self.state in ("asked", "applied") and self.basket.state != "closed":
            return self.promised
        return self.net() if self.state == "redeemed" else 0

    def counts(self, outcome, taking, now):
        """Does it count as used? For one who takes the next one now, what may still be used does."""
        if self.state in ("refused", "silent", "withdrawn", "cancelled") or (self.used and self.net() == 0) or self.gone:
            return False
        usable = self.basket.closed_at is None or now <= self.basket.closed_at + LATE_LINES
        return self.used or outcome == "accepted" or (taking and usable)


class Store:
    def __init__(self):
        self.now = 0
        self.order = 0
        self.arrived = {}        # order -> when
        self.seen = {}           # (sender, source, id)
        self.baskets = []
        self.tokens = {}         # as the till got it -> Token
        self.taken = []          # all of them, also where there is no till to tell
        self.merged = {}         # subject -> subject
        self.returns = {}        # return number -> what waits of it
        self.points = {}         # subject -> (time, order, points)
        self.came_back = 0       # of redeemed money, what lay on goods that came back
        self.promises = dict(made=0, less=0, less_minor=0, more=0, more_minor=0)

    # ---- who, which ----

    def person(self, subject):
        while subject in self.merged:
            subject = self.merged[subject]
        return subject

    def of_number(self, terminal, number):
        return sorted((b for b in self.baskets if (b.terminal, b.number) == (terminal, number)), key=lambda b: b.began)

    def find(self, terminal, number, time):
        """The newest of that number that began not after its time, else the oldest kept."""
        kept = self.of_number(terminal, number)
        return next((b for b in reversed(kept) if b.began <= time), kept[0] if kept else None)

    def find_or_begin(self, terminal, number, time):
        basket = self.find(terminal, number, time) or self.begin(terminal, number, time)
        basket.only_card = False
        return basket

    def begin(self, terminal, number, time):
        """A new basket; the card that was read at its station shortly before is its customer's."""
        basket = self.waiting(terminal)
        if basket is None or abs(time - basket.began) >= CARD_WAITS:
            basket = Basket(terminal, number, time)
            self.baskets.append(basket)
        basket.number, basket.began, basket.state, basket.only_card = number, time, "open", False
        return basket

    def waiting(self, station):
        """A card that was read where there was no basket: a visit of its own."""
        return next((b for b in self.baskets if b.terminal == station and b.state == "waiting"), None)

    def wait(self, station, subject, time):
        before = self.waiting(station)
        if before is not None and self.person(before.subject) != subject:
            self.leave(before)
            before = None
        if before is None:
            before = Basket(station, None, time)
            self.baskets.append(before)
        before.only_card = True
        before.subject, before.began, before.state = subject, time, "waiting"
        return before

    def leave(self, waiting):
        """Nobody waits there any more."""
        self.replace(waiting)
        self.baskets.remove(waiting)

    def live(self, terminal):
        """The basket at this till that is being filled or paid."""
        found = [b for b in self.baskets if b.terminal == terminal and b.state in ("open", "paying")]
        return found[-1] if found else None

    def live_at(self, terminal, time):
        """The basket at this till that was being filled then."""
        found = [b for b in self.baskets if b.terminal == terminal and b.state not in ("waiting", "suspended") and max(b.began, b.came) <= time and (b.closed_at is None or b.closed_at > time)]
        found += [b for b in self.baskets if b.stay is not None and b.stay[0] == terminal and b.stay[1] <= time < b.stay[2]]
        return max(found, key=lambda b: b.began)

    # ---- what is seen of it ----

    def history(self, subject):
        """Purchases, a list of (item, qty, amount) each; net of what came back."""
        found = []
        for basket in self.baskets:
            if not basket.is_sale() or basket.subject is None or self.person(basket.subject) != subject:
                continue
            lines = {}
            for v in basket.goods(SENSITIVE):
                qty, amount = lines.get(v["item"], (0, 0))
                lines[v["item"]] = (qty + v["qty"], amount + v["amount"])
            for item, qty, amount in basket.back:
                had = lines.get(item, (0, 0))  # its line may have been void all along
                lines[item] = (had[0] - qty, had[1] - amount)
            found.append(sorted((item, qty, amount) for item, (qty, amount) in lines.items() if qty > 0))
        return sorted(found)

    def on_screen(self, station):
        """Open cards: action -> worth; and those that may be gone: something elsewhere (another till's sale, a merge) closed their
        gate, which is looked at with the next event of their own visit, and in any case when they are taken."""
        here = [(a, b) for b in self.baskets if b.terminal == station for a in b.cards]
        return {a: self.worth(a, b) for a, b in here}, {a: b for a, b in here if self.had(a, b) or not self.allowed(a, b)}

    def budget_used(self):
        """Of the business day: cards, tokens and what was redeemed, all at the most."""
        cards = sum(OFFERS["fifty"]["most"] for b in self.baskets if "fifty" in b.cards)
        return cards + sum(t.holds() for t in self.all_tokens() if t.action == "fifty")

    def booked(self):
        return sum(t.net() for t in self.all_tokens())

    def all_tokens(self):
        return self.taken

    # ---- deciding ----

    def worth(self, action, basket):
        offer = OFFERS[action]
        goods = [v for v in basket.goods(SENSITIVE, NO_PROMOTION) if v["category"] == offer["category"]]
        there = sum(max(v["amount"], 0) for v in goods)
        if offer["type"] == "percent":
            saving = sum((max(v["amount"], 0) * offer["depth"] + 50) // 100 for v in goods) if goods else offer["typical"] * offer["depth"] // 100
        else:
            saving = min(offer["depth"], there) if goods else offer["depth"]
        left = basket.total() - sum(t.takes() for t in basket.taken if t.action != action)
        return min(saving, offer["most"], max(left, 0) if goods else saving)

    def allowed(self, action, basket, taking=False):
        offer, who = OFFERS[action], self.person(basket.subject)
        outcome, within = offer["cap"]
        uses = [t for t in self.all_tokens() if t.action == action and t.subject is not None and self.person(t.subject) == who and
                t.counts(outcome, taking, self.now) and self.now - t.accepted_at < within]
        if uses or self.worth(action, basket) < 1:
            return False
        held = OFFERS[action]["most"] if action in basket.cards else 0
        return "budget" not in offer or self.budget_used() - held + offer["most"] <= offer["budget"]

    def had(self, action, basket):
        """Taken by this customer, or paid with in this basket, whoever did."""
        return any(t.action == action and (t.net() > 0 or self.person(t.subject) == self.person(basket.subject)) for t in basket.taken)

    def gate_again(self, basket, trigger):
        """Cards go whose gate fails; new ones come only at what the policy names."""
        if basket.state not in ("open", "waiting") or basket.training or basket.subject is None:
            basket.cards.clear()
            return
        for action in sorted(OFFERS):
            if self.had(action, basket) or not self.allowed(action, basket):
                basket.cards.pop(action, None)
            elif action in basket.cards:
                continue
            elif trigger:
                basket.cards[action] = Card(action, self.now)

    def judge(self, basket):
        """What was promised in a sale that is closed, as far as its goods are there, and what was taken off."""
        for token in basket.taken:
            theirs = basket.subject is not None and self.person(token.subject) == self.person(basket.subject)
            if basket.state != "closed" or basket.training or not theirs or token.spent or (token.state == "withdrawn" and not token.denied and not token.unanswered):
                continue
            offer = OFFERS[token.action]
            goods = [max(v["amount"], 0) for v in basket.goods(SENSITIVE, NO_PROMOTION) if v["category"] == offer["category"]]
            could = sum((a * offer["depth"] + 50) // 100 for a in goods) if offer["type"] == "percent" else sum(goods)
            due, off = min(token.worth, could), 0 if token.denied else token.off()
            if due == 0 and off == 0:
                continue
            self.promises["made"] += 1
            if off < due:
                self.promises["less"] += 1
                self.promises["less_minor"] += due - off
            elif off > token.worth:
                self.promises["more"] += 1
                self.promises["more_minor"] += off - token.worth

    def pass_time(self, now):
        self.now = now
        for basket in [b for b in self.baskets if b.only_card and now - b.heard >= CARD_WAITS]:
            self.leave(basket)
        for basket in self.baskets:
            for action in [a for a, card in basket.cards.items() if card.until <= now]:
                del basket.cards[action]
        for token in self.all_tokens():
            if token.state in ("asked", "lapsed") and not token.applied and token.accepted_at + SILENCE <= now:
                token.state = "silent"
        for basket in self.baskets:
            if basket.judged_at is not None and basket.judged_at <= now:
                basket.judged_at = None
                self.judge(basket)

    # ---- what happens ----

    def take(self, sender, event, now):
        """An event as it came; says whether it is one that was there before or is not its sender's."""
        self.pass_time(now)
        key = (sender, event["source"], event["id"])
        if self.seen.get(key):
            return
        self.order += 1
        kind = event["type"][len("aisle."):].replace(".", "_").replace("-", "_")
        taken = getattr(self, kind)(sender.split("/")[-1], event["data"], event["ms"])
        self.seen[key] = taken is not False  # what was refused may come again

    def basket_opened(self, terminal, data, time):
        kept = self.of_number(terminal, data["basket"])
        ended = kept and kept[-1].state in ("closed", "cancelled") and (time > kept[-1].closed_at or (time == kept[-1].closed_at and kept[-1].opened))
        if data.get("from") is not None:
            self.move(data["from"], terminal, data["basket"])
        elif not kept or ended:
            after = self.begin(terminal, data["basket"], time)
            if ended:
                self.was_next(kept[-1], after)
        # A recall of what nobody has suspended begins a basket, too.
        basket = self.find(terminal, data["basket"], time) or self.begin(terminal, data["basket"], time)
        known = basket.opened and data.get("from") is None
        basket.began, basket.only_card, basket.opened = min(basket.began, time), False, True
        if time not in basket.opens and (data.get("from") is None or not basket.opens):
            basket.opens = sorted(basket.opens + [time])
            basket.opens_heard[time] = self.now
            if basket.state == "paying" and len(basket.opens) > 1:
                basket.state = "open"  # somebody else stands there, or the till began anew
        if data.get("training") and not basket.training:
            basket.training = True
            self.no_sale(basket)
        if not known:
            self.gate_again(basket, False)

    def basket_item_added(self, terminal, data, time):
        basket = self.find_or_begin(terminal, data["basket"], time)
        if basket.state == "cancelled" or (basket.state == "closed" and time > basket.closed_at + LATE_LINES):
            return
        version, before = dict(data, item=data["sku"]), basket.lines()
        basket.versions.setdefault(data["line"], []).append((time, self.order, version))
        self.arrived[self.order] = self.now
        if basket.state == "paying":
            basket.state = "open"  # the customer has added something
        if basket.state == "closed":
            self.returns_again()
        # A line may come back when a void by article takes this one in its place.
        now = basket.lines()
        if now.get(data["line"]) is version or now != before:
            self.gate_again(basket, self.now - time <= STALE)

    def basket_item_voided(self, terminal, data, time):
        basket = self.find_or_begin(terminal, data["basket"], time)
        if basket.state == "cancelled" or (basket.state == "closed" and time > basket.closed_at + LATE_LINES):
            return
        before = basket.lines()
        if "except" in data:
            basket.rests.append((time, self.order, data["except"]))
        elif "sku" in data:
            basket.articles.append((time, self.order, data["sku"], data.get("qty")))
        else:
            basket.voids.setdefault(data["line"], []).append((time, self.order))
        if basket.lines() != before:
            self.gate_again(basket, False)

    def basket_suspended(self, terminal, data, time):
        basket = self.find_or_begin(terminal, data["basket"], time)
        if basket.state == "open":
            basket.state, basket.parked = "suspended", time
        self.gate_again(basket, False)

    def basket_resumed(self, terminal, data, time):
        others = [b for b in self.baskets if b.number == data["basket"] and b.state == "suspended"]
        if others and all(b.terminal != terminal for b in others):
            self.move(others[0].terminal, terminal, data["basket"])
        basket = self.find_or_begin(terminal, data["basket"], time)
        if basket.state == "suspended":
            basket.state = "open"
        self.gate_again(basket, False)

    def move(self, here, there, number):
        basket = next((b for b in reversed(self.of_number(here, number)) if b.state == "suspended"), None)
        if basket is not None:
            basket.stay = (here, max(basket.began, basket.came), basket.parked)
            basket.terminal, basket.state, basket.came = there, "open", self.now

    def basket_tender_started(self, terminal, data, time):
        basket = self.find_or_begin(terminal, data["basket"], time)
        if basket.state == "open":
            basket.state = "paying"
        self.gate_again(basket, False)

    def basket_closed(self, terminal, data, time):
        basket = self.find_or_begin(terminal, data["basket"], time)
        rest = self.part(basket, time)
        if basket.state in ("closed", "cancelled"):
            return
        self.read_after(basket, time)
        basket.state, basket.closed_at, basket.sold, basket.paid = "closed", time, not basket.training, True
        if rest is not None and rest.state == "cancelled" and not basket.training:
            self.was_sale(basket)
        if rest is None or not rest.paid:
            basket.judged_at = self.now + LATE_LINES
        self.gate_again(basket, False)
        self.part_shown(rest)
        for token in basket.taken:
            if token.state in ("asked", "applied"):
                token.state = "lapsed"
        self.returns_again()

    def basket_cancelled(self, terminal, data, time):
        basket = self.find_or_begin(terminal, data["basket"], time)
        rest = self.part(basket, time)
        if basket.state == "cancelled":
            return
        if basket.closed_at is None:
            self.read_after(basket, time)
            basket.closed_at = time
        basket.state = "cancelled"
        self.gate_again(basket, False)
        self.no_sale(basket)
        self.part_shown(rest)

    def read_after(self, basket, end):
        """A card that was read after a late end is the customer's only of a stranger's basket."""
        in_time = [read for read in basket.reads if read[0] <= end]
        if in_time and in_time != basket.reads:
            was, basket.reads, basket.subject = basket.subject, in_time, self.person(max(in_time)[2])
            if was is not None and self.person(was) != basket.subject:
                self.replace(basket)

    def part(self, basket, end):
        """A late end: what happened since the number was opened again after it is a basket of its own."""
        began = next((t for t in basket.opens[1:] if t > end), None)
        if began is None:
            return None
        rest = Basket(basket.terminal, basket.number, began)
        self.baskets.append(rest)
        self.part_lines(basket, rest, began)
        rest.paid, basket.paid = basket.paid, False
        rest.opened, rest.opens, basket.opens = True, [t for t in basket.opens if t >= began], [t for t in basket.opens if t < began]
        rest.state, rest.closed_at, rest.sold, rest.judged_at = basket.state, basket.closed_at, rest.paid, basket.judged_at
        basket.state, basket.closed_at, basket.sold, basket.judged_at = "open", None, False, basket.judged_at
        # What was shown since something of it was heard of is its own.
        rest.opens_heard = {t: basket.opens_heard[t] for t in rest.opens}
        since = min([rest.opens_heard[began]] + [self.arrived[max(v[:2] for v in all_of)[1]] for all_of in rest.versions.values()])
        rest.cards = {action: card for action, card in basket.cards.items() if card.at >= since}
        basket.cards = {action: card for action, card in basket.cards.items() if card.at < since}
        rest.taken, basket.taken = [t for t in basket.taken if t.shown_at >= since], [t for t in basket.taken if t.shown_at < since]
        for token in rest.taken:
            token.basket = rest
        was = basket.subject
        rest.reads, basket.reads = [r for r in basket.reads if r[0] >= began], [r for r in basket.reads if r[0] < began]
        for part in (basket, rest):
            part.subject = self.person(max(part.reads)[2]) if part.reads else None
            if was is not None and part.subject != self.person(was):
                self.replace(part)
        return rest

    @staticmethod
    def part_lines(basket, rest, began):
        for name in ("versions", "voids"):
            both = getattr(basket, name)
            setattr(rest, name, {line: since for line, all_of in both.items() if (since := [v for v in all_of if v[0] >= began])})
            setattr(basket, name, {line: before for line, all_of in both.items() if (before := [v for v in all_of if v[0] < began])})
        for name in ("rests", "articles"):
            both = getattr(basket, name)
            setattr(rest, name, [v for v in both if v[0] >= began])
            setattr(basket, name, [v for v in both if v[0] < began])

    def was_next(self, former, basket):
        """What came before the `opened` that gave its number again looked like late lines of the former."""
        # Of one time with the close it was said before that.
        self.part_lines(former, basket, basket.began + (basket.began == former.closed_at))
        self.returns_again()

    def part_shown(self, rest):
        if rest is not None:
            self.gate_again(rest, False)
            self.returns_again()

    def no_sale(self, basket):
        for token in basket.taken:
            if token.state != "cancelled":
                token.before = token.state, token.reversed
            token.state = "cancelled"
            token.reversed, token.returned = token.redeemed, 0

    @staticmethod
    def was_sale(basket):
        """The cancellation was of the next one: what was paid with stands, what was not was taken out."""
        for token in basket.taken:
            if token.state == "cancelled":
                state, token.reversed = token.before
                token.state = "withdrawn" if state in ("asked", "applied", "lapsed") else state

    def customer_identified(self, sender, data, time):
        subject = self.person(subject_of(data["card"]))
        if data.get("basket") is not None:
            before = self.waiting(data["station"])
            if before is not None and self.person(before.subject) != subject and self.find(sender, data["basket"], time) is None:
                self.leave(before)
            basket = self.find(sender, data["basket"], time)
            if basket is None:
                basket = self.begin(sender, data["basket"], time)
                basket.only_card = True
        elif time < self.now:
            basket = self.live_at(data["station"], time)
        else:
            basket = self.live(data["station"])
            if basket is not None and basket.state == "paying" and basket.subject is not None:
                basket = None
        if basket is None:
            basket = self.wait(data["station"], subject, time)
        ended = basket.state in ("closed", "cancelled")
        if basket.state == "cancelled" or (ended and time > basket.closed_at and basket.subject is not None):
            return
        if basket.reads and basket.subject is not None and time < max(basket.reads)[0]:
            basket.reads.append((time, self.order, subject))
            return  # it gave way before it was heard of
        if ended and basket.subject is not None and self.person(basket.subject) == subject:
            return
        if basket.subject is not None and self.person(basket.subject) != subject:
            used = any(t.state in ("applied", "redeemed") and (t.net() or not t.used) for t in basket.taken)
            self.replace(basket, fresh=basket.only_card and data.get("basket") is not None and not used)
        basket.heard = self.now
        basket.subject = subject
        basket.reads.append((time, self.order, subject))
        if ended:
            self.returns_again()
        self.gate_again(basket, self.now - time <= STALE)

    def replace(self, basket, fresh=False):
        """Another customer stands there: what the one before was shown, or promised, is withdrawn."""
        basket.cards.clear()
        for token in basket.taken:
            if not token.used:
                token.unanswered, token.state = token.unanswered or token.state == "silent", "withdrawn"
        if fresh:
            basket.taken = []

    def customer_merged(self, sender, data, time):
        old, new = self.person(subject_of(data["card"])), self.person(subject_of(data["into"]))
        if old != new:
            self.merged[old] = new
            if old in self.points:
                self.points[new] = max(self.points.get(new, (0, 0, 0)), self.points[old], key=lambda p: (p[0], p[2]))
            for basket in self.baskets:
                if basket.subject == old:
                    basket.subject = new
            self.returns_again()

    def loyalty_balance(self, sender, data, time):
        subject = self.person(subject_of(data["card"]))
        self.points[subject] = max(self.points.get(subject, (0, 0, 0)), (time, self.order, data["points"]))

    # ---- the customer's answer, the till's ----

    def accept(self, station, action, token):
        """Asked again when it is taken. The status, and what the command must say the offer is worth."""
        basket = next((b for b in self.baskets if b.terminal == station and action in b.cards), None)
        if basket is None:
            return 410, None
        shown_at = basket.cards.pop(action).at
        if not self.allowed(action, basket, taking=True):
            return 409, None
        worth = self.worth(action, basket)
        self.tokens[token] = Token(action, basket, worth, self.now, shown_at)
        self.taken.append(self.tokens[token])
        basket.taken.append(self.tokens[token])
        self.gate_again(basket, False)
        return 200, worth

    def token_of(self, terminal, data, close):
        """Only of this till's own basket that is open or was just closed."""
        token = self.tokens.get(data["token"])
        if token is None or token.basket is not self.find(terminal, data["basket"], close):
            return None
        ended = token.basket.closed_at
        if token.basket.training:
            return None
        return None if ended is not None and close > ended + LATE_LINES else token

    def offer_applied(self, terminal, data, time):
        token = self.token_of(terminal, data, time)
        if token is None or data["amount"] < 0:
            return False
        most = OFFERS[token.action]["most"]
        if token.state in ("asked", "silent", "lapsed"):
            token.promised = most if token.state == "asked" else min(data["amount"], most)
            token.state = "applied"
        if token.state == "applied":
            token.applied, token.denied = min(data["amount"], most), False
        return True

    def offer_refused(self, terminal, data, time):
        token = self.token_of(terminal, data, time)
        if token is None or token.state not in ("asked", "silent", "applied", "lapsed"):
            return False
        token.state, token.denied = "refused", True
        return True

    def offer_redeemed(self, terminal, data, time):
        token = self.token_of(terminal, data, time)
        if token is None or data["amount"] < 0 or token.used or token.state in ("refused", "cancelled"):
            return False
        token.said = data["amount"]
        token.redeemed, token.used, token.state = min(data["amount"], OFFERS[token.action]["most"]), True, "redeemed"
        token.denied = False
        return True

    def offer_reversed(self, terminal, data, time):
        """From any till; names the basket that redeemed; never more than was redeemed."""
        token = self.tokens.get(data["token"])
        if token is None or token.basket.number != data["basket"] or not token.used or data["amount"] < 0:
            return False
        if token.state == "cancelled":
            return True
        before = token.net()
        if data["amount"] == token.said and token.reversed == 0:
            token.reversed = token.redeemed
        elif data["amount"] <= token.net():
            token.reversed += data["amount"]
        else:
            return False
        token.returned = max(token.returned - (before - token.net()), 0)
        if token.net() == 0 and data["amount"] > 0:
            token.denied, token.spent = True, token.basket.closed_at is not None
        return True

    # ---- goods that come back ----

    def return_completed(self, terminal, data, time):
        if data["return"] in self.returns:
            return
        items = [dict(item, each=item["amount"] // item["qty"]) for item in data["items"]]
        self.returns[data["return"]] = (time, dict(data, items=items))
        self.returns_again()

    def returns_again(self):
        for number, waits in list(self.returns.items()):
            if waits is None:
                continue
            time, data = waits
            left = [dict(item, qty=qty) for item in data["items"] if (qty := self.take_back(time, data, item)) > 0]
            self.returns[number] = (time, dict(data, items=left)) if left else None

    def take_back(self, time, data, item):
        """Out of the one sale of the number that is named, or of the card's newest that have it; how many wait."""
        sold = [b for b in self.baskets if b.is_sale() and b.closed_at <= time]
        if data.get("basket") is not None:
            sold = [b for b in sold if b.number == data["basket"] and data.get("terminal", b.terminal) == b.terminal]
        else:
            sold = [b for b in sold if b.subject is not None and self.person(b.subject) == self.person(subject_of(data["card"]))]
        def there(basket):
            bought = sum(v["qty"] for v in basket.goods(SENSITIVE) if v["item"] == item["sku"])
            return bought - sum(q for i, q, _ in basket.back if i == item["sku"])
        left = item["qty"]
        sold.sort(key=lambda b: -b.closed_at)
        if data.get("basket") is not None:
            sold.sort(key=lambda b: there(b) < left)  # of several of that number the one that has the goods
            data["of"] = data.get("of") or next((b for b in sold if there(b) > 0), None)
            sold = [b for b in sold if b is data["of"]]
        for basket in sold:
            qty = min(left, there(basket))
            if qty > 0:
                before = {action: basket.of_offer(action) for action in OFFERS}
                basket.back.append((item["sku"], qty, qty * item["each"]))
                left -= qty
                for token in basket.taken:
                    self.lies_on(token, before[token.action], basket.of_offer(token.action))
        return left

    def lies_on(self, token, before, after):
        """Goods came back that an offer was redeemed for: what was saved on them, and, with the last of them, the use itself."""
        if not token.used or token.net() == 0 or after >= before:
            return
        saved = token.net() - token.returned
        back = saved if after <= 0 else (2 * saved * (before - after) + before) // (2 * before)
        token.returned += back
        self.came_back += back
        token.gone = after <= 0

    def missing(self, number):
        """Of a return, what its goods cost whose sale is not known."""
        waits = self.returns[number]
        return sum(i["each"] * i["qty"] for i in waits[1]["items"] if i["category"] not in (SENSITIVE, NO_PROMOTION)) if waits else 0

    def sales(self):
        """Of each basket that was paid: its number, its customer, its figures."""
        return [(b.number, b.subject and self.person(b.subject), *b.figures()) for b in self.baskets if b.sold]
