#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the demo's slice out of The Complete Journey: slice.py FOLDER, where FOLDER holds its CSV files.

Kept are the households that shopped on DAY, with everything they bought before
it. The published till lines are a sample of 1 in 15, most baskets of it have
one line: a household's basket of DAY is made of all its lines of that week.
"""
import csv
import datetime
import gzip
import io
import os
import re
import sys
from collections import defaultdict

DAY = "2017-10-28"
WEEK = ("2017-10-23", "2017-10-29")
HERE = os.path.dirname(os.path.abspath(__file__))


def read(folder, name):
    with gzip.open(os.path.join(folder, name), "rt", newline="") as f:
        return list(csv.DictReader(f))


def word(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def main(folder):
    products = {p["product_id"]: p for p in read(folder, "products.csv.gz")}
    rows = read(folder, "transactions.csv.gz")
    here = {r["household_id"] for r in rows if r["ts"][:10] == DAY}
    time_of_day = {}
    for r in rows:
        if r["ts"][:10] == DAY:
            time_of_day.setdefault(r["household_id"], (r["ts"], r["basket_id"]))
    out, spent = [], defaultdict(int)
    for r in rows:
        product = products.get(r["product_id"])
        if r["household_id"] not in here or product is None or not product["product_category"]:
            continue
        cents = round(float(r["sales_value"]) * 100)
        if int(r["quantity"]) <= 0 or cents <= 0 or "FUEL" in product["product_category"] or "GASOLINE" in product["product_type"]:
            continue
        ts, basket = r["ts"], r["basket_id"]
        if WEEK[0] <= ts[:10] <= WEEK[1]:
            ts, basket = time_of_day[r["household_id"]]
        elif ts[:10] > WEEK[1]:
            continue
        else:
            spent[r["household_id"]] += cents
        category = word(product["department"]) + "/" + word(product["product_category"])
        brand = "house" if product["brand"] == "Private" else "m" + product["manufacturer_id"]
        name = (product["product_type"] or product["product_category"]).capitalize()
        out.append([r["household_id"], ts, basket, r["product_id"], category, brand, name, int(r["quantity"]), cents])
    out.sort(key=lambda row: (row[1], row[2], row[3]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow("household ts basket product category brand name qty amount".split())
    writer.writerows(out)
    with open(os.path.join(HERE, "journey.csv.gz"), "wb") as raw, \
            gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=9, filename="") as f:
        f.write(text.getvalue().encode())
    ranked = sorted(here, key=lambda h: (-spent[h], int(h)))
    with open(os.path.join(HERE, "households.csv"), "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["household", "tier", "language"])
        for n, household in enumerate(ranked):
            tier = "gold" if n < len(ranked) // 5 else "silver" if n < len(ranked) // 2 else "basic"
            # The language is ours: the source has none. Every eighth speaks German, so that the second language is seen.
            writer.writerow([household, tier, "de" if int(household) % 8 == 0 else "en"])
    print(f"{len(here)} households, {len(out)} lines, {datetime.date.fromisoformat(DAY):%A} {DAY}")


if __name__ == "__main__":
    main(sys.argv[1])
