#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make models: from the shipped slice to models/reference. train.py [OUT [README]]

  slice → events → `aislectl features` → rows → labels → learners → exam rows, cards

Learners were chosen on the calibration slices; the test slices only measure, but for what models/README.md says of them.
"""
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
import journey
import labels
import metrics
import outside
import pair
import plot
import spec
from index import write_index
from reference import Reference

ROOT = os.path.join(journey.HERE, "..")


class Rows:
    """The feature rows of every event, and the sources of every feature."""

    def __init__(self, work, journey_):
        path = os.path.join(work, "events.jsonl")
        events.write(path, journey_, labels.look_days(journey_))
        frame = features.rows(work, path).set_index("event", verify_integrity=True)
        self.table = frame.drop(columns=["time", "type", "visit", "subject", "basket"])
        self.data = card.data_text(journey_)
        self.sources = {f["name"]: f["from"] for f in features.declared()}

    def join(self, labelled, given=()):
        """Labels with the features of their event. given: what labels.py counts itself."""
        keep = ["household", "time", "event", "label", *given]
        keep += [c for c in ("campaign", "end", "category", "basket", "treated") if c in labelled]
        frame = labelled[keep].join(self.table.drop(columns=list(given)), on="event")
        assert len(frame) == len(labelled) and frame["visits"].notna().all(), "an event has no row"
        return frame


def parts_of(s, frame):
    train, test = s.part(frame, "train"), s.part(frame, "test")
    calibrate = s.part(frame, "calibrate") if s.calibrate else train.iloc[:0]
    if s is spec.COUPON:
        # The May campaign is large and the only one: half of its households train, the others calibrate.
        may, even = labels.UPLIFT_CAMPAIGNS[0], lambda f: f["household"] % 2 == 0
        train = train[(train["campaign"] != may) | even(train)]
        calibrate = calibrate[(calibrate["campaign"] != may) | ~even(calibrate)]
    learned = pd.concat([train, calibrate])
    closes = learned["end"] if "end" in learned else learned["time"] + pd.Timedelta(days=s.window_days)
    assert closes.max() <= test["time"].min(), f"{s.name} learns from what the test's first row cannot know"
    return train, calibrate, test, learned


def fairness_of(j, test, p, margin):
    y, households = test["label"].to_numpy(dtype=float), test["household"].to_numpy()
    return {what: metrics.by_group(y, p, margin, households, card.groups_of(households, j.households, what))
            for what in card.BANDS}


def result_of(s, rows, learner, how, m, rule, train, calibrate):
    return {"learner": learner.describe(), "calibration_words": card.calibration_kind(how), "sources": rows.sources,
            "data": rows.data,
            "importance": with_all(learner.importance(), s.inputs), "train_rows": len(train),
            "calibrate_rows": len(calibrate), "metrics": m, "rule": rule}


def with_all(importance, inputs):
    """Inputs that the learner never used, with a share of 0."""
    used = {n for n, _ in importance}
    return importance + [(n, 0.0) for n in inputs if n not in used]


def nothing_known(s):
    return pd.DataFrame([[np.nan] * len(s.inputs)], columns=s.inputs)


def chance_model(s, frame, j, rows, out):
    train, calibrate, test, learned = parts_of(s, frame)
    learner = s.learner().fit(train[s.inputs], train["label"])
    how = fit.calibration(learner.margins(calibrate[s.inputs]), calibrate["label"])
    margin = learner.margins(test[s.inputs])
    p = fit.calibrated(how, margin)
    rule = metrics.OneRule().fit(learned[s.inputs], learned["label"])
    m = metrics.chances(test["label"].to_numpy(), p, margin, learned["label"].mean(), rule.predict(test[s.inputs]),
                        test["household"].to_numpy())
    r = result_of(s, rows, learner, how, m, rule, train, calibrate)
    r["stranger"] = card.number(fit.calibrated(how, learner.margins(nothing_known(s)))[0], 4)
    r["metrics_text"] = card.chance_metrics(m, rule.describe())
    r["calibration_text"] = card.calibration_text(s.name, m)
    r["fairness_text"] = card.fairness(fairness_of(j, test, p, margin))
    out.model(s.name, out.file(s.name, learner), learner, test[s.inputs], how, target=s.target,
              window_days=s.window_days, population=s.population)
    out.card(s.name, card.describe(s, r), plot.calibration(m["parts"], "predicted chance", "observed share"))
    return r


def amount_model(s, frame, j, rows, out):
    train, calibrate, test, _ = parts_of(s, frame)
    learner = s.learner().fit(train[s.inputs], train["label"])
    p = np.exp(learner.margins(test[s.inputs]))
    rule = metrics.OneRule().fit(train[s.inputs], train["label"], squared=True)
    m = metrics.amounts(test["label"], p, train["label"].mean(), rule.predict(test[s.inputs]),
                        test["household"].to_numpy())
    r = result_of(s, rows, learner, None, m, rule, train, calibrate)
    r["stranger"] = card.number(np.exp(learner.margins(nothing_known(s)))[0], 1)
    r["metrics_text"] = card.amount_metrics(m, rule.describe())
    r["calibration_text"] = card.calibration_text(s.name, m, "minor units")
    r["fairness_text"] = card.fairness(fairness_of(j, test, p, p), amount=True)
    out.model(s.name, out.file(s.name, learner), learner, test[s.inputs], target=s.target, window_days=s.window_days,
              population=s.population)
    out.card(s.name, card.describe(s, r), plot.calibration(m["parts"], "predicted, minor units", "observed mean"))
    return r


# ---- next category: one learner, an entry and a calibration for each category ----

def of_category(frame, name):
    inputs = spec.category_inputs(name)
    return frame.assign(**{model_input: frame[feature] for model_input, feature in inputs.items()})


def hits(test, names, score):
    """Of the visits that bought one of the categories: in how many is it the first, among the first three, by score?"""
    wide = pd.DataFrame({n: score[n] for n in names}).to_numpy()
    bought = pd.DataFrame({n: test[n]["label"].to_numpy() for n in names}).to_numpy()
    some = bought.sum(axis=1) > 0
    ranked = np.take_along_axis(bought[some], np.argsort(-wide[some], axis=1, kind="stable"), axis=1)
    return float(ranked[:, 0].mean()), float((ranked[:, :3].sum(axis=1) > 0).mean()), int(some.sum())


def next_models(frame, j, rows, out):
    s = spec.NEXT
    names = list(features.CATEGORIES)
    frames = {n: of_category(frame[frame["category"] == n], n) for n in names}
    parts = {n: parts_of(s, frames[n]) for n in names}
    train = pd.concat([parts[n][0] for n in names])
    learner = s.learner().fit(train[s.inputs], train["label"])
    file = out.file(s.name, learner)
    found, table, score = [], [], {"model": {}, "rule": {}, "popular": {}}
    for n in names:
        _, calibrate, test, learned = parts[n]
        how = fit.calibration(learner.margins(calibrate[s.inputs]), calibrate["label"])
        margin = learner.margins(test[s.inputs])
        p = fit.calibrated(how, margin)
        rule = metrics.OneRule().fit(learned[s.inputs], learned["label"])
        ruled, base = rule.predict(test[s.inputs]), float(learned["label"].mean())
        score["model"][n], score["rule"][n], score["popular"][n] = p, ruled, np.full(len(test), base)
        found.append(test.assign(p=p, margin=margin, rule=ruled, base=base))
        y = test["label"].to_numpy(dtype=float)
        table.append([f"`next-{n}`", features.CATEGORIES[n], card.count(y.sum()), f"{100 * y.mean():.1f} %",
                      card.number(metrics.auc(y, margin)), card.number(metrics.auc(y, ruled)),
                      card.number(metrics.log_loss(y, p), 4), card.number(metrics.log_loss(y, score["popular"][n]), 4),
                      card.number(metrics.log_loss(y, ruled), 4)])
        out.model("next-" + n, file, learner, test[s.inputs], how, spec.category_inputs(n), target=s.target,
                  window_days=s.window_days, population=s.population)
    test = pd.concat(found)
    p, base = test["p"].to_numpy(), test["base"].to_numpy()
    # Pooled, the calibrated chances rank: they know how popular each category is.
    m = metrics.chances(test["label"].to_numpy(), p, p, base, test["rule"].to_numpy(), test["household"].to_numpy())
    r = result_of(s, rows, learner, None, m, None, train, pd.concat([parts[n][1] for n in names]))
    r["calibration_words"] = "of each category its own (models.json)"
    r["sources"] = {**rows.sources, **{"cat_" + w: source % "…" for w, source in features.OF_CATEGORY.items()}}
    first = {k: hits({n: parts[n][2] for n in names}, names, v) for k, v in score.items()}
    r["metrics_text"] = next_text(m, table, first)
    r["calibration_text"] = card.calibration_text(s.name, m)
    r["fairness_text"] = card.fairness(fairness_of(j, test, p, p))
    out.card(s.name, card.describe(s, r), plot.calibration(m["parts"], "predicted chance", "observed share"))
    return r


def next_text(m, rows, first):
    head = ["model", "category", "positive", "rate", "AUC", "AUC, rule", "log loss", "base rate", "one rule"]
    share = card.table(["of the visits that bought one of the twelve, it is", "by the model", "by the one rules",
                        "by popularity"],
                       [[words] + [f"{100 * first[k][i]:.1f} %" for k in ("model", "rule", "popular")]
                        for i, words in enumerate(("ranked first", "among the first three"))])
    return (card.chance_metrics(m, "of each category its own, over the same inputs; the base rate is the category's own") +
            "\n" + card.table(head, rows) + "\n" + share + f"\n{card.count(first['model'][2])} visits.\n")


def train(folder, readme, work):
    j = journey.load()
    rows, purchases, out = Rows(work, j), labels.Purchases(j), Reference(folder)
    sweeps, visits = labels.sweeps(j), labels.visits(j)
    found = {}
    frames = {
        spec.COUPON: rows.join(labels.redeemed(j), given=["coupons_redeemed"]),
        spec.LAPSE: rows.join(labels.absent(sweeps, purchases, spec.LAPSE.window_days)).query(
            f"visits_90d >= {spec.VISITS_MIN}"),
        spec.ABSENT40: rows.join(labels.absent(visits, purchases, spec.ABSENT40.window_days)),
        spec.TRADE_UP: rows.join(labels.traded_up(j)),
    }
    for s in spec.CHANCES:
        found[s.name] = chance_model(s, frames[s], j, rows, out)
    found["next"] = next_models(rows.join(labels.bought(j, features.CATEGORIES)), j, rows, out)
    found["value"] = amount_model(spec.VALUE, rows.join(labels.margin(sweeps, purchases, spec.VALUE.window_days)), j,
                                  rows, out)
    found["pair"] = pair.write(j, rows, purchases, out)
    found["outside"] = outside.write(out)
    for feature, model in (("absent40", "absent40"), ("trade_up", "trade-up"), ("value", "value")):
        out.score(feature, model)
    out.done()
    write_index(readme, found)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "reference")
    readme = sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "README.md")
    with tempfile.TemporaryDirectory(prefix="models-", dir=features.BUILD) as work:
        train(folder, readme, work)


if __name__ == "__main__":
    main()
