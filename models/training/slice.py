#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts data/ out of The Complete Journey: slice.py FOLDER, where FOLDER holds its CSV files.

Kept is every till line that the publisher's sample has, but fuel and lines
without quantity, amount or product category. A line of a category that the
starter policy declares sensitive keeps its money and loses its category,
brand and product: no model may touch it, and a clone need not carry it.
"""
import csv
import gzip
import io
import json
import os
import re
import sys
from collections import defaultdict

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "data")
# A line is dear when its unit price is above the third quartile of its product type, by the prices before this day.
PRICES_BEFORE = "2017-08-01"
TYPE_LINES_MIN = 20


def read(folder, name):
    with gzip.open(os.path.join(folder, name), "rt", newline="") as f:
        return list(csv.DictReader(f))


def write(name, header, rows, folder=OUT):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    with open(os.path.join(folder, name), "wb") as raw, \
            gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, compresslevel=9, filename="") as f:
        f.write(text.getvalue().encode())


def word(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def sensitive_categories():
    with open(os.path.join(HERE, "..", "starter", "policy.json")) as f:
        return [s[len("category="):] for s in json.load(f)["sensitive"] if s.startswith("category=")]


def is_below(category, paths):
    return any(category == p or category.startswith(p + "/") for p in paths)


def usable(row, product):
    return (product is not None and product["product_category"] and int(row["quantity"]) > 0
            and round(float(row["sales_value"]) * 100) > 0 and "FUEL" not in product["product_category"]
            and "GASOLINE" not in product["product_type"])


def third_quartiles(rows, products):
    """Unit price in cents that a dear line of this product type is above."""
    prices = defaultdict(list)
    for r in rows:
        kind = products[r["product_id"]]["product_type"]
        if kind and r["ts"][:10] < PRICES_BEFORE:
            prices[kind].append(float(r["sales_value"]) * 100 / int(r["quantity"]))
    return {kind: sorted(p)[(3 * len(p)) // 4] for kind, p in prices.items() if len(p) >= TYPE_LINES_MIN}


def lines(rows, products, hidden):
    dear_above = third_quartiles(rows, products)
    baskets, out = {}, []
    for r in sorted(rows, key=lambda r: (r["ts"], int(r["basket_id"]), int(r["product_id"]))):
        number = baskets.setdefault(r["basket_id"], len(baskets) + 1)
        product = products[r["product_id"]]
        cents, qty = round(float(r["sales_value"]) * 100), int(r["quantity"])
        dear = cents / qty > dear_above.get(product["product_type"], float("inf"))
        secret = r["product_id"] in hidden
        out.append([r["household_id"], r["ts"], number, 0 if secret else r["product_id"], qty, cents,
                    int(dear and not secret)])
    return out


def catalogue(rows, products):
    barred, hidden, out = sensitive_categories(), set(), []
    for number in sorted({r["product_id"] for r in rows}, key=int):
        p = products[number]
        category = word(p["department"]) + "/" + word(p["product_category"])
        if is_below(category, barred):
            hidden.add(number)
            continue
        out.append([number, category, "house" if p["brand"] == "Private" else "m" + p["manufacturer_id"]])
    return out, hidden


def main(folder, out=OUT):
    os.makedirs(out, exist_ok=True)
    products = {p["product_id"]: p for p in read(folder, "products.csv.gz")}
    rows = [r for r in read(folder, "transactions.csv.gz") if usable(r, products.get(r["product_id"]))]
    kinds, hidden = catalogue(rows, products)
    write("products.csv.gz", ["product", "category", "brand"], kinds, out)
    write("lines.csv.gz", "household ts basket product qty amount dear".split(), lines(rows, products, hidden), out)
    targets = [[t["household_id"], t["campaign_id"], t["campaign_type"], t["start_date"], t["end_date"], t["redeemed"],
                t["window_closed"]] for t in read(folder, "campaign_targets.csv.gz")]
    write("targets.csv.gz", "household campaign type start end redeemed closed".split(), targets, out)
    write("redemptions.csv.gz", ["household", "day"],
          sorted([[r["household_id"], r["redemption_date"]] for r in read(folder, "coupon_redemptions.csv.gz")],
                 key=lambda r: (r[1], int(r[0]))), out)
    write("households.csv.gz", "household age income size".split(),
          [[d["household_id"], d["age"], d["income"], d["household_size"]] for d in read(folder, "demographics.csv.gz")],
          out)


if __name__ == "__main__":
    main(*sys.argv[1:])
