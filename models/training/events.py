# SPDX-License-Identifier: Apache-2.0
"""Baskets, campaigns and looks at a household as the events a till would send.

A **look** is a card read at the service desk with no sale: it changes nothing
that a feature reads, and gives a row at a time of our choosing. Serving has the
same moment in its nightly sweep. All events of a basket carry its one time, so
that no two baskets are mixed; the hour is the store's own, written as UTC.
Consent is granted by customer care: a till may do so only for who stands at it.
"""
import hashlib
import itertools
import json

import pandas as pd

CONSENT_AHEAD = pd.Timedelta(days=90)  # before the first basket, and before the first campaign
LOOK_HOUR, CONTACT_HOUR = pd.Timedelta(hours=5), pd.Timedelta(hours=6)


def subject(household):
    """A subject as a card's hash would be: evenly spread, which the store's tables count on."""
    return hashlib.sha256(f"household {household}".encode()).hexdigest()[:32]


def envelope(kind, number, at, data):
    text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    source = "/training/care" if kind == "consent.changed" else "/training/pos/1"
    return {"specversion": "1.0", "id": number, "source": source, "type": "aisle." + kind, "time": text,
            "recordedtime": text, "data": data}


def consents(households, at):
    for household in households:
        for purpose in ("personalise", "profile", "contact"):
            yield at, 0, [("consent.changed", f"c{household}-{purpose}",
                                   {"subject": subject(household), "purpose": purpose, "state": "granted"})]


def basket(number, household, total, lines):
    name = f"b{number}"
    yield "basket.opened", name + "-o", {"basket": name, "terminal": "1"}
    yield "customer.identified", name, {"subject": subject(household), "basket": name, "station": "1"}
    for n, line in enumerate(lines, 1):
        data = {"basket": name, "line": n, "sku": str(line.product), "category": line.category, "qty": int(line.qty),
                "amount": int(line.amount), "currency": "USD"}
        if isinstance(line.brand, str):
            data["brand"] = line.brand
        yield "basket.item-added", f"{name}-{n}", data
    yield "basket.closed", name + "-c", {"basket": name, "total": int(total), "currency": "USD"}


def baskets(journey):
    lines = itertools.groupby(journey.lines.itertuples(), key=lambda line: line.basket)
    for row, (number, own) in zip(journey.baskets.itertuples(), lines):
        assert row.basket == number
        yield row.ts, 3, list(basket(number, row.household, row.amount, own))


def contacts(journey):
    for row in journey.targets.itertuples():
        yield row.start + CONTACT_HOUR, 2, [
            ("contact.recorded", f"k{row.campaign}-{row.household}",
             {"subject": subject(row.household), "channel": "mail", "action": f"coupon-{row.type.lower()}",
              "at": (row.start + CONTACT_HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")})]


def look_name(day, household):
    return f"s{day:%Y%m%d}-{household}"


def looks(days):
    """days: a table of household and day."""
    for row in days.sort_values(["day", "household"]).itertuples():
        name = look_name(row.day, row.household)
        yield row.day + LOOK_HOUR, 1, [
            ("customer.identified", name, {"subject": subject(row.household), "station": "desk"}),
            ("customer.left", name + "-l", {"subject": subject(row.household), "station": "desk"})]


def write(path, journey, days):
    """Everything in order of time; within an instant as the sources above are numbered."""
    households = sorted(set(journey.baskets["household"]) | set(journey.targets["household"]))
    agreed = consents(households, journey.baskets["ts"].min() - CONSENT_AHEAD)
    found = [*agreed, *looks(days), *contacts(journey), *baskets(journey)]
    found.sort(key=lambda f: f[:2])
    count = 0
    with open(path, "w") as out:
        for at, _, events in found:
            for kind, number, data in events:
                out.write(json.dumps(envelope(kind, number, at, data), separators=(",", ":")) + "\n")
                count += 1
    return count
