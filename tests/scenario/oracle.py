# SPDX-License-Identifier: Apache-2.0
"""A second engine, written from the documents alone: what a decision must be.

It knows the policy language, the path of one decision, the life of a card and
the ids; it knows nothing of how aisle does it. Slow and plain on purpose.
"""
import hashlib
import math
from datetime import datetime, timedelta, timezone

DAY = 86400000
PLACES = ["tablet", "till", "receipt", "customer", "later"]
FATES = ["offered", "withheld", "stopped", "validity", "consent", "care", "eligibility", "applicability", "suitability",
         "missing", "no-treatment", "contact", "budget", "stacking", "lane", "no-room", "not-worth-it", "outranked", "not-drawn"]
LANES = {"waiting": {"tablet", "customer", "later"}, "open": set(PLACES), "suspended": {"later"},
         "tender": set(PLACES), "closed": {"receipt", "later"}, "cancelled": {"later"}}
WITHHELD_KINDS = {"offer", "recommend", "remind", "coach", "retain"}
QUIET_PLACES = {"quiet-tender": {"tablet", "till"}, "quiet-queue": {"tablet", "till", "customer"}}
ZERO = "0" * 26


# ---- hashes ----

def ulid(key, now_ms, source, ident, purpose):
    digest = hashlib.blake2b(b"\0".join([source.encode(), ident.encode(), purpose.encode()]), digest_size=32,
                             key=bytes.fromhex(key)).digest()
    number = int.from_bytes(now_ms.to_bytes(6, "big") + digest[:10], "big")
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> 5 * i & 31] for i in range(25, -1, -1))


def chance(key, purpose, *parts):
    digest = hashlib.blake2b("\0".join([purpose, *parts]).encode(), digest_size=32, key=bytes.fromhex(key)).digest()
    return (int.from_bytes(digest[:8], "little") >> 11) * 2.0 ** -53


def subject_of(card, pepper):
    return hashlib.blake2b(card.encode(), digest_size=16, key=bytes.fromhex(pepper)).hexdigest()


# ---- durations and times ----

def duration(text):
    return int(float(text[:-1]) * {"s": 1000, "m": 60000, "h": 3600000, "d": DAY}[text[-1]])


def millis(text):
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return moment // timedelta(milliseconds=1)


def text_of(ms):
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def local(zone, ms):
    return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms)).astimezone(zone)


def cut_of(zone, date, minute):
    """The instant of the day's cut: of a doubled hour the first, of a skipped one the first instant after it."""
    naive = datetime(date.year, date.month, date.day, minute // 60, minute % 60)
    first = naive.replace(tzinfo=zone, fold=0)
    back = first.astimezone(timezone.utc).astimezone(zone).replace(tzinfo=None)
    if back == naive:
        return millis(first.astimezone(timezone.utc).isoformat())
    # Skipped: walk to the first local time that exists.
    step = naive.replace(tzinfo=zone, fold=1).astimezone(timezone.utc)
    while step.astimezone(zone).replace(tzinfo=None) < naive:
        step += timedelta(minutes=1)
    while (step - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None) >= naive:
        step -= timedelta(minutes=1)
    return millis(step.isoformat())


def day_start(zone, ms, minute, back=0):
    date = local(zone, ms).date()
    while cut_of(zone, date, minute) > ms:
        date -= timedelta(days=1)
    return cut_of(zone, date - timedelta(days=back), minute)


# ---- rules ----

class Unknown(Exception):
    """A rule read what is missing."""


def truthy(value):
    return value not in (None, False, 0, "", []) and value == value


def logic(rule, read):
    if isinstance(rule, list):
        return [logic(r, read) for r in rule]
    if not isinstance(rule, dict):
        return rule
    (op, args), = rule.items()
    args = args if isinstance(args, list) else [args]
    if op == "var":
        value = read(args[0])
        if value is None and len(args) < 2:
            raise Unknown(args[0])
        return args[1] if value is None else value
    if op == "missing":
        return [a for a in args if read(a) is None]
    if op in ("==", "===") and None in args:
        other = args[1 - args.index(None)]
        return (read(other["var"]) if isinstance(other, dict) and "var" in other else logic(other, read)) is None
    if op == "and":
        value = True
        for a in args:
            value = logic(a, read)
            if not truthy(value):
                return value
        return value
    if op == "or":
        value = False
        for a in args:
            value = logic(a, read)
            if truthy(value):
                return value
        return value
    if op == "if":
        return logic(args[1] if truthy(logic(args[0], read)) else args[2], read)
    v = [logic(a, read) for a in args]
    return {"==": lambda: v[0] == v[1], "!=": lambda: v[0] != v[1], ">": lambda: v[0] > v[1],
            ">=": lambda: v[0] >= v[1], "<": lambda: all(a < b for a, b in zip(v, v[1:])),
            "<=": lambda: all(a <= b for a, b in zip(v, v[1:])), "!": lambda: not truthy(v[0]), "+": lambda: sum(v),
            "-": lambda: v[0] - v[1], "*": lambda: v[0] * v[1], "in": lambda: v[0] in v[1],
            "min": lambda: min(v), "max": lambda: max(v)}[op]()


# ---- offers ----

def under(path, root):
    return path == root or path.startswith(root + "/")


def matches(line, what):
    return ("category" in what and under(line["category"], what["category"])
            or "brand" in what and line.get("brand") == what["brand"]
            or "item" in what and line["item"] == what["item"])


def half_up(a, b):
    return (2 * a + b) // (2 * b)


def worth(offer, depth, lines, takings=()):
    """Minor units that the customer saves, on the lines that qualify, else on what is typical; and whether any does. takings:
    what accepted offers will take, as pairs of offer and amount."""
    kind = offer["type"]
    good = [x for x in lines if x["amount"] > 0 and matches_offer(x, offer)]
    if kind == "points":
        saved = offer.get("typical") or depth
    elif not good:
        saved = {"percent": lambda: half_up(offer["typical"] * depth, 100), "amount": lambda: depth,
                 "fixed-price": lambda: max(0, offer["typical"] - depth), "free-item": lambda: offer["max"]}[kind]()
    elif kind == "percent":
        saved = sum(half_up(x["amount"] * depth, 100) for x in good)
    elif kind == "amount":
        saved = depth
    elif kind == "fixed-price":
        saved = sum(max(0, x["amount"] - half_up(depth * x["qty_milli"], 1000)) for x in good)
    else:
        units = []
        for x in good:
            n = max(1, x["qty_milli"] // 1000)
            units += [half_up(x["amount"] * 1000, x["qty_milli"]) if x["qty_milli"] > 1000 else x["amount"]] * n
        saved = sum(sorted(units)[:depth])
    if good and kind != "points":
        saved = min(saved, room(offer, good, lines, takings))
    return (min(saved, offer["max"]) if "max" in offer else saved), bool(good)


def room(offer, good, lines, takings):
    """What there is to save: on the goods, and in the basket."""
    goods = sum(x["amount"] for x in lines if matches_offer(x, offer))
    for other, minor in takings:
        goods -= min(minor, sum(x["amount"] for x in good if matches_offer(x, other)))
    return max(0, min(goods, sum(x["amount"] for x in lines) - sum(minor for _, minor in takings)))


def matches_offer(line, offer):
    return (("include" not in offer or matches(line, offer["include"]))
            and not ("exclude" in offer and matches(line, offer["exclude"])))


def hold_of(offer, depth, saved):
    """The most it can cost us, rounded up."""
    most = min(offer.get("max", depth), depth) if offer["type"] == "amount" else offer.get("max", saved)
    return math.ceil(round(most * (1 - offer.get("funded", 0)), 6))


# ---- models ----

def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def linear_margin(model, read):
    total = model["bias"]
    for key, weight in model["weights"].items():
        name, _, level = key.partition("=")
        value = read(name)
        if value is None:
            value = model.get("missing", {}).get(name)
        if value is None:
            continue
        if level:
            total += weight if value == level else 0
        else:
            total += weight * value
    return total


def calibrated(calibration, margin):
    if "platt" in calibration:
        a, b = calibration["platt"]
        return 1 / (1 + math.exp(-(a * margin + b)))
    points = calibration["isotonic"]
    if margin <= points[0][0]:
        return points[0][1]
    for (m0, p0), (m1, p1) in zip(points, points[1:]):
        if margin < m1:
            return p0 + (margin - m0) / (m1 - m0) * (p1 - p0)
    return points[-1][1]


# ---- patches ----

def merge_patch(target, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = merge_patch(target.get(key), value)
    return target
