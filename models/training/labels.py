# SPDX-License-Identifier: Apache-2.0
"""What came of each row, from the baskets after it. A row whose window had not closed by LAST has no label."""
import numpy as np
import pandas as pd

from events import CONTACT_HOUR, LOOK_HOUR, look_name
from journey import FIRST, LAST

MARGIN_SHARE = 0.25  # the data hold no margin: a quarter of the amount, as in the demonstration
DAY = pd.Timedelta(days=1)
SWEEP_DAYS = pd.date_range("2017-01-30", "2017-10-02", freq="14D")
CAMPAIGN_WEEKS = 8  # of one that still ran at the end; then the data show that much of it, or no label
UPLIFT_CAMPAIGNS = (8, 13)  # type A: sent to about 1,100 households each


def seen_before(journey, day):
    """Households with a basket before that day: whom a store knows."""
    return np.sort(journey.baskets.loc[journey.baskets["ts"] < day, "household"].unique())


def look_days(journey):
    """Every household and day on which a row is wanted without a sale."""
    parts = [pd.DataFrame({"household": seen_before(journey, d), "day": d}) for d in SWEEP_DAYS]
    parts.append(journey.targets.rename(columns={"start": "day"})[["household", "day"]])
    for campaign in UPLIFT_CAMPAIGNS:
        day = journey.targets.loc[journey.targets["campaign"] == campaign, "start"].iloc[0]
        parts.append(pd.DataFrame({"household": seen_before(journey, day), "day": day}))
    return pd.concat(parts).drop_duplicates().sort_values(["day", "household"]).reset_index(drop=True)


class Purchases:
    """Answers "what did this household buy from here on, for so long"."""

    def __init__(self, journey):
        self.of = {h: (g["ts"].to_numpy(), np.concatenate([[0], g["amount"].cumsum().to_numpy()]))
                   for h, g in journey.baskets.sort_values(["ts", "basket"]).groupby("household")}

    def between(self, household, after, until):
        """Baskets and minor units in (after, until]."""
        if household not in self.of:
            return 0, 0
        times, sums = self.of[household]
        low, high = np.searchsorted(times, [np.datetime64(after), np.datetime64(until)], side="right")
        return int(high - low), int(sums[high] - sums[low])


def closed(frame, days, last=LAST):
    return frame[frame["time"] + pd.Timedelta(days=days) <= last]


def sweeps(journey):
    rows = [pd.DataFrame({"household": seen_before(journey, d), "day": d}) for d in SWEEP_DAYS]
    frame = pd.concat(rows, ignore_index=True)
    frame["time"] = frame["day"] + LOOK_HOUR
    frame["event"] = [look_name(r.day, r.household) for r in frame.itertuples()]
    return frame


def visits(journey):
    """A row at each basket's card, before its first line."""
    frame = journey.baskets.rename(columns={"ts": "time"}).copy()
    frame["event"] = "b" + frame["basket"].astype(str)
    return frame


def absent(frame, purchases, days, last=LAST):
    """1 where no basket follows within so many days."""
    frame = closed(frame, days, last).copy()
    window = pd.Timedelta(days=days)
    frame["label"] = [int(purchases.between(r.household, r.time, r.time + window)[0] == 0) for r in frame.itertuples()]
    return frame


def margin(frame, purchases, days):
    """Margin in minor units within so many days."""
    frame = closed(frame, days).copy()
    window = pd.Timedelta(days=days)
    frame["label"] = [MARGIN_SHARE * purchases.between(r.household, r.time, r.time + window)[1]
                      for r in frame.itertuples()]
    return frame


def bought(journey, categories):
    """A row for each visit and category: is something of it in this basket?"""
    lines = journey.lines
    found = {c: set(lines.loc[lines["category"].eq(c) | lines["category"].str.startswith(c + "/"), "basket"])
             for c in categories.values()}
    frame = visits(journey)
    parts = []
    for name, category in categories.items():
        part = frame[["household", "time", "event", "basket"]].copy()
        part["category"] = name
        part["label"] = part["basket"].isin(found[category]).astype(int)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def traded_up(journey):
    """Does this basket hold a line that is dear for its product type?"""
    frame = visits(journey)
    frame["label"] = frame["dear"]
    return frame


def redeemed(journey):
    """Each household that a campaign was sent to and that has had its time; with what headquarters knows on that day."""
    over = journey.targets["start"] + pd.Timedelta(weeks=CAMPAIGN_WEEKS) <= LAST
    frame = journey.targets[(journey.targets["closed"] == 1) | over].copy()
    frame["time"] = frame["start"] + LOOK_HOUR
    frame["event"] = [look_name(r.start, r.household) for r in frame.itertuples()]
    frame["label"] = frame["redeemed"]
    frame["campaign_kind"] = "campaign-" + frame["type"].str.lower()
    days = {h: g["day"].to_numpy() for h, g in journey.redemptions.groupby("household")}
    none, quarter = np.array([], dtype="datetime64[ns]"), pd.Timedelta(days=90)
    frame["coupons_redeemed_90d"] = [
        int(np.sum((of < np.datetime64(r.start)) & (of >= np.datetime64(r.start - quarter))))
        for r in frame.itertuples() for of in [days.get(r.household, none)]]
    return frame


def campaign(journey, purchases, number, days):
    """All households the store knows on the campaign's first day: sent to or not, and who came within so many days."""
    sent = journey.targets[journey.targets["campaign"] == number]
    day = sent["start"].iloc[0]
    frame = pd.DataFrame({"household": seen_before(journey, day)})
    frame["time"] = day + LOOK_HOUR
    frame["event"] = [look_name(day, h) for h in frame["household"]]
    frame["treated"] = frame["household"].isin(set(sent["household"])).astype(int)
    start, window = day + CONTACT_HOUR, pd.Timedelta(days=days)
    frame["label"] = [int(purchases.between(h, start, start + window)[0] > 0) for h in frame["household"]]
    return frame


assert SWEEP_DAYS[-1] + pd.Timedelta(days=28) <= LAST and SWEEP_DAYS[0] > FIRST
