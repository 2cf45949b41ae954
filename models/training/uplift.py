# SPDX-License-Identifier: Apache-2.0
"""Two models for one offer: the chance with it and without. And how far to believe them."""
import numpy as np

import metrics
from fit import Linear, logistic

STRATA = 5


def difference(y, treated):
    """Treated less control, with its 95 % interval."""
    a, b = y[treated == 1], y[treated == 0]
    d = a.mean() - b.mean()
    half = 1.96 * np.sqrt(a.var() / len(a) + b.var() / len(b))
    return float(d), float(d - half), float(d + half)


def stratified(y, treated, chance):
    """The same within fifths of the chance to be treated: what the inputs can explain is taken out."""
    edges = np.quantile(chance, np.linspace(0, 1, STRATA + 1)[1:-1])
    part, total, spread, kept = np.searchsorted(edges, chance), 0.0, 0.0, 0
    for k in range(STRATA):
        a, b = y[(part == k) & (treated == 1)], y[(part == k) & (treated == 0)]
        if min(len(a), len(b)) < 10:
            continue
        n = len(a) + len(b)
        total += n * (a.mean() - b.mean())
        spread += n * n * (a.var() / len(a) + b.var() / len(b))
        kept += n
    d, half = total / kept, 1.96 * np.sqrt(spread) / kept
    return float(d), float(d - half), float(d + half)


def fit(x, y, treated, learner=lambda: Linear(0.1)):
    return learner().fit(x[treated == 1], y[treated == 1]), learner().fit(x[treated == 0], y[treated == 0])


def predict(pair, x):
    with_it, without = (logistic(m.margins(x)) for m in pair)
    return with_it, without


def targeting(x, treated):
    """The chance that the campaign chose this household, from the same inputs."""
    return logistic(Linear(1.0).fit(x, treated).margins(x))


def by_uplift(y, treated, uplift, parts=5):
    """Predicted and observed difference in parts by predicted uplift, the largest first."""
    out = []
    for part in np.array_split(np.argsort(-uplift, kind="stable"), parts):
        d, low, high = difference(y[part], treated[part])
        out.append((len(part), int(treated[part].sum()), float(uplift[part].mean()), d, low, high))
    return out


def qini(y, treated, uplift, points=100):
    """Gain in outcomes a customer when the best share is treated, less that of a random share; averaged over shares."""
    order = np.argsort(-uplift, kind="stable")
    y, t = y[order], treated[order]
    n = len(y)
    cut = np.linspace(1, n, points).astype(int) - 1
    y1, y0, n1, n0 = np.cumsum(y * t)[cut], np.cumsum(y * (1 - t))[cut], np.cumsum(t)[cut], np.cumsum(1 - t)[cut]
    gain = (y1 / np.maximum(n1, 1) - y0 / np.maximum(n0, 1)) * (cut + 1) / n
    return float(np.mean(gain - gain[-1] * (cut + 1) / n))


def areas(pair, x, y, treated):
    """AUC of each model on its own side."""
    with_it, without = predict(pair, x)
    return metrics.auc(y[treated == 1], with_it[treated == 1]), metrics.auc(y[treated == 0], without[treated == 0])
