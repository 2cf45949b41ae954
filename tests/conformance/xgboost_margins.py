#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# xgboost_margins.py - trains models with the real XGBoost and compares margins bit for bit.
#
#   tests/conformance/xgboost_margins.py [AISLECTL]     (default build/aislectl)
#
# Needs python3-xgboost (Debian 12: 1.7.4); leaves with 77 (skipped) without it. Each model is
# imported to the flat form and scored from there and from the source; rows hold missing
# values, thresholds themselves, extremes, and categories that training never saw.

import csv
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import xgboost as xgb
except ImportError:
    print("skipped: python3-xgboost is not installed")
    sys.exit(77)

AISLECTL = sys.argv[1] if len(sys.argv) > 1 else "build/aislectl"
ROWS, FEATURES = 1200, 7
rng = np.random.default_rng(20261121)


def make_rows(categories=0):
    x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    x[:, 1] = np.round(x[:, 1], 1)
    x[:, 2] = rng.integers(0, 5, ROWS)
    x[:, 3] = rng.integers(20180101, 20261231, ROWS)
    x[rng.random(x.shape) < 0.15] = np.nan
    if categories:
        x[:, 0] = rng.integers(0, categories, ROWS)
        x[rng.random(ROWS) < 0.1, 0] = np.nan
    return x


def targets(x):
    clean = np.nan_to_num(x)
    f = clean[:, 1] * 2 - clean[:, 4] + np.sin(clean[:, 5]) + (clean[:, 0].astype(int) % 3)
    return f + rng.normal(scale=0.3, size=len(f))


def target_for(objective, f):
    if objective.startswith(("binary", "reg:logistic")):
        return (f > np.median(f)).astype(float)
    if objective.startswith("multi"):
        return np.digitize(f, np.quantile(f, [0.25, 0.5, 0.75]))
    if objective in ("survival:aft", "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "reg:squaredlogerror"):
        return np.exp(f / 4) + 0.1
    return f


def train(objective, x, y, types=None, rounds=30, **more):
    params = {"objective": objective, "max_depth": 5, "eta": 0.3, "seed": 1, "nthread": 1, "verbosity": 0,
              "tree_method": "hist" if types else "exact"}
    params.update(more)
    if params.get("booster") == "gblinear":
        params = {k: v for k, v in params.items() if k not in ("max_depth", "tree_method")}
    matrix = xgb.DMatrix(x, label=y, feature_types=types, enable_categorical=bool(types))
    if objective.startswith("rank"):
        matrix.set_group([20] * (len(y) // 20))
    if objective == "survival:aft":
        matrix = xgb.DMatrix(x)
        matrix.set_float_info("label_lower_bound", y)
        matrix.set_float_info("label_upper_bound", y)
    return xgb.train(params, matrix, rounds)


def probe(x, booster, categories):
    """Training rows, then rows at and beside thresholds, and extremes."""
    thresholds = []
    for tree in json.loads(booster.save_raw("json").decode().replace("NaN", "null")) \
            ["learner"]["gradient_booster"].get("model", {}).get("trees", []):
        thresholds += [(i, t) for i, t, l in zip(tree["split_indices"], tree["split_conditions"],
                                                 tree["left_children"]) if l != -1 and t is not None]
    more = x[:200].copy()
    for k, (i, t) in enumerate(thresholds[:200]):
        step = [np.float32(-np.inf), None, np.float32(np.inf)][k % 3]
        more[k % 200, i] = np.float32(t) if step is None else np.nextafter(np.float32(t), step)
    extreme = x[:40].copy()
    extreme[:, 4] = np.resize(np.float32([0.0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38, 16777217, np.nan]), 40)
    if categories:
        extreme[:, 0] = np.resize(np.float32([categories, categories + 7, 1e6, 0.5, 1.7, 0]), 40)
    return np.vstack([x[:400], more, extreme]).astype(np.float32)


def write_rows(path, x, names):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        for row in x:
            writer.writerow(["" if np.isnan(v) else repr(float(v)) for v in row])


def scores(model, rows, margin):
    command = [AISLECTL, "model", "score", model, rows] + (["--margin"] if margin else [])
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return np.array([[np.float32(v) for v in line.split(",")] for line in text.splitlines()], dtype=np.float32)


def compare(name, booster, x, folder, types=None):
    file, flat, rows = (os.path.join(folder, n) for n in ("m.json", "m.aisle", "rows.csv"))
    booster.save_model(file)
    subprocess.run([AISLECTL, "model", "import", file, "-o", flat], check=True)
    names = booster.feature_names or ["f%d" % i for i in range(x.shape[1])]
    write_rows(rows, x, names)
    matrix = xgb.DMatrix(x, feature_types=types, enable_categorical=bool(types), feature_names=booster.feature_names)
    want = np.float32(booster.predict(matrix, output_margin=True)).reshape(len(x), -1)
    linked = np.float32(booster.predict(matrix)).reshape(len(x), -1)
    for model in (file, flat):
        have = scores(model, rows, True)
        same = (have.view(np.uint32) == want.view(np.uint32)) | (np.isnan(have) & np.isnan(want))
        wrong = int((~same).sum())
        if wrong:
            k = np.argwhere(~same)[:3]
            print("not ok %s: %d of %d margins differ, first at %s: %s, expected %s" %
                  (name, wrong, want.size, k.tolist(), have[tuple(k[0])], want[tuple(k[0])]))
            return False
        near = np.allclose(scores(model, rows, False), linked, rtol=5e-6, atol=1e-9, equal_nan=True)
        if not near:
            print("not ok %s: values after the link differ" % name)
            return False
    print("ok %s: %d margins" % (name, want.size))
    return True


def main():
    good = True
    x = make_rows()
    f = targets(x)
    cases = [(o, {}) for o in ("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:logistic",
                               "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "reg:gamma",
                               "reg:tweedie", "survival:cox", "survival:aft", "rank:pairwise", "rank:ndcg", "rank:map")]
    cases += [("multi:softprob", {"num_class": 4}), ("multi:softmax", {"num_class": 4})]
    cases += [("binary:logistic", {"base_score": b}) for b in (0.1, 0.25, 0.7, 0.93)]
    cases += [("count:poisson", {"base_score": 3.0}), ("reg:squarederror", {"base_score": -7.25})]
    cases += [(o, {"booster": "dart", "rate_drop": 0.3, "base_score": b, "one_drop": 1})
              for o, b in (("reg:squarederror", 2.5), ("binary:logistic", 0.3))]
    cases += [("multi:softprob", {"num_class": 4, "booster": "dart", "rate_drop": 0.3, "one_drop": 1})]
    cases += [(o, {"booster": "gblinear", "base_score": b}) for o, b in
              (("reg:squarederror", 0.5), ("binary:logistic", 0.4))]
    cases += [("multi:softprob", {"num_class": 4, "booster": "gblinear"})]
    cases += [("reg:squarederror", {"num_parallel_tree": 5, "subsample": 0.5, "eta": 1}),
              ("binary:logistic", {"grow_policy": "lossguide", "max_leaves": 60, "max_depth": 0, "tree_method": "hist"}),
              ("reg:squarederror", {"max_depth": 1}), ("reg:squarederror", {"gamma": 1e9})]
    with tempfile.TemporaryDirectory() as folder:
        for objective, more in cases:
            booster = train(objective, x, np.array(target_for(objective, f)), **more)
            good &= compare(" ".join([objective] + ["%s=%s" % p for p in more.items()]), booster, probe(x, booster, 0),
                            folder)
        for count, more in ((3, {}), (12, {}), (60, {"max_cat_to_onehot": 1}), (60, {"max_cat_to_onehot": 100})):
            types = ["c"] + ["q"] * (FEATURES - 1)
            xc = make_rows(count)
            booster = train("binary:logistic", xc, target_for("binary", targets(xc)), types, base_score=0.2, **more)
            good &= compare("%d categories %s" % (count, more), booster, probe(xc, booster, count), folder, types)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
