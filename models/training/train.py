#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make models: from the shipped slice to models/reference. train.py [OUT README DOCS]

  slice → events → `aislectl features` → rows → labels → learners → exam rows, cards

Of two learners, a boosting and a plain regression, rivals.py says which is shipped; models/README.md, what was looked at.
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
import rivals
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
    learned = pd.concat([train, calibrate])
    closes = learned["time"] + pd.Timedelta(days=s.window_days)
    if "end" in learned:
        closes = np.minimum(closes, learned["end"] + labels.DAY)
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
    train, calibrate, test, _ = parts_of(s, frame)
    kept, m, rule = rivals.measure(s.boosting(), s.inputs, train, calibrate, test, s.by)
    learner, how, margin, p = kept
    r = result_of(s, rows, learner, how, m, rule, train, calibrate)
    r["stranger"] = card.number(fit.calibrated(how, learner.margins(nothing_known(s)))[0], 4)
    r["metrics_text"] = card.chance_metrics(m, rule.describe()) + (card.by_kind(m) if s.by else "")
    r["calibration_text"] = card.calibration_text(s.name, m)
    r["fairness_text"] = card.fairness(fairness_of(j, test, p, margin))
    out.model(s.name, out.file(s.name, learner), learner, test[s.inputs], how, target=s.target,
              window_days=s.window_days, population=s.population)
    out.card(s.name, card.describe(s, r), plot.calibration(m["parts"], "predicted chance", "observed share"))
    return r


def amount_model(s, frame, j, rows, out):
    train, calibrate, test, _ = parts_of(s, frame)
    kept, m, rule = rivals.measure_amount(s.boosting(), s.inputs, train, test)
    r = result_of(s, rows, kept.learner, None, m, rule, train, calibrate)
    r["stranger"] = card.number(np.exp(kept.learner.margins(nothing_known(s)))[0], 1)
    r["metrics_text"] = card.amount_metrics(m, rule.describe())
    r["calibration_text"] = card.calibration_text(s.name, m, "minor units")
    r["fairness_text"] = card.fairness(fairness_of(j, test, kept.p, kept.p), amount=True)
    out.model(s.name, out.file(s.name, kept.learner), kept.learner, test[s.inputs], target=s.target,
              window_days=s.window_days, population=s.population)
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


def next_rows(frame):
    """Of each category: the rows to learn from, to calibrate with, to test with, and all that was learned from."""
    return {n: parts_of(spec.NEXT, of_category(frame[frame["category"] == n], n)) for n in features.CATEGORIES}


def next_kept(parts):
    """The two learners over all categories, a calibration in each; which is kept, and the test's rows with all chances."""
    s, names = spec.NEXT, list(parts)
    train, judge, learned, test = (pd.concat([parts[n][k] for n in names]) for k in (0, 1, 3, 2))
    two = {rivals.PLAIN: rivals.plain(s.inputs, train, judge),
           rivals.BOOSTING: s.boosting().fit(train[s.inputs], train["label"])}
    found = {k: {n: rivals.chance(learner, s.inputs, parts[n][1], parts[n][2]) for n in names} for k, learner in two.items()}
    p = {k: np.concatenate([c.p for c in of.values()]) for k, of in found.items()}
    ruled = np.concatenate([rivals.one_rule(s.inputs, parts[n][3], parts[n][2])[1] for n in names])
    base = rivals.base_rate(learned, test, "category")
    # Pooled, the calibrated chances rank: they know how popular each category is.
    kept, m = rivals.compare(test, p, p, base, ruled)
    return found[kept], m, test.assign(p=p[kept], rule=ruled, base=base, other=p[rivals.PLAIN], trees=p[rivals.BOOSTING])


def next_row(n, own, margin):
    y = own["label"].to_numpy(dtype=float)
    losses = [card.number(metrics.log_loss(y, own[k].to_numpy()), 4) for k in ("base", "rule", "other", "trees")]
    return [f"`next-{n}`", features.CATEGORIES[n], card.count(y.sum()), f"{100 * y.mean():.1f} %",
            card.number(metrics.auc(y, margin)), card.number(metrics.auc(y, own["rule"])), *losses]


def next_models(frame, j, rows, out):
    s, parts = spec.NEXT, next_rows(frame)
    names = list(parts)
    found, m, test = next_kept(parts)
    learner, table, score = found[names[0]].learner, [], {"p": {}, "rule": {}, "base": {}}
    file = out.file(s.name, learner)
    for n in names:
        own = test[test["category"] == n]
        for k, of in score.items():
            of[n] = own[k].to_numpy()
        table.append(next_row(n, own, found[n].margin))
        out.model("next-" + n, file, learner, parts[n][2][s.inputs], found[n].how, spec.category_inputs(n), target=s.target,
                  window_days=s.window_days, population=s.population)
    r = result_of(s, rows, learner, None, m, None, *(pd.concat([parts[n][k] for n in names]) for k in (0, 1)))
    r["calibration_words"] = "of each category its own (models.json)"
    r["sources"] = {**rows.sources, **{"cat_" + w: source % "…" for w, source in features.OF_CATEGORY.items()}}
    r["metrics_text"] = next_text(m, table, {k: hits({n: parts[n][2] for n in names}, names, v) for k, v in score.items()})
    r["calibration_text"] = card.calibration_text(s.name, m)
    r["fairness_text"] = card.fairness(fairness_of(j, test, test["p"].to_numpy(), test["p"].to_numpy()))
    out.card(s.name, card.describe(s, r), plot.calibration(m["parts"], "predicted chance", "observed share"))
    return r


def next_text(m, rows, first):
    head = ["model", "category", "positive", "rate", "AUC", "AUC, rule", "log loss: base rate", "one rule", "plain logistic",
            "boosting"]
    share = card.table(["of the visits that bought one of the twelve, it is", "by the model", "by the one rules",
                        "by popularity"],
                       [[words] + [f"{100 * first[k][i]:.1f} %" for k in ("p", "rule", "base")]
                        for i, words in enumerate(("ranked first", "among the first three"))])
    return (card.chance_metrics(m, "of each category its own, over the same inputs; the base rate is the category's own") +
            "\n" + card.table(head, rows) + "\n" + share + f"\n{card.count(first['p'][2])} visits.\n")


def train(folder, readme, docs, work):
    j = journey.load()
    rows, purchases, out = Rows(work, j), labels.Purchases(j), Reference(folder)
    sweeps, visits = labels.sweeps(j), labels.visits(j)
    found = {}
    frames = {
        spec.COUPON: rows.join(labels.redeemed(j), given=["campaign_kind", "coupons_redeemed_90d"]),
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
    write_index(readme, found, "reference/cards")
    write_index(docs, found, "../models/reference/cards")


def main():
    given = sys.argv[1:]
    folder, readme, docs = given or (os.path.join(ROOT, *parts) for parts in
                                     (["reference"], ["README.md"], ["..", "docs", "models.md"]))
    with tempfile.TemporaryDirectory(prefix="models-", dir=features.BUILD) as work:
        train(folder, readme, docs, work)


if __name__ == "__main__":
    main()
