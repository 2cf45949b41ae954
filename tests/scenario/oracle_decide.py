# SPDX-License-Identifier: Apache-2.0
"""One decision, step by step as the page "Deciding" has it. See oracle.py."""
import math

from oracle import (DAY, FATES, LANES, PLACES, QUIET_PLACES, WITHHELD_KINDS, ZERO, Unknown, calibrated, chance, day_start,
                    duration, hold_of, linear_margin, local, logic, millis, sigmoid, text_of, truthy, under, worth)


class Features:
    """The declared features, computed when they are read."""

    def __init__(self, run):
        self.run, self.values = run, {}
        self.declared = {f["name"]: f for f in run.store.base["features"]}
        self.models = {m["model"]: m for m in run.store.base.get("models", [])}

    def get(self, name, about=None):
        feature = self.declared.get(name)
        if feature is None:
            return None
        source = feature["from"]
        if source.startswith("action.") or "action=self" in source:
            value = self.source(source, about)
            return feature.get("default") if value is None else value
        if name not in self.values:
            value = self.source(source, about)
            kind = {"number": (int, float), "string": str, "bool": bool}[feature["type"]]
            if not isinstance(value, kind) or (isinstance(value, bool) and feature["type"] != "bool"):
                value = feature.get("default")
            self.values[name] = value
        return self.values[name]

    def model(self, name, about=None):
        model = self.models[name]
        names = {v: k for k, v in model.get("inputs", {}).items()}
        back = {v: k for k, v in names.items()}
        margin = linear_margin(model["linear"], lambda n: self.get(back.get(n, n), about))
        if "calibration" in model:
            return calibrated(model["calibration"], margin)
        return sigmoid(margin) if model["linear"].get("link") == "logit" else margin

    def source(self, text, about):
        head, _, rest = text.partition(".")
        run = self.run
        if head in ("profile", "local", "history"):
            if run.known is None:
                return None
            if head == "profile":
                known = {"language": run.known.language, **run.known.attributes, **{k: v for k, (_, v) in run.known.balance.items()}}
                return known.get(rest)
        if head == "model":
            return self.model(rest, about)
        if head == "event":
            return run.event["data"].get(rest)
        fn, _, args = rest.rstrip(")").partition("(")
        args = dict(part.strip().partition("=")[::2] for part in args.split(",") if part.strip())
        return getattr(self, "of_" + head)(fn, args, about)

    def of_local(self, fn, args, about):
        now = self.run.now
        within = duration(args["within"]) if "within" in args else None
        if fn == "incidents":
            return sum(1 for at, kind in self.run.known.incidents
                       if args.get("kind", kind) == kind and (within is None or at > now - within))
        half = duration(args["half_life"]) if "half_life" in args else None
        rows = []
        for basket in self.run.known.baskets():
            lines = [x for x in basket["lines"] if key_matches(x, args)]
            if (lines or not key_of(args)) and (within is None or basket["at"] > now - within):
                weight = 2 ** -((now - basket["at"]) / half) if half else 1.0
                rows.append((basket["at"], weight, lines, basket["total"]))
        return tally(fn, rows, now)

    def of_basket(self, fn, args, about):
        visit = self.run.visit
        lines = [x for x in visit.live() if key_matches(x, args)]
        total = visit.total if visit.state == "closed" else sum(x["amount"] for x in visit.live())
        rows = [(max(x["at"] for x in lines), 1.0, lines, total)] if lines else []
        return tally(fn, rows, self.run.now)

    def of_history(self, fn, args, about):
        now = self.run.now
        within = duration(args["within"]) if "within" in args else None
        scope = next(k for k in ("action", "group", "issue", "all") if k in args)
        value = args[scope]
        if value == "self":
            if about is None:
                return None
            value = about["action"]["action"]
        rows = [(r["at"], 1.0, [None], 0) for r in self.run.known.contacts
                if counts(r, args["outcome"], self.run.known.contacts) and (scope == "all" or r[scope] == value)
                and (within is None or r["at"] > now - within)]
        return tally(fn, rows, now)

    def of_visit(self, fn, args, about):
        v = self.run.visit
        return {"known": self.run.known is not None, "age_s": (self.run.now - v.opened) / 1000, "voids": v.voids,
                "declines": v.declines, "returns": v.returns, "waiting": v.state == "waiting", "card": v.subject is not None,
                "prompts": sum(1 for c in v.cards if not c["withheld"])}[fn]

    def of_store(self, fn, args, about):
        return self.run.store.store if fn == "id" else self.run.store.queues.get(self.run.visit.station)

    def of_time(self, fn, args, about):
        here = local(self.run.store.zone, self.run.now)
        if fn == "days_to":
            (date, _), = args.items()
            return (millis(date + "T00:00:00Z") // DAY) - (millis(here.strftime("%Y-%m-%dT00:00:00Z")) // DAY)
        return {"hour": here.hour, "weekday": here.isoweekday(), "minute": here.minute,
                "day_of_year": here.timetuple().tm_yday}[fn]

    def of_action(self, fn, args, about):
        if about is None or fn in ("depth", "worth") and "offer" not in about["action"]:
            return None
        return {"depth": about["depth"], "worth": about["worth"], "margin": about["margin"],
                "group": about["action"]["group"], "issue": about["action"]["issue"]}[fn]


def key_of(args):
    return next((k for k in ("category", "brand", "item") if k in args), None)


def key_matches(line, args):
    key = key_of(args)
    if key == "category":
        return under(line["category"], args["category"])
    return key is None or line[key] == args[key]


def tally(fn, rows, now):
    if fn in ("sum", "qty", "count", "lines", "visits", "total"):
        part = {"sum": lambda x, t: sum(y["amount"] for y in x), "qty": lambda x, t: sum(y["qty_milli"] for y in x) / 1000,
                "count": lambda x, t: len(x), "lines": lambda x, t: len(x), "visits": lambda x, t: 1,
                "total": lambda x, t: t}[fn]
        value = 0.0
        for _, weight, lines, total in rows:
            value += weight * part(lines, total)
        return value
    if fn == "has":
        return bool(rows)
    if not rows:
        return None
    recency = (now - rows[-1][0]) / DAY
    if fn == "recency":
        return recency
    if len(rows) < 2:
        return None
    gap = (rows[-1][0] - rows[0][0]) / (len(rows) - 1) / DAY
    return gap if fn == "gap" else recency / gap if gap else None


def counts(row, outcome, rows):
    """Is this row one of that outcome? A sent card counts as shown until the tablet says it was not."""
    name, _, reason = outcome.partition(":")
    if name == "shown":
        if row["outcome"] == "shown":
            return row["decision"] == ZERO
        return row["outcome"] == "decided" and not any(r["prompt"] == row["prompt"] and r["outcome"] == "not-shown"
                                                       for r in rows)
    if name == "bought" and any(r["prompt"] == row["prompt"] and r["outcome"] == "returned" for r in rows):
        return False
    if name in USES and row["outcome"] == name:
        return standing(row, rows)
    return row["outcome"] == name and (not reason or row["reason"] == reason)


USES = ("accepted", "applied", "redeemed")


def after(row, rows):
    mine = [r for r in rows if r["prompt"] == row["prompt"]]
    return mine[[r is row for r in mine].index(True) + 1:]


def standing(row, rows):
    """A use that was taken back was no use, and a word said twice is one use."""
    last = None
    for later in after(row, rows):
        if later.get("back"):
            last = "back"
        elif later["outcome"] in ("applied", "redeemed"):
            last = later["outcome"]
            if row["outcome"] == last:
                return False
        if last == "back" and row["outcome"] == "redeemed":
            return False
    return last != "back"


def usable(row, outcome, rows):
    """Accepted, and its token may still be applied or redeemed."""
    return (row["outcome"] == "accepted" and outcome in ("applied", "redeemed") and standing(row, rows)
            and not any(r["outcome"] == "unused" or r["outcome"] == outcome and standing(r, rows) for r in after(row, rows)))


class Candidate:
    def __init__(self, action, own):
        self.action, self.id, self.own = action, action["action"], own
        self.fate, self.options, self.score, self.chosen = None, [], None, False
        self.passed, self.trial = False, None


class Run:
    def __init__(self, store, visit, event):
        self.store, self.visit, self.event, self.now = store, visit, event, store.now
        self.known = store.known(visit)
        self.subject = store.subject(visit.subject) if visit.subject else None
        self.arm_names, self.arm_withholds = store.arms(visit)
        source = store.policy_for(self.arm_names)
        self.policy, self.actions, self.contact = source["policy"], source["actions"], source.get("contact") or {}
        self.shrinks = store.base.get("shrink") or {}
        share = self.policy.get("control", {}).get("share", 0)
        self.control = bool(visit.subject) and chance(self.policy["salts"]["control"], "control", visit.subject) < share
        self.withheld = "control" if self.control else "arm" if self.arm_withholds else None
        self.features = Features(self)
        self.rows = self.subject.contacts if self.subject else visit.contacts
        self.total = sum(x["amount"] for x in visit.live())
        self.decision, self.winners, self.slots = store.make("decision"), [], []
        causes = self.quiet()
        self.cause = causes[0] if causes else None
        self.hushed = set().union(*(QUIET_PLACES[cause] for cause in causes))
        self.taking = False

    def quiet(self):
        quiet = self.policy.get("quiet", {})
        paying = quiet.get("tender", True) and self.visit.state == "tender"
        queue = self.store.queues.get(self.visit.station)
        waiting = "queue_over" in quiet and queue is not None and queue > quiet["queue_over"]
        return ["quiet-tender"] * paying + ["quiet-queue"] * waiting

    # ---- reading ----

    def rule(self, rule, about=None):
        """True, False, or None for unknown."""
        try:
            return truthy(logic(rule, lambda n: self.features.get(n, about)))
        except Unknown:
            return None

    def number(self, expr, about=None):
        if isinstance(expr, dict) and list(expr) == ["model"]:
            return self.features.model(expr["model"], about)
        try:
            value = logic(expr, lambda n: self.features.get(n, about))
        except Unknown:
            return None
        return value if isinstance(value, (int, float)) and math.isfinite(value) else None

    # ---- gates ----

    def gate(self, c, place):
        a = c.action
        if self.validity(a):
            return "validity"
        if a.get("personal", True) and self.known is None:
            return "consent"
        if place == "later" and not (self.subject and self.subject.may("contact", self.now)):
            return "consent"
        if self.care(a):
            return "care"
        if not c.options:
            self.options(c)
        fate = self.rules(c)
        if fate:
            return fate
        for option in c.options:
            option["fits"] = bool(self.treatments(c, place, option))
        if not any(o["fits"] for o in c.options):
            return "no-treatment"
        if self.answered(a) or (not a.get("mandatory") and self.contacted(c, place)):
            return "contact"
        for option in c.options:
            option["fits"] = option["fits"] and self.budget(c, option)
        if not any(o["fits"] for o in c.options):
            return "budget"
        if self.stacked(a):
            return "stacking"
        if place not in LANES[self.visit.state] or (place in self.hushed and not a.get("mandatory")):
            return "lane"
        return None

    def ends(self, a):
        """When a card of it expires: after its time, or with the action's own."""
        end, minute = self.now + duration(a["expires"]), self.now // 60000 * 60000 + 60000
        if "until" in a.get("valid", {}):
            end = min(end, millis(a["valid"]["until"]))
        return next((t for t in range(minute, end, 60000) if self.validity(a, t)), end)

    def validity(self, a, now=None):
        now = now or self.now
        valid, here = a.get("valid", {}), local(self.store.zone, now)
        if "from" in valid and now < millis(valid["from"]) or "until" in valid and now >= millis(valid["until"]):
            return True
        if "days" in valid and ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][here.weekday()] not in valid["days"]:
            return True
        if "hours" not in valid:
            return False
        first, last = valid["hours"]
        minute = here.strftime("%H:%M")
        return not (first <= minute < last if first <= last else minute >= first or minute < last)

    def care(self, a):
        care = self.policy.get("care", {})
        if a.get("mandatory") or a["kind"] in care.get("only", ["service", "retain"]):
            return False
        if "severity" in care and self.subject and any(o and s >= care["severity"] for s, o in self.subject.cases.values()):
            return True
        likely = self.known.attributes.get("likely_to_call") if self.known else None
        return "likely_to_call" in care and likely is not None and likely > care["likely_to_call"]

    def options(self, c):
        offer = c.action.get("offer")
        if not offer:
            c.options = [{"depth": 0, "worth": 0, "hold": 0, "fits": True}]
            return
        depths = offer.get("ladder") or [offer["depth"]]
        reached = [t for t in offer.get("tiers", []) if t["from"] <= self.total]
        if c.own and len(depths) > 1:
            depths = [c.own["depth"]]
        elif reached:
            depths = [max(reached, key=lambda t: t["from"])["depth"]]
        for depth in depths:
            saved, now = worth(offer, depth, self.visit.live(), self.takings())
            c.options.append({"depth": depth, "worth": saved, "hold": hold_of(offer, depth, saved), "fits": True,
                              "least": offer.get("min_worth", 1) if now else 1})

    def takings(self):
        """What the accepted offers of this basket will take off it."""
        offers = [(self.actions[k["action"]].get("offer"), k) for k in self.visit.cards
                  if kept(k) and k["depth"] and k["token"]]
        return [(o, k["worth"]) for o, k in offers if o["type"] != "points" and k["worth"] > 0]

    def about(self, c, option):
        about = {"action": c.action, "depth": option["depth"], "worth": option["worth"], "margin": 0}
        if not c.action.get("mandatory"):
            margin = self.number(c.action["margin"], about)
            about["margin"] = 0 if margin is None else margin
        return about

    def rules(self, c):
        about = self.about(c, c.options[0])
        for member, fate in (("eligible", "eligibility"), ("applicable", "applicability"), ("suitable", "suitability")):
            if member == "applicable" and self.total < c.action.get("offer", {}).get("min_basket", 0):
                return "applicability"
            result = self.rule(c.action.get(member, True), about)
            if result is not True:
                return "missing" if result is None else fate
        return None

    def languages(self):
        first = self.policy["languages"][0]
        return [self.visit.language, first] if self.known and self.visit.language else [first]

    def treatments(self, c, place, option):
        about = self.about(c, option)
        for language in self.languages():
            fit = [t for t in c.action["treatments"] if (language == t["language"] or language.startswith(t["language"] + "-"))
                   and self.fits(t, place, about)]
            if fit:
                return fit
        return []

    def fits(self, t, place, about):
        limits = self.policy["placements"][place]
        for member in ("headline", "say", "body"):
            text = self.words(t.get(member) or "", about)
            if text is None or len(text) > limits.get(member + "_max", 10 ** 9):
                return False
        return all(self.words(w, about) is not None for w in t.get("why", []))

    def words(self, text, about):
        out, rest = "", text
        while "{{" in rest:
            before, rest = rest.split("{{", 1)
            inside, rest = rest.split("}}", 1)
            name, *filters = inside.split("|")
            value = about[name] if name in ("depth", "worth") else self.features.get(name, about)
            if value is None:
                default = next((f[8:] for f in filters if f.startswith("default:")), None)
                if default is None:
                    return None
                value = default
            elif "round" in filters:
                value = math.floor(abs(value) + 0.5)
            elif "money" in filters:
                value = f"€{math.floor(value + 0.5) / 100:.2f}"
            elif isinstance(value, float):
                value = f"{value:.2f}".rstrip("0").rstrip(".")
            out += before + str(value)
        return out + rest

    def answered(self, a):
        for card in self.visit.cards:
            if card["action"] == a["action"] and card["answer"]:
                if card["answer"] == "snooze" and self.now >= card["snooze"]:
                    continue
                return True
        return False

    def snoozed(self, a):
        """The prompt of the newest card of this action, if it was to come back by now."""
        mine = [c for c in self.visit.cards if c["action"] == a["action"]]
        over = mine and mine[-1]["answer"] == "snooze" and self.now >= mine[-1]["snooze"]
        return mine[-1]["prompt"] if over else None

    # ---- contact policy ----

    def contacted(self, c, place):
        for cap in c.action.get("caps", []):
            if self.capped(c, place, cap, "action"):
                return True
        for cap in self.contact.get("caps", []):
            if self.capped(c, place, cap, "all"):
                return True
        return any(self.suppressed(c, place, s) for s in self.contact.get("suppress", []))

    def in_scope(self, c, place, scope, row):
        scope, _, value = scope.partition(":")
        if scope == "all":
            return True
        if scope == "placement":
            return row["placement"] == (value or place)
        return row[scope] == (value or (c.id if scope == "action" else c.action[scope]))

    def pending(self):
        """Cards that this decision has chosen, as rows of this instant."""
        return [{"prompt": None, "decision": None, "outcome": "decided", "at": self.now, "reason": None, "placement": p,
                 "action": w.id, "group": w.action["group"], "issue": w.action["issue"]}
                for w, p in self.winners if not w.own]

    def scoped(self, c, place, scope, outcome):
        own = c.own["prompt"] if c.own else self.snoozed(c.action)
        rows = self.rows + self.pending()
        return [r["at"] for r in rows if not (own and r["prompt"] == own)
                and (counts(r, outcome, self.rows) or self.taking and usable(r, outcome, self.rows))
                and self.in_scope(c, place, scope, r)]

    def limited(self, card):
        """Asked when a person takes it: is a limit on what is taken reached?"""
        action = self.actions[card["action"]]
        if action.get("mandatory"):
            return False
        self.taking, c = True, Candidate(action, card)
        caps = [(cap, "action") for cap in action.get("caps", [])] + [(cap, "all") for cap in self.contact.get("caps", [])]
        return (any(self.capped(c, card["placement"], cap, scope) for cap, scope in caps if cap["outcome"] in USES)
                or any(self.suppressed(c, card["placement"], s) for s in self.contact.get("suppress", [])
                       if s["after"]["outcome"] in USES))

    def capped(self, c, place, cap, scope):
        if cap.get("per", "customer") != "customer":
            scope = cap["per"]
        scope = cap.get("scope", scope)
        if cap.get("clock") == "business-day":
            start = day_start(self.store.zone, self.now, self.store.cut, duration(cap["within"]) // DAY - 1)
        elif cap.get("clock") == "own-gap":
            baskets = self.known.baskets() if self.known else []
            span = baskets[-1]["at"] - baskets[0]["at"] if len(baskets) > 1 else None
            start = -1 if span is None else self.now - int(cap["gaps"] * span / (len(baskets) - 1)) + 1
        else:
            start = self.now - duration(cap["within"]) + 1
        return sum(1 for at in self.scoped(c, place, scope, cap["outcome"]) if at >= start) >= cap["max"]

    def suppressed(self, c, place, rule):
        after = rule["after"]
        times = self.scoped(c, place, rule["scope"], after["outcome"])
        for end in times:
            if end > self.now - duration(rule["for"]):
                if sum(1 for at in times if end - duration(after["within"]) < at <= end) >= after["count"]:
                    return True
        return False

    # ---- budget, stacking ----

    def budget(self, c, option):
        budget = c.action.get("budget")
        if not budget:
            return True
        start = day_start(self.store.zone, self.now, self.store.cut) if budget["per"] == "store-day" else -1
        held = [k["hold"] for v in self.store.visits for k in v.cards if k["action"] == c.id and k["hold"] is not None
                and not k["withheld"] and k["sent"] >= start and k is not c.own]
        return (sum(held) + option["hold"] <= budget.get("money", 10 ** 15)
                and len(held) + 1 <= budget.get("units", 10 ** 15))

    def stacked(self, a):
        stack = a.get("offer", {}).get("stack")
        if not stack:
            return False
        on_screen = [w.action for w, _ in self.winners] + [self.actions[k["action"]] for k in self.visit.cards if kept(k)]
        return any(o.get("offer", {}).get("stack") == stack for o in on_screen)

    # ---- score ----

    def chances(self, c, about):
        a = c.action
        if "uplift" in a:
            p1, p0 = (self.features.model(a["uplift"][k], about) for k in ("treated", "control"))
            if p1 is None or p0 is None:
                return None, None
            return self.shrunk(c.id, clip(p1), clip(p0))
        p1 = self.number(a["propensity"], about)
        return (None, None) if p1 is None else self.shrunk(c.id, clip(p1), (1 - a["incremental"]) * clip(p1))

    def shrunk(self, action, p1, p0):
        by = self.shrinks.get(action)
        if not by:
            return p1, p0
        l1, l0 = (math.log(p / (1 - p)) for p in (min(max(p, 1e-6), 1 - 1e-6) for p in (p1, p0)))
        middle = by["mid"] + by["a"] + by["beta"] * ((l1 + l0) / 2 - by["mid"])
        effect = by["d"] + by["delta"] + by["lambda"] * (l1 - l0 - by["d"])
        return 1 / (1 + math.exp(-(middle + effect / 2))), 1 / (1 + math.exp(-(middle - effect / 2)))

    def scored(self, c):
        """Fills c.score with the best depth's factors; the fate, or None."""
        c.score, fate = None, "not-worth-it"
        for option in (o for o in c.options if o["fits"]):
            about = self.about(c, option)
            margin = self.number(c.action["margin"], about)
            p1, p0 = self.chances(c, about)
            context, lever = (self.number(c.action.get(k, 1), about) for k in ("context", "lever"))
            if None in (margin, p1, context, lever):
                fate = "missing"
                continue
            for target, factor in self.policy.get("levers", {}).items():
                kind, _, value = target.partition(":")
                if c.action[kind] == value:
                    lever = lever * factor
            offer = c.action.get("offer", {})
            cost = (1 - offer.get("funded", 0)) * option["worth"]
            if option["worth"] < option.get("least", 0):
                continue
            if "margin_floor" in offer and margin - cost < offer["margin_floor"]:
                continue
            gain = p1 * (margin - cost) - p0 * margin
            if c.score is None or gain > c.score["gain"] or (gain == c.score["gain"] and option["depth"] < c.score["depth"]):
                c.score = {"depth": option["depth"], "p1": p1, "p0": p0, "margin": margin, "cost": cost, "gain": gain,
                           "context": context, "lever": lever, "priority": gain * context * lever, "option": option}
        return fate if c.score is None else "not-worth-it" if not c.score["gain"] > 0 else None

    # ---- slots ----

    def again(self, c, place):
        if not c.action.get("mandatory") and self.contacted(c, place):
            return "contact"
        return "stacking" if self.stacked(c.action) else None

    def shortlist(self, pool, place):
        explore = self.explore
        size = 8 if explore == "greedy" else explore.get("shortlist", 8)
        able = [c for c in pool if not c.chosen and (not self.winners or not self.again(c, place))]
        entries = [(c.id, c.score["priority"], c) for c in sorted(able, key=lambda c: (-c.score["priority"], c.id))[:size]]
        at = sum(1 for e in entries if e[1] > self.interrupt)
        entries.insert(at, ("nothing", self.interrupt, None))
        k, p = len(entries), []
        if self.greedy:
            p = [1.0] + [0.0] * (k - 1)
        elif "share" in explore:
            gamma = (k - 1) / self.cost_max
            others = [1 / (k + gamma * (entries[0][1] - e[1])) for e in entries[1:]]
            p = [1 - sum(others)] + others
        else:
            unit = explore.get("unit", 100)
            gamma = explore["gamma"] if "gamma" in explore else (k - 1) * unit / explore["cost_max"]
            others = [1 / (k + gamma * (entries[0][1] / unit - e[1] / unit)) for e in entries[1:]]
            p = [1 - sum(others)] + others
        return [(name, priority, q, c) for (name, priority, c), q in zip(entries, p)]

    def race(self, entries, place, slot):
        best = None
        for i, (name, _, p, _) in enumerate(entries):
            u = chance(self.policy["salts"]["explore"], "explore", self.visit.id, place, str(slot), name)
            time = math.inf if p <= 0 or u == 0 else -math.log(u) / p
            if best is None or time < best[0]:
                best = (time, i)
        return 0 if self.greedy else best[1]

    def seat(self, c, place, number, slot):
        c.chosen = True
        self.winners.append((c, place))
        option = c.score["option"] if c.score else c.options[0]
        fit = self.treatments(c, place, option)
        here = c.own if c.own and c.own["placement"] == place else None
        chosen = next((t for t in fit if here and t["treatment"] == here["treatment"]), None)
        if chosen is None:
            chosen = max(fit, key=lambda t: 0 if len(fit) == 1 else chance(
                self.policy["salts"]["explore"], "explore", self.visit.id, place, str(number), c.id, t["treatment"]))
        slot.update({"action": c.id, "treatment": chosen["treatment"], "treatment_p_log": 1 / len(fit), "card": here,
                     "depth": option["depth"], "candidate": c})

    def marginal(self, pool, place, first, name):
        """P(name takes the second slot), over who may have taken the first."""
        actual, total = self.winners.pop(), 0.0
        actual[0].chosen = False
        for other, _, p, c in first:
            if c is None or other == name or not p > 0:
                continue
            c.chosen = True
            self.winners.append((c, place))
            total += p * next((e[2] for e in self.shortlist(pool, place) if e[0] == name), 0)
            self.winners.pop()
            c.chosen = False
        self.winners.append(actual)
        actual[0].chosen = True
        return total

    def draw(self, pool, place, number, first):
        entries = self.shortlist(pool, place)
        winner = entries[self.race(entries, place, number)]
        slot = {"placement": place, "slot": number, "action": "nothing", "treatment": None, "p_log": winner[2], "card": None,
                "shortlist": [{"action": e[0], "priority": e[1], "p": e[2]} for e in entries], "depth": 0,
                "candidate": None}
        if first is not None:
            slot["p_marginal"] = self.marginal(pool, place, first, winner[0])
        for c in pool:
            if not c.chosen:
                c.trial = (self.again(c, place) if self.winners else None) or (
                    "not-drawn" if any(e[3] is c and e[2] > 0 for e in entries) else "outranked")
        if winner[3] is not None:
            self.seat(winner[3], place, number, slot)
        self.slots.append(slot)
        return entries, slot

    def place(self, place):
        rules, taken = self.policy["placements"].get(place), set()
        for card in self.visit.cards:
            if card["placement"] == place and kept(card):
                taken.add(card["slot"])
                self.slots.append({"placement": place, "slot": card["slot"], "action": card["action"], "card": card,
                                   "treatment": card["treatment"], "p_log": None, "kept": True, "shortlist": [],
                                   "depth": card["depth"], "candidate": None})
        able = [c for c in self.candidates if place in c.action["placements"] and not c.chosen]
        if not rules or not able:
            return
        pool = []
        for c in able:
            c.trial = self.gate(c, place)
            if c.trial is None and not c.action.get("mandatory"):
                c.trial = self.scored(c)
                if c.trial is None:
                    pool.append(c)
        due = [c for c in able if c.action.get("mandatory") and c.trial is None]
        for c in due[:rules["slots"]]:
            number = min(set(range(1, 99)) - taken)
            taken.add(number)
            slot = {"placement": place, "slot": number, "p_log": 1.0, "shortlist": [], "card": None}
            self.seat(c, place, number, slot)
            self.slots.append(slot)
        self.fill(pool, place, rules["slots"], taken)
        for c in able:
            if not c.chosen and (c.fate is None or FATES.index(c.trial or "outranked") > FATES.index(c.fate)):
                c.fate = c.trial or "outranked"

    def fill(self, pool, place, slots, taken):
        first, drawn = None, 0
        if place in self.hushed:
            return
        for number in range(1, slots + 1):
            if number in taken:
                continue
            entries, slot = self.draw(pool, place, number, first if drawn == 1 else None)
            first, drawn = entries, drawn + 1
            if slot["candidate"] is None:
                break

    def decide(self, back=None):
        # Here, while the world is as the decision finds it: what the record may say of any feature.
        self.all_features = {f["name"]: self.features.get(f["name"]) for f in self.store.base["features"]}
        own = {k["action"]: k for k in self.visit.cards if k["state"] == "open" and self.now < k["expires"]}
        self.candidates = [Candidate(a, own.get(name)) for name, a in sorted(self.actions.items())
                           if name in own or (name == back if back else self.event["type"] in a["on"])]
        self.interrupt = 3.0
        interrupt = self.number(self.policy.get("interrupt", 3))
        if interrupt is not None:
            self.interrupt = interrupt
        self.explore = self.policy.get("explore", {"share": 0.01})
        self.cost_max = self.store.looking.price(self.explore["share"], self.explore.get("worth")) if "share" in self.explore else None
        self.greedy = self.explore == "greedy" or self.cost_max == 0
        for place in PLACES:
            self.place(place)
        self.slots.sort(key=lambda s: (PLACES.index(s["placement"]), s["action"] == "nothing", s["slot"]))
        for c in self.candidates:
            if c.chosen:
                c.fate = "withheld" if (self.withheld and c.action["kind"] in WITHHELD_KINDS
                                        and not c.action.get("mandatory")) else "offered"

    # ---- what becomes of the cards ----

    def apply(self, named):
        changed = False
        fates = {c.id: c.fate for c in self.candidates}
        staying = [id(s["card"]) for s in self.slots if s["card"]]
        for card in self.visit.cards:
            if card["state"] != "open" or (named and id(card) in staying):
                continue
            failed = fates.get(card["action"]) not in ("offered", "withheld", "outranked", "not-drawn")
            if named or failed:
                self.store.withdraw(self.visit, card, "gate" if failed else "replaced")
                changed = True
        for c in self.candidates:
            changed = self.follow(c) or changed
        for i, slot in enumerate(self.slots if named else []):
            slot["prompt"] = None
            if slot["card"]:
                slot["prompt"] = slot["card"]["prompt"]
                slot["card"]["slot"] = slot["slot"]
            elif slot["candidate"]:
                slot["prompt"] = self.store.make(f"prompt/{i + 1}")
                self.open(slot)
                changed = True
        return changed

    def follow(self, c):
        """What an open card says of its worth is what it is worth now."""
        card = next((k for k in self.visit.cards if k["action"] == c.id and k["state"] == "open"), None)
        if not card or not c.score or "offer" not in c.action:
            return False
        new = {k: c.score["option"][k] for k in ("depth", "worth", "hold")}
        if card["depth"] == new["depth"] and card["worth"] == new["worth"]:
            return False
        card.update(new)
        return not card["withheld"]

    def open(self, slot):
        c = slot["candidate"]
        option = c.score["option"] if c.score else c.options[0]
        goal = c.action.get("outcome", {"is": "none"})
        within = duration(goal.get("within", "0d"))
        card = {"prompt": slot["prompt"], "decision": self.decision, "guidance": None, "action": c.id, "answer": None,
                "group": c.action["group"], "issue": c.action["issue"], "treatment": slot["treatment"],
                "placement": slot["placement"], "slot": slot["slot"], "depth": option["depth"], "hold": option["hold"],
                "worth": option["worth"],
                "state": "open", "withheld": c.fate == "withheld", "sent": self.now, "redeemed": False, "late": False,
                "expires": self.ends(c.action), "token": None,
                "due": self.now + within if goal["is"] != "none" and within else 0}
        self.visit.cards.append(card)
        self.store.outcome(self.visit, card, "decided")
        self.store.timer("card", card["prompt"], card["expires"])
        if card["due"]:
            self.store.timer("window", card["prompt"], card["due"])

    def record(self):
        """The Decision as its line in a replay says it."""
        candidates = []
        for c in self.candidates:
            one = {"action": c.id, "fate": c.fate}
            if c.score:
                one.update({k: v for k, v in c.score.items() if k != "option" and not (k == "depth" and not v)})
            candidates.append(one)
        slots = []
        for s in self.slots:
            one = {k: s[k] for k in ("placement", "slot", "action", "treatment", "p_log", "shortlist")}
            for key in ("prompt", "depth"):
                if s.get(key):
                    one[key] = s[key]
            one.update({k: s[k] for k in ("p_marginal", "treatment_p_log", "kept") if k in s})
            slots.append(one)
        line = {"decision": self.decision, "at": text_of(self.now), "station": self.visit.station,
                "trigger": {"source": self.event["source"], "id": self.event["id"], "type": self.event["type"]},
                "arms": self.arm_names, "withheld": self.withheld, "candidates": candidates, "slots": slots,
                "all features": self.all_features}
        line.update({k: v for k, v in (("basket", self.visit.basket), ("subject", self.visit.subject),
                                       ("cause", self.cause)) if v})
        if self.subject is not None and self.subject.mixed:
            line["mixed"] = True
        if self.cost_max is not None:
            line["cost_max"] = self.cost_max
        return line

    def look(self):
        """What the day's account has of it: each place of a visit once."""
        for s in self.slots if self.cost_max is not None else []:
            cards = [e for e in s["shortlist"] if e["action"] != "nothing"]
            if not cards or (s["placement"], s["slot"]) in self.visit.drew:
                continue
            self.visit.drew.add((s["placement"], s["slot"]))
            cost = sum(e["p"] * (s["shortlist"][0]["priority"] - e["priority"]) for e in s["shortlist"])
            self.store.looking.note(self.explore["share"], max(0, cards[0]["priority"] - self.interrupt), cost)


def kept(card):
    return card["answer"] == "accept" and card["state"] in ("answered", "asked", "applied")


def clip(p):
    return min(1.0, max(0.0, p))
