# SPDX-License-Identifier: Apache-2.0
"""The shipped slice of The Complete Journey as baskets, campaign targets, households."""
import os
from collections import namedtuple

import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")
FIRST, LAST = pd.Timestamp("2017-01-01"), pd.Timestamp("2017-10-30")  # a window is closed when it ends by LAST
# The slice names no category on lines of sensitive ones.
WITHHELD = "withheld"

Journey = namedtuple("Journey", "lines baskets targets redemptions households")


def read(name):
    return pd.read_csv(os.path.join(DATA, name + ".csv.gz"))


def load():
    lines = read("lines").merge(read("products"), on="product", how="left", validate="many_to_one")
    lines["ts"] = pd.to_datetime(lines["ts"])
    lines["category"] = lines["category"].fillna(WITHHELD)
    lines = lines.sort_values(["basket", "product"], kind="stable").reset_index(drop=True)
    baskets = lines.groupby("basket", sort=True).agg(
        household=("household", "first"), ts=("ts", "first"), amount=("amount", "sum"), dear=("dear", "max"),
        lines=("product", "size")).reset_index()
    targets = read("targets")
    redemptions = read("redemptions")
    for frame, names in ((targets, ("start", "end")), (redemptions, ("day",))):
        for name in names:
            frame[name] = pd.to_datetime(frame[name])
    return Journey(lines, baskets, targets, redemptions, read("households"))
