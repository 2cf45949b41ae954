#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Figures from data that this project does not carry: outside.py FOLDER measures them anew.

FOLDER holds hillstrom_email/customers.csv.gz (no formal licence: only results
are kept) and online_retail/lines.csv.gz. The figures are in outside.json; the
card is written from them, also where FOLDER is not.
"""
import json
import os
import sys
import tempfile

import one_thread  # noqa: F401  (first)
import numpy as np
import pandas as pd

import card
import events
import features
import fit
import labels
import rivals
import spec
import uplift
from journey import Journey

HERE = os.path.dirname(os.path.abspath(__file__))
FIGURES = os.path.join(HERE, "outside.json")
RESAMPLES = 200
TOP = 0.3


# ---- Hillstrom: a promotion by lot ----

def hillstrom_inputs(frame):
    x = frame[["recency", "history", "mens", "womens", "newbie"]].astype(float).copy()
    for name in ("zip_code", "channel"):
        for level in sorted(frame[name].unique()):
            x[f"{name}_{level.lower()}"] = (frame[name] == level).astype(float)
    return x


class Segments:
    """The baseline: the single input whose parts differ most in uplift on the training half."""

    def fit(self, x, y, treated):
        best = None
        for name in x.columns:
            values = x[name].to_numpy()
            cuts = np.unique(np.quantile(values, np.linspace(0, 1, 6)[1:-1]))
            part = np.searchsorted(cuts, values, side="left")
            total = uplift.difference(y, treated)[0]
            gain = [uplift.difference(y[part == k], treated[part == k])[0] if (part == k).sum() > 200 else total
                    for k in range(len(cuts) + 1)]
            spread = float(np.var(np.array(gain)[part]))
            if best is None or spread > best[0]:
                best = (spread, name, cuts, np.array(gain))
        _, self.name, self.cuts, self.gain = best
        return self

    def predict(self, x):
        return self.gain[np.searchsorted(self.cuts, x[self.name].to_numpy(), side="left")]


def resampled(figure, n):
    chance = np.random.default_rng(20080320)
    found = [figure(chance.integers(0, n, n)) for _ in range(RESAMPLES)]
    return [float(v) for v in np.quantile(found, [0.025, 0.975])]


def best_share(y, treated, score):
    top = score >= np.quantile(score, 1 - TOP)
    return uplift.difference(y[top], treated[top]), uplift.difference(y[~top], treated[~top])


def hillstrom_arm(frame, arm):
    frame = frame[frame["segment"].isin([arm, "No E-Mail"])].sort_values("row_id").reset_index(drop=True)
    x, y = hillstrom_inputs(frame), frame["visit"].to_numpy(dtype=float)
    treated = (frame["segment"] == arm).to_numpy().astype(int)
    half = np.random.default_rng(1).permutation(len(frame)) % 2 == 0
    pair = uplift.fit(x[half], y[half], treated[half], lambda: fit.Trees("binary:logistic", trees=40, depth=2, leaf=200))
    rule = Segments().fit(x[half], y[half], treated[half])
    xt, yt, tt = x[~half], y[~half], treated[~half]
    with_it, without = uplift.predict(pair, xt)
    score, ruled = with_it - without, rule.predict(xt)
    response = with_it
    figures = {"rows": len(yt), "treated": int(tt.sum()), "average": uplift.difference(yt, tt),
               "areas": uplift.areas(pair, xt, yt, tt), "rule": rule.name, "parts": uplift.by_uplift(yt, tt, score)}
    for name, s in (("pair", score), ("rule", ruled), ("response", response)):
        figures["qini_" + name] = uplift.qini(yt, tt, s)
        figures["qini_interval_" + name] = resampled(lambda i: uplift.qini(yt[i], tt[i], s[i]), len(yt))
        figures["top_" + name], figures["rest_" + name] = best_share(yt, tt, s)
    for name, s in (("rule", ruled), ("response", response)):
        figures["qini_gain_" + name] = resampled(
            lambda i: uplift.qini(yt[i], tt[i], score[i]) - uplift.qini(yt[i], tt[i], s[i]), len(yt))
    return figures


def hillstrom(folder):
    frame = pd.read_csv(os.path.join(folder, "hillstrom_email", "customers.csv.gz"))
    return {arm: hillstrom_arm(frame, arm) for arm in ("Mens E-Mail", "Womens E-Mail")}


# ---- Online Retail: whole baskets ----

RETAIL_LAST = pd.Timestamp("2011-10-31")
RETAIL_SLICES = {40: (("2011-03-01", "2011-06-15"), ("2011-06-15", "2011-07-15"), ("2011-08-25", "2011-09-21")),
                 90: (("2011-03-01", "2011-04-01"), ("2011-04-01", "2011-04-28"), ("2011-07-27", "2011-08-02"))}


def retail_journey(folder):
    lines = pd.read_csv(os.path.join(folder, "online_retail", "lines.csv.gz"), dtype={"invoice_no": str})
    lines = lines[(lines["kind"] == "sale") & lines["customer_id"].notna()]
    lines["amount"] = (lines["quantity"] * lines["unit_price"] * 100).round().astype(int)
    baskets = lines.groupby("invoice_no").agg(household=("customer_id", "first"), ts=("ts", "first"),
                                              amount=("amount", "sum"), lines=("amount", "size")).reset_index()
    baskets["ts"] = pd.to_datetime(baskets["ts"])
    baskets["household"] = baskets["household"].astype(int)
    baskets = baskets[baskets["amount"] > 0].sort_values(["ts", "invoice_no"], kind="stable").reset_index(drop=True)
    baskets["basket"] = np.arange(1, len(baskets) + 1)
    # A basket is one line of its whole amount: these inputs ask for no category, and lines are not among them.
    one = baskets.assign(product=1, category="gifts", brand=np.nan, qty=1)
    none = pd.DataFrame({"household": [], "campaign": [], "type": [], "start": pd.to_datetime([])})
    return Journey(one, baskets, none, None, None)


def retail(folder):
    j = retail_journey(folder)
    with tempfile.TemporaryDirectory(prefix="models-", dir=features.BUILD) as work:
        path = os.path.join(work, "events.jsonl")
        events.write(path, j, pd.DataFrame({"household": [], "day": []}))
        rows = features.rows(work, path).set_index("event")
    purchases, out = labels.Purchases(j), {"baskets": len(j.baskets), "customers": int(j.baskets["household"].nunique())}
    inputs = ["recency", "gap", "lateness", "visits_28d", "visits_90d", "spend_28d", "spend_90d", "weekday", "hour"]
    for days, slices in RETAIL_SLICES.items():
        frame = labels.absent(labels.visits(j), purchases, days, RETAIL_LAST)[["household", "time", "event", "label"]]
        frame = frame.join(rows[inputs + ["visits"]], on="event")
        # A card in more baskets a day than one person has is taken for staff's, and has no row.
        assert frame["visits"].isna().mean() < 0.01, "events have no row"
        frame = frame[frame["visits"].notna()]
        train, calibrate, test = (frame[(frame["time"] >= a) & (frame["time"] < b)] for a, b in slices)
        assert (pd.concat([train, calibrate])["time"] + pd.Timedelta(days=days)).max() <= test["time"].min()
        kept, m, rule = rivals.measure(spec.ABSENT40.boosting(), inputs, train, calibrate, test)
        out[str(days)] = {**m, "rule": rule.describe(), "learner": kept.learner.describe(), "slices": slices}
    return out


# ---- figures to card ----

def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(v) for v in value]
    return fit.rounded(float(value), 5) if isinstance(value, (float, np.floating)) else value


def figures():
    with open(FIGURES) as f:
        return json.load(f)


def points(d):
    return f"{100 * d[0]:+.1f} ({100 * d[1]:+.1f} to {100 * d[2]:+.1f})"


def thousandths(value, between):
    return f"{1000 * value:.2f} ({1000 * between[0]:.2f} to {1000 * between[1]:.2f})"


def arm_text(arm, f):
    rows = [[words, thousandths(f["qini_" + k], f["qini_interval_" + k]), points(f["top_" + k]), points(f["rest_" + k])]
            for k, words in (("pair", "the pair"), ("rule", f"one rule: `{f['rule']}` in fifths"),
                             ("response", "who is likely to visit (no uplift model)"))]
    parts = [[card.count(n), f"{100 * u:+.1f}", points((d, low, high))] for n, _, u, d, low, high in f["parts"]]
    return "\n".join([
        f"### {arm}\n",
        f"{card.count(f['rows'])} customers of the test half, {card.count(f['treated'])} of them mailed. "
        f"Effect of the mail on visits: {points(f['average'])} points. AUC on its own side: "
        f"treated {f['areas'][0]:.3f}, control {f['areas'][1]:.3f}.\n",
        card.table(["ordered by", "Qini, per 1,000 customers", f"uplift of the first {100 * TOP:.0f} %, points",
                    "of the rest"], rows),
        "\nFifths by predicted uplift:\n",
        card.table(["customers", "predicted, points", "observed, points"], parts)])


def hillstrom_text(found):
    return "\n".join([
        "# A randomised e-mail: uplift pair, results only\n",
        "Made by `make models` from `models/training/outside.json`; `make models DATA=DIR` measures anew.\n",
        "Two models, one of the mailed and one of the others, each XGBoost with 40 trees of depth 2, on who visits the site "
        "within two weeks. Trained on a random half of the customers, measured on the other half: a single mailing has no "
        "time to order it by. Intervals: 95 %, customers drawn anew.\n",
        "## Data\n",
        "The MineThatData e-mail test (Kevin Hillstrom, 2008): customers of a mail-order house, by lot a men's, a women's or "
        "no e-mail. Published as an open challenge without a licence, so neither data nor models are here, only figures.\n",
        "## Features\n",
        "Months since the last purchase, spend of the past year, men's and women's merchandise bought, newness, kind of "
        "postcode, channel. They are the file's columns: not a till's events, so not by `aislectl features`.\n",
        "## On the held-back half\n", *[arm_text(arm, f) for arm, f in found.items()],
        "\n## What it says\n", qini_words(found),
        "\n## Limits\n",
        "- Visits, not purchases: half a percent of these customers buy within two weeks, too few for an uplift model.\n"
        "- No demographics, so no fairness figures.\n- One mailing of 2008.\n"])


def against(gain):
    return "better than" if gain[0] > 0 else "**worse than**" if gain[1] < 0 else "**not told apart from**"


def qini_words(found):
    out = []
    for arm, f in found.items():
        order = ("orders customers better than chance" if f["qini_interval_pair"][0] > 0 else
                 "**is not told apart from a random order**")
        out.append(f"- {arm}: the pair {order}; it is {against(f['qini_gain_rule'])} the one rule, and "
                   f"{against(f['qini_gain_response'])} simply mailing those who are likely to visit.")
    return "\n".join(out) + "\n"


def retail_text(found):
    parts = []
    for days in ("40", "90"):
        m = found[days]
        (trained, until), (_, calibrated), (tested, end) = m["slices"]
        parts += [f"### {days} days\n", f"Trained {trained} to {until}, calibrated to {calibrated}, tested {tested} to {end}. "
                  f"What would be shipped: {m['learner']}.\n", card.chance_metrics(m, m["rule"])]
    return "\n".join([
        "# No purchase, on whole baskets: results only\n",
        "Made by `make models` from `models/training/outside.json`; `make models DATA=DIR` measures anew.\n",
        "The recipe of [No purchase in 40 days](absent40.md) on a shop whose baskets are all there: it tells how much of that "
        "card's figures is the sample's doing.\n",
        "## Data\n",
        f"*Online Retail* (UCI Machine Learning Repository, Daqing Chen, CC BY 4.0, doi 10.24432/C5BW33): "
        f"{card.count(found['baskets'])} baskets of {card.count(found['customers'])} customers of one British gift "
        "wholesaler, 2010-12 to 2011-10. A basket is one event line of its whole amount; features by `aislectl features`.\n",
        "## On later data\n", *parts,
        "## Limits\n", "- Many customers are shops themselves, and autumn is their season: rates move between slices.\n"
        "- No demographics.\n"])


def write(out):
    found = figures()
    out.card("hillstrom", hillstrom_text(found["hillstrom"]))
    out.card("online-retail", retail_text(found["retail"]))
    return found


if __name__ == "__main__":
    measured = rounded({"hillstrom": hillstrom(sys.argv[1]), "retail": retail(sys.argv[1])})
    with open(FIGURES, "w") as f:
        f.write(json.dumps(measured, indent=1) + "\n")
