# SPDX-License-Identifier: Apache-2.0
"""recommend.py [DATA]: what tables win, on baskets behind all that anything was chosen on. Run by make recommend-figures.

DATA holds grocery_baskets, online_retail and complete_journey, as models/README.md has them; without it there is the slice of
models/training/data alone. Prints, and writes nothing but files for build/bench/recommend below BUILD.
"""
import csv
import datetime
import gzip
import os
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
WORK = os.path.join(BUILD, "recommend")
HERE = os.path.dirname(os.path.abspath(__file__))


def rows(path):
    with gzip.open(path, "rt", newline="") as f:
        yield from csv.DictReader(f)


def ms(text):
    return int(datetime.datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def write(name, lines):
    path = os.path.join(WORK, name)
    with open(path, "w") as f:
        for line in lines:
            f.write("\t".join(str(x) for x in line) + "\n")
    return path


def groceries(data):
    for r in rows(f"{data}/grocery_baskets/baskets.csv.gz"):
        yield r["basket_id"], int(r["basket_id"]) * 1000, -1, r["item_id"], "", "", "", "", 0


def retail(data):
    kept = [r for r in rows(f"{data}/online_retail/lines.csv.gz") if r["kind"] == "sale"]
    kept.sort(key=lambda r: (r["ts"], r["invoice_no"]))
    for r in kept:
        yield r["invoice_no"], ms(r["ts"]), r["customer_id"] or -1, r["stock_code"].upper(), "", "", "", "", r["unit_price"]


def journey(data):
    goods = {r["product_id"]: r for r in rows(f"{data}/complete_journey/products.csv.gz")}
    lines = [r for r in rows(f"{data}/complete_journey/transactions.csv.gz") if int(r["quantity"]) > 0]
    lines.sort(key=lambda r: (r["ts"], r["basket_id"]))
    for r in lines:
        g = goods.get(r["product_id"])
        if g is None or not g["product_type"] or "GASOLINE" in g["product_type"]:
            continue
        paid = float(r["sales_value"]) + float(r["retail_disc"]) + float(r["coupon_match_disc"])
        yield (r["basket_id"], ms(r["ts"]), r["household_id"], r["product_id"], g["product_category"] + "/" + g["product_type"],
               g["manufacturer_id"], g["package_size"], g["brand"], 100 * paid / int(r["quantity"]))


def by_category(lines):
    for line in lines:
        yield *line[:3], line[4].split("/")[0], "", "", "", "", 0


def slice_of_training():
    here = os.path.join(HERE, "..", "..", "models", "training", "data")
    goods = {r["product"]: r for r in rows(f"{here}/products.csv.gz")}
    for r in rows(f"{here}/lines.csv.gz"):
        g = goods.get(r["product"])
        if g is not None:
            brand = g["brand"]
            yield (r["basket"], ms(r["ts"]), r["household"], r["product"], g["category"], brand, "",
                   "house" if brand == "house" else "maker", int(r["amount"]) / max(1, float(r["qty"])))


def run(title, *arguments):
    print(f"\n{title}\n  $ recommend {' '.join(arguments)}", flush=True)
    subprocess.run([os.path.join(BUILD, "bench", "recommend"), *arguments], check=True)


def main():
    os.makedirs(WORK, exist_ok=True)
    run("A look-up", "speed")
    if len(sys.argv) < 2:
        run("Substitutes, the slice of models/training", "instead", write("slice.tsv", slice_of_training()))
        print("\nThe others need DATA=DIR")
        return
    data = sys.argv[1]
    path = write("groceries.tsv", groceries(data))
    run("Groceries: open basket by groups", "open", "1", "1", path)
    run("Groceries: of 1,000 baskets", "open", "1", "1", path, "1000")
    run("Groceries: shuffled", "open", "1", "1", path, "0", "shuffle")
    run("Groceries: by neighbours", "open", "2", "0", path)
    path = write("retail.tsv", retail(data))
    run("Online Retail: open basket by articles", "open", "2", "0", path)
    run("Online Retail: of 1,000 baskets", "open", "2", "0", path, "1000")
    run("Online Retail: shuffled", "open", "2", "0", path, "0", "shuffle")
    run("Online Retail: the next basket", "next", path)
    run("Online Retail: reminders", "reminder", path)
    path = write("journey.tsv", journey(data))
    run("Complete Journey: substitutes", "instead", path)
    run("Complete Journey: the next basket by article", "next", path)
    run("Complete Journey: the next basket by category", "next", write("categories.tsv", by_category(journey(data))))


main()
