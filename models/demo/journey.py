# SPDX-License-Identifier: Apache-2.0
"""The demo's data as what a store hears: baskets, events, profiles."""
import csv
import datetime
import gzip
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = "2017-10-28"


def denies(household):
    """Three of a hundred have not agreed to be known: they are served as strangers."""
    return int(household) % 33 == 0


def card(household):
    return f"60{int(household):014d}"


def read(name):
    path = os.path.join(HERE, name)
    with (gzip.open(path, "rt", newline="") if name.endswith(".gz") else open(path, newline="")) as f:
        return list(csv.DictReader(f))


def baskets(rows):
    """Baskets in order: (ts, household, basket, lines)."""
    found = {}
    for row in rows:
        found.setdefault((row["ts"], row["household"], row["basket"]), []).append(row)
    return [(*key, lines) for key, lines in sorted(found.items())]


def line_data(basket, number, row):
    return {"basket": basket, "line": number, "sku": row["product"], "category": row["category"], "brand": row["brand"],
            "name": row["name"], "qty": int(row["qty"]), "amount": int(row["amount"]), "currency": "USD",
            "margin": int(row["amount"]) // 4}


def envelope(kind, source, number, data, at, **more):
    return {"specversion": "1.0", "id": f"{kind}-{number}", "source": source, "type": f"aisle.{kind}", "time": at,
            "datacontenttype": "application/json", "data": data, **more}


def write_history(path, past, shift, number=0):
    """What the store saw before today, as a recorded file; ids from number on."""
    with open(path, "w") as out:
        for ts, household, basket, lines in past:
            at = datetime.datetime.fromisoformat(ts) + shift
            events = [("basket.opened", {"basket": basket, "terminal": "1"}),
                      ("customer.identified", {"card": card(household), "basket": basket, "station": "1"})]
            events += [("basket.item-added", line_data(basket, n + 1, row)) for n, row in enumerate(lines)]
            events.append(("basket.closed", {"basket": basket, "total": sum(int(r["amount"]) for r in lines),
                                             "currency": "USD"}))
            for kind, data in events:
                number += 1
                text = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
                out.write(json.dumps(envelope(kind, "/history/pos/1", number, data, text, recordedtime=text)) + "\n")
                at += datetime.timedelta(seconds=5)
    return number


def write_profiles(path, households, past):
    month = (datetime.date.fromisoformat(DAY) - datetime.timedelta(days=30)).isoformat()
    visits = {}
    for ts, household, _, _ in past:
        if ts[:10] >= month:
            visits[household] = visits.get(household, 0) + 1
    with open(path, "w") as out:
        for row in households:
            count = visits.get(row["household"], 0) + 1
            line = (f"{row['tier'].capitalize()} · visit {count} in 30 days" if row["language"] == "en"
                    else f"{row['tier'].capitalize()} · {count}. Besuch in 30 Tagen")
            granted = "denied" if denies(row["household"]) else "granted"
            out.write(json.dumps({"card": card(row["household"]), "language": row["language"], "line": line,
                                  "consent": {"personalise": granted, "profile": granted, "contact": "granted"},
                                  "attributes": {"tier": row["tier"]}}) + "\n")
