# SPDX-License-Identifier: Apache-2.0
"""Learners whose margins are those the store computes: XGBoost as float32, linear as a sum of doubles.

Weights and calibrations are rounded before they are used, so what is measured
is what is shipped. One thread and fixed seeds: the same bytes each time.
"""
import json
import math

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, PoissonRegressor

ISOTONIC_POSITIVES_MIN = 400  # below that two numbers (Platt) are all that the slice can tell
ISOTONIC_BLOCK_MIN = 200


STRANGERS_EVERY = 25
OF_NOW = ("weekday", "hour")  # inputs that need nobody to be known


def rounded(x, digits=6):
    return float(f"{x:.{digits}g}")


def with_strangers(x, y):
    """Every 25th row once more, as of a customer of whom nothing is known: else where a missing value
    goes in a tree would be chance, and a stranger could get the score of the best customer."""
    again = x.iloc[::STRANGERS_EVERY].copy()
    again.loc[:, [n for n in x.columns if n not in OF_NOW]] = np.nan
    return pd.concat([x, again]), np.concatenate([np.asarray(y), np.asarray(y)[::STRANGERS_EVERY]])


class Trees:
    """XGBoost, at most 60 trees of depth 4."""

    ending = "json"

    def __init__(self, objective, trees=60, depth=3, eta=0.1, leaf=30.0):
        self.trees = trees
        self.options = {"objective": objective, "max_depth": depth, "eta": eta, "min_child_weight": leaf, "lambda": 5.0,
                        "subsample": 1.0, "tree_method": "hist", "max_bin": 64, "nthread": 1, "seed": 1, "verbosity": 0}
        if objective == "reg:tweedie":
            self.options["tweedie_variance_power"] = 1.5
            self.options["min_child_weight"] = 1.0
        else:
            # A leaf must hold so many rows, whatever the rate: the hessian of a row is about p(1-p).
            self.leaf = leaf

    def fit(self, x, y):
        options = dict(self.options)
        rate = float(np.mean(y))
        options["base_score"] = rounded(rate, 4)
        if options["objective"] == "binary:logistic":
            options["min_child_weight"] = rounded(self.leaf * rate * (1 - rate), 4)
        self.levels = levels_of(x)
        self.booster = xgb.train(options, self.matrix(*with_strangers(numbers(x, self.levels), y)), self.trees)
        return self

    def matrix(self, x, y=None):
        return xgb.DMatrix(x.to_numpy(dtype=np.float32), label=y, feature_names=list(x.columns), nthread=1)

    def margins(self, x):
        return self.booster.predict(self.matrix(numbers(x, self.levels)), output_margin=True).astype(np.float64)

    def importance(self):
        gain = self.booster.get_score(importance_type="total_gain")
        total = sum(gain.values()) or 1.0
        return sorted(((n, g / total) for n, g in gain.items()), key=lambda p: (-p[1], p[0]))

    def text(self):
        return self.booster.save_raw("json").decode() + "\n"

    def describe(self):
        return f"XGBoost, {self.trees} trees of depth {self.options['max_depth']}, `{self.options['objective']}`"


def levels_of(x):
    """The values of each input that is a text."""
    return {n: sorted(x[n].dropna().unique()) for n in x.columns if x[n].dtype == object}


def numbers(x, levels):
    """A text as a column of 0 and 1 for each value that it had in training, named as the store names its weight."""
    found = {}
    for n in x.columns:
        if n in levels:
            found.update({f"{n}={v}": (x[n] == v).astype(float) for v in levels[n]})
        else:
            found[n] = x[n].astype(float)
    return pd.DataFrame(found, index=x.index)


def signed_log1p(v):
    return math.copysign(math.log1p(abs(v)), v)


class Linear:
    """Logistic regression with a ridge, on inputs as they are or by log1p; a missing one counts as the training median."""

    ending = "linear.json"
    link = "logit"

    def __init__(self, strength=0.1, log=False):
        self.strength, self.log = strength, log

    def values(self, x):
        """What the weights are multiplied with; the logarithm by libm, whose bits depend on no vector unit."""
        x = numbers(x, self.levels)
        for n in self.logs:
            x[n] = x[n].map(signed_log1p, na_action="ignore")
        return x

    def learner(self):
        # Newton's method ends at the optimum, not near it: the digits that are kept are those of every machine.
        return LogisticRegression(C=self.strength, solver="newton-cholesky", tol=1e-9, max_iter=100)

    def fit(self, x, y):
        self.levels = levels_of(x)
        known = [n for n in x.columns if n not in self.levels]
        self.logs = [n for n in known if self.log and n not in OF_NOW]
        x = self.values(x)
        self.names = list(x.columns)
        self.missing = {n: rounded(float(x[n].median()) if x[n].notna().any() else 0.0, 4) for n in known}
        filled = x.fillna(self.missing)
        centre, spread = filled.mean(), filled.std(ddof=0).replace(0, 1.0)
        model = self.learner().fit(((filled - centre) / spread).to_numpy(), np.asarray(y, dtype=float))
        weights = np.ravel(model.coef_) / spread.to_numpy()
        self.weights = {n: rounded(float(w)) for n, w in zip(self.names, weights)}
        self.spread = spread
        self.bias = rounded(float(np.ravel(model.intercept_)[0] - (weights * centre.to_numpy()).sum()))
        return self

    def margins(self, x):
        """The sum in the file's order, as the store adds it."""
        x, total = self.values(x).fillna(self.missing), np.full(len(x), self.bias)
        for name, weight in self.weights.items():
            total = total + weight * x[name].to_numpy(dtype=np.float64)
        return total

    def importance(self):
        size = dict.fromkeys((n.split("=")[0] for n in self.names), 0.0)
        for n, w in self.weights.items():
            size[n.split("=")[0]] += abs(w) * float(self.spread[n])
        total = sum(size.values()) or 1.0
        return sorted(((n, s / total) for n, s in size.items()), key=lambda p: (-p[1], p[0]))

    def text(self):
        logs = {"log1p": self.logs} if self.logs else {}
        return json.dumps({"format": "aisle-linear", "link": self.link, "bias": self.bias, "weights": self.weights, **logs,
                           "missing": self.missing}, indent="\t") + "\n"

    def describe(self):
        how = "by log1p" if self.logs else "as they are"
        return f"logistic regression with a ridge, {len(self.missing) + len(self.levels)} inputs {how}"


class Amount(Linear):
    """The same for an amount: Poisson regression, whose margin is the amount's logarithm."""

    link = "log"

    def learner(self):
        return PoissonRegressor(alpha=0.01, solver="newton-cholesky", tol=1e-9, max_iter=100)

    def describe(self):
        return super().describe().replace("logistic", "Poisson")


def logistic(margin):
    return 1.0 / (1.0 + np.exp(-np.asarray(margin)))


# ---- calibration: from a margin to the rate that a later slice of time had ----

def platt(margins, labels):
    model = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-9, max_iter=100)
    model.fit(np.asarray(margins).reshape(-1, 1), np.asarray(labels))
    a = max(float(model.coef_[0][0]), 0.0)
    return {"platt": [rounded(a, 5), rounded(float(model.intercept_[0]), 5)]}


def isotonic(margins, labels):
    """Rates of pooled neighbours, each of at least ISOTONIC_BLOCK_MIN rows, as points that rise."""
    order = np.argsort(margins, kind="stable")
    m, y = np.asarray(margins)[order], np.asarray(labels, dtype=float)[order]
    parts = max(2, min(20, len(m) // ISOTONIC_BLOCK_MIN))
    centres = np.array([p.mean() for p in np.array_split(m, parts)])
    rates = np.array([p.mean() for p in np.array_split(y, parts)])
    smooth = IsotonicRegression(y_min=0, y_max=1).fit_transform(centres, rates)
    points = []
    for centre, rate in zip(centres, smooth):
        point = [rounded(centre, 6), rounded(rate, 5)]
        if not points or point[0] > points[-1][0]:
            points.append(point)
    return {"isotonic": points}


def calibration(margins, labels):
    enough = min(int(np.sum(labels)), int(len(labels) - np.sum(labels))) >= ISOTONIC_POSITIVES_MIN
    return isotonic(margins, labels) if enough else platt(margins, labels)


def calibrated(how, margins):
    if how is None:
        return logistic(margins)
    if "platt" in how:
        a, b = how["platt"]
        return logistic(a * np.asarray(margins) + b)
    xs, ps = zip(*how["isotonic"])
    return np.interp(margins, xs, ps)


assert math.isclose(logistic(0.0), 0.5)
