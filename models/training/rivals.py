# SPDX-License-Identifier: Apache-2.0
"""What a model is put beside, learned from the same rows: the base rate, one rule, a plain logistic regression, a boosting.

The boosting is shipped where it beats the plain regression on later data (the 95 % interval of the difference, households
drawn anew, is above zero); else the plain regression is.
"""
from collections import namedtuple

import numpy as np
import pandas as pd

import fit
import metrics

PLAIN, BOOSTING = "plain logistic", "boosting"
Chance = namedtuple("Chance", "learner how margin p")  # how: a calibration, or None
Measured = namedtuple("Measured", "kept metrics rule")


def platt_loss(margin, label):
    y = np.asarray(label, dtype=float)
    return metrics.log_loss(y, fit.calibrated(fit.platt(margin, y), margin))


def plain(inputs, train, judge, learner=fit.Linear, loss=platt_loss):
    """Of the inputs as they are and by their logarithms, what the judging rows like better."""
    made = [learner(log=log).fit(train[inputs], train["label"]) for log in (False, True)]
    return min(made, key=lambda m: loss(m.margins(judge[inputs]), judge["label"]))


def chance(learner, inputs, calibrate, test):
    how = fit.calibration(learner.margins(calibrate[inputs]), calibrate["label"]) if len(calibrate) else None
    margin = learner.margins(test[inputs])
    return Chance(learner, how, margin, fit.calibrated(how, margin))


def base_rate(learned, test, by=None):
    """The rate of what was learned from; by: of the same value of that column."""
    if by is None:
        return np.full(len(test), learned["label"].mean())
    return test[by].map(learned.groupby(by)["label"].mean()).to_numpy(dtype=float)


def one_rule(inputs, learned, test, squared=False):
    levels = fit.levels_of(learned[inputs])
    rule = metrics.OneRule().fit(fit.numbers(learned[inputs], levels), learned["label"], squared)
    return rule, rule.predict(fit.numbers(test[inputs], levels))


def kept_of(y, p, households):
    """p: what each of the two gives. The boosting, if it is told apart from the plain one and better."""
    low, _ = metrics.Resamples(households).interval(metrics.gain(y, p[PLAIN], p[BOOSTING]))
    return BOOSTING if low > 0 else PLAIN


def compare(test, p, margin, base, ruled):
    """Which is kept, and its metrics beside all the others."""
    y, households = test["label"].to_numpy(dtype=float), test["household"].to_numpy()
    kept = kept_of(y, p, households)
    beside = {"base rate": base, "one rule": ruled, **p}
    m = metrics.chances(y, p[kept], margin[kept], beside, households)
    return kept, {**m, "kept": kept}


def measure(boosting, inputs, train, calibrate, test, by=None):
    learned = pd.concat([train, calibrate])
    two = {PLAIN: plain(inputs, train, calibrate if len(calibrate) else train),
           BOOSTING: boosting.fit(train[inputs], train["label"])}
    two = {k: chance(learner, inputs, calibrate, test) for k, learner in two.items()}
    rule, ruled = one_rule(inputs, learned, test)
    kept, m = compare(test, {k: c.p for k, c in two.items()}, {k: c.margin for k, c in two.items()},
                      base_rate(learned, test, by), ruled)
    if by:
        m["by"] = {value: compare(test[at], {k: c.p[at] for k, c in two.items()}, {k: c.margin[at] for k, c in two.items()},
                                  base_rate(learned, test[at], by), ruled[at])[1]
                   for value in sorted(test[by].unique()) for at in [(test[by] == value).to_numpy()]}
    return Measured(two[kept], m, rule)


def squared_loss(margin, label):
    return float(np.mean((np.exp(margin) - np.asarray(label)) ** 2))


def measure_amount(boosting, inputs, train, test):
    """The same of an amount: a plain Poisson regression stands for the logistic one."""
    y, households = test["label"].to_numpy(dtype=float), test["household"].to_numpy()
    two = {PLAIN: plain(inputs, train, train, fit.Amount, squared_loss),
           BOOSTING: boosting.fit(train[inputs], train["label"])}
    margin = {k: learner.margins(test[inputs]) for k, learner in two.items()}
    p = {k: np.exp(v) for k, v in margin.items()}
    rule, ruled = one_rule(inputs, train, test, squared=True)
    low, _ = metrics.Resamples(households).interval(metrics.rmse_gain(y, p[PLAIN], p[BOOSTING]))
    kept = BOOSTING if low > 0 else PLAIN
    base = np.full(len(y), train["label"].mean())
    m = metrics.amounts(y, p[kept], {"base rate": base, "one rule": ruled, **p}, households)
    return Measured(Chance(two[kept], None, margin[kept], p[kept]), {**m, "kept": kept}, rule)
