# SPDX-License-Identifier: Apache-2.0
"""How good a chance is: against the base rate, and against the best single rule. Intervals are over households."""
import numpy as np
from sklearn.metrics import roc_auc_score

RESAMPLES = 200
RULE_BINS = 5
TINY = 1e-6


def log_loss(y, p, weight=None):
    p = np.clip(p, TINY, 1 - TINY)
    return float(np.average(-(y * np.log(p) + (1 - y) * np.log(1 - p)), weights=weight))


def brier(y, p, weight=None):
    return float(np.average((p - y) ** 2, weights=weight))


def auc(y, score, weight=None):
    kept = np.ones(len(y), bool) if weight is None else weight > 0
    if len(set(np.asarray(y)[kept])) < 2:
        return float("nan")
    return float(roc_auc_score(y, score, sample_weight=weight))


class Resamples:
    """Weights of the rows when whole households are drawn anew."""

    def __init__(self, households, count=RESAMPLES):
        _, self.of_row = np.unique(households, return_inverse=True)
        self.size = self.of_row.max() + 1
        self.count = count

    def __iter__(self):
        chance = np.random.default_rng(20171030)
        for _ in range(self.count):
            yield np.bincount(chance.integers(0, self.size, self.size), minlength=self.size)[self.of_row].astype(float)

    def interval(self, figure):
        """The middle 95 % of figure(weights)."""
        found = [figure(w) for w in self]
        found = [f for f in found if f == f]
        return tuple(float(v) for v in np.quantile(found, [0.025, 0.975])) if found else (float("nan"),) * 2


class OneRule:
    """The best single input, cut into at most five parts and "missing", each with its mean of training."""

    def fit(self, x, y, squared=False):
        best = None
        y = np.asarray(y, dtype=float)
        for name in x.columns:
            values = x[name].to_numpy(dtype=float)
            known = values[np.isfinite(values)]
            cuts = np.unique(np.quantile(known, np.linspace(0, 1, RULE_BINS + 1)[1:-1])) if len(known) else known
            part = self.part(values, cuts)
            means = np.array([(y[part == k].sum() + y.mean()) / ((part == k).sum() + 1) for k in range(len(cuts) + 2)])
            p = means[part]
            loss = float(np.mean((p - y) ** 2)) if squared else log_loss(y, p)
            if best is None or loss < best[0] - 1e-12:
                best = (loss, name, cuts, means)
        _, self.name, self.cuts, self.means = best
        return self

    @staticmethod
    def part(values, cuts):
        return np.where(np.isnan(values), len(cuts) + 1, np.searchsorted(cuts, values, side="left"))

    def predict(self, x):
        return self.means[self.part(x[self.name].to_numpy(dtype=float), self.cuts)]

    def describe(self):
        cuts = ", ".join(f"{c:.4g}" for c in self.cuts)
        return f"`{self.name}` cut at {cuts}"


def parts_by_prediction(y, p, count=10):
    """Predicted and observed in equal parts by prediction: rows, mean predicted, mean observed, its 95 % interval."""
    out = []
    for part in np.array_split(np.argsort(p, kind="stable"), count):
        n, seen = len(part), float(np.mean(y[part]))
        out.append((n, float(np.mean(p[part])), seen, *wilson(seen, n)))
    return out


def wilson(rate, n, z=1.96):
    """The interval of a share, after Wilson (1927)."""
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, float(centre - half)), float(centre + half)


def calibration_error(parts):
    total = sum(p[0] for p in parts)
    return sum(p[0] * abs(p[1] - p[2]) for p in parts) / total


def gain(y, other, p):
    """Of weights: how much smaller the log loss of p is than that of the other."""
    def losses(q):
        q = np.clip(q, TINY, 1 - TINY)
        return -(y * np.log(q) + (1 - y) * np.log(1 - q))

    less = losses(other) - losses(p)
    return lambda w: float(np.average(less, weights=w))


def chances(y, p, margin, others, households):
    """Everything a card says of a model that gives a chance. margin ranks (a calibration may make ties).
    others: name -> its chances for the same rows; "base rate" is one of them."""
    y, p, again = np.asarray(y, dtype=float), np.asarray(p), Resamples(households)
    parts = parts_by_prediction(y, p)
    beside = {name: {"auc": auc(y, q), "log_loss": log_loss(y, q), "brier": brier(y, q),
                     "gain_interval": again.interval(gain(y, q, p))} for name, q in others.items()}
    return {
        "rows": len(y), "households": len(set(households)), "positives": int(y.sum()), "rate": float(y.mean()),
        "base": float(np.mean(others["base rate"])), "auc": auc(y, margin),
        "auc_interval": again.interval(lambda w: auc(y, margin, w)), "log_loss": log_loss(y, p), "brier": brier(y, p),
        "log_loss_interval": again.interval(lambda w: log_loss(y, p, w)), "beside": beside,
        "mean": float(p.mean()), "parts": parts, "calibration_error": calibration_error(parts)}


def spearman(a, b):
    ra, rb = (np.argsort(np.argsort(v, kind="stable"), kind="stable").astype(float) for v in (a, b))
    return float(np.corrcoef(ra, rb)[0, 1])


def rmse(y, p, weight=None):
    return float(np.sqrt(np.average((p - y) ** 2, weights=weight)))


def rmse_gain(y, other, p):
    return lambda w: rmse(y, other, w) - rmse(y, p, w)


def amounts(y, p, others, households):
    """The same of a model that gives an amount."""
    y, p, again = np.asarray(y, dtype=float), np.asarray(p), Resamples(households)
    parts = []
    for part in np.array_split(np.argsort(p, kind="stable"), 10):
        seen, error = float(y[part].mean()), 1.96 * float(y[part].std()) / np.sqrt(len(part))
        parts.append((len(part), float(p[part].mean()), seen, max(0.0, seen - error), seen + error))
    beside = {name: {"rank": spearman(q, y), "rmse": rmse(y, q), "mae": float(np.mean(abs(q - y))),
                     "gain_interval": again.interval(rmse_gain(y, q, p))} for name, q in others.items()}
    return {
        "rows": len(y), "households": len(set(households)), "rate": float(y.mean()),
        "base": float(np.mean(others["base rate"])), "mean": float(p.mean()), "rmse": rmse(y, p),
        "rmse_interval": again.interval(lambda w: rmse(y, p, w)), "mae": float(np.mean(abs(p - y))), "rank": spearman(p, y),
        "beside": beside, "parts": parts}


def by_group(y, p, margin, households, groups, share=0.2):
    """What each group of households had and was given; top: its share among the highest scores."""
    top = margin >= np.quantile(margin, 1 - share)
    out = []
    for name in sorted(set(groups)):
        at = groups == name
        n, positives, seen = int(at.sum()), float(y[at].sum()), float(y[at].mean())
        if set(np.unique(y)) <= {0.0, 1.0}:
            low, high = wilson(seen, n)
        else:
            half = 1.96 * float(y[at].std()) / np.sqrt(n)
            low, high = seen - half, seen + half
        enough = min(positives, n - positives) >= 20
        out.append({"name": name, "rows": n, "households": len(set(households[at])), "positives": positives, "seen": seen,
                    "low": low, "high": high, "predicted": float(p[at].mean()),
                    "auc": auc(y[at], margin[at]) if enough else None, "top": float(top[at].mean())})
    return out
