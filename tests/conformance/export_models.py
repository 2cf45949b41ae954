# SPDX-License-Identifier: Apache-2.0
"""models/export: scikit-learn's and CatBoost's models as files, scored by aisle as the library scores them.

scikit-learn is Debian's. CatBoost is no Debian package: its model is written here by hand, in the shape that its documentation has, and
scored by that documentation's rule.
"""
import csv
import io
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import pandas
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (ExtraTreesClassifier, HistGradientBoostingClassifier, HistGradientBoostingRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "models", "export"))
import aisle_export as export  # noqa: E402

AISLECTL = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "aislectl")
TIERS = ["gold", "silver", "none"]


def table(seed, count=600, holes=0.0):
    """Spends, visits, days, a tier, and whether something came of it."""
    rng = np.random.RandomState(seed)
    frame = pandas.DataFrame({"spend": rng.lognormal(3, 1, count), "visits": rng.poisson(4, count).astype(float),
                              "days": rng.rand(count) * 90, "shelf": rng.randint(0, 40, count).astype(float),
                              "tier": np.array(TIERS)[rng.randint(0, 3, count)]})
    margin = 0.5 * np.log1p(frame.spend) - 0.03 * frame.days + (frame.shelf % 3 == 1) + (frame.tier == "gold") - 1
    y = (rng.rand(count) < 1 / (1 + np.exp(-margin))).astype(int)
    for name in ("spend", "visits", "days", "shelf"):
        frame.loc[rng.rand(count) < holes, name] = np.nan
    return frame, y


def scores(text, ending, rows, names, *words):
    with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
        model, data = os.path.join(folder, "m" + ending), os.path.join(folder, "rows.csv")
        with open(model, "w") as f:
            f.write(text)
        with open(data, "w", newline="") as f:
            out = csv.writer(f)
            out.writerow(names)
            out.writerows([["" if row[n] is None else row[n] if isinstance(row[n], str) else repr(float(row[n])) for n in names]
                           for row in rows])
        done = subprocess.run([AISLECTL, "model", "score", model, data, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [float(line) for line in done.stdout.split() if line[0] in "-0123456789"]


def rows_of(frame):
    return [{k: None if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()} for row in frame.to_dict("records")]


def compare(what, model, rows, tolerance):
    ending, text = export.export(model, list(rows[0]))
    ours, theirs = scores(text, ending, rows, list(rows[0]), "--margin"), export.margins(model, rows)
    assert len(ours) == len(theirs) == len(rows), (what, len(ours))
    worst = max(abs(a - b) for a, b in zip(ours, theirs))
    assert worst <= tolerance, (what, worst)
    print(f"ok      {what}: {len(rows)} rows, {'to the bit' if tolerance == 0 else f'within {worst:.1e}'}")


NUMBERS = ["spend", "visits", "days", "shelf"]


def linear_models():
    (frame, y), (test, _) = table(1), table(2)
    prepare = ColumnTransformer([("scaled", StandardScaler(), ["visits", "days"]),
                                 ("logs", make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), ["spend"]),
                                 ("tiers", OneHotEncoder(drop="first"), ["tier"])])
    compare("logistic regression, scaled, logarithm, one-hot", make_pipeline(prepare, LogisticRegression()).fit(frame, y),
            rows_of(test), 1e-9)
    holes, _ = table(3, holes=0.2)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
    compare("logistic regression, missing values filled in", numbers.fit(holes[NUMBERS], y), rows_of(table(4, holes=0.3)[0][NUMBERS]),
            1e-9)
    compare("linear regression", make_pipeline(StandardScaler(), LinearRegression()).fit(frame[NUMBERS], frame.spend * 2 + frame.days),
            rows_of(test[NUMBERS]), 1e-7)


def near_thresholds(model, frame):
    """Rows on both sides of the thresholds, to the last bit of a double: what a float rounds together goes one way."""
    rows = []
    for estimator in model.estimators_[:5]:
        for feature, threshold in zip(estimator.tree_.feature, estimator.tree_.threshold):
            if feature >= 0:
                for x in (threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf), export.as_double(threshold),
                          np.nextafter(export.as_double(threshold), np.inf), float(np.float32(threshold))):
                    rows.append({**frame.iloc[len(rows) % len(frame)].to_dict(), NUMBERS[feature]: float(x)})
    return rows


def forests():
    (frame, y), (test, _) = table(5), table(6)
    for kind in (RandomForestClassifier, ExtraTreesClassifier, RandomForestRegressor):
        model = kind(n_estimators=20, max_depth=8, random_state=3).fit(frame[NUMBERS], y if "Class" in kind.__name__ else frame.spend)
        rows = rows_of(test[NUMBERS]) + near_thresholds(model, test[NUMBERS])
        compare(kind.__name__, model, rows, 0)
        ours, frame_of = scores(export.export(model)[1], ".txt", rows, NUMBERS), pandas.DataFrame(rows)[NUMBERS]
        theirs = model.predict_proba(frame_of)[:, 1] if hasattr(model, "predict_proba") else model.predict(frame_of)
        assert ours == [float(p) for p in theirs], kind.__name__
    holes = table(7, holes=0.2)[0][NUMBERS]
    filled = make_pipeline(SimpleImputer(), RandomForestClassifier(n_estimators=15, max_depth=6, random_state=1)).fit(holes, y)
    compare("RandomForestClassifier, missing values filled in", filled, rows_of(table(8, holes=0.3)[0][NUMBERS]), 0)


def boostings():
    frame, y = table(9, 1500, holes=0.15)
    test = table(10, holes=0.25)[0][NUMBERS]
    strange = test.copy()
    strange.loc[::3, "shelf"] = 77.0  # a category that training never saw
    for kind, options in ((HistGradientBoostingClassifier, {}), (HistGradientBoostingRegressor, {}),
                          (HistGradientBoostingRegressor, {"loss": "poisson"})):
        target = y if "Class" in kind.__name__ else np.nan_to_num(frame.visits.values)
        plain = kind(max_iter=30, random_state=1, **options).fit(frame[NUMBERS], target)
        tolerance = 1e-12 if options else 0
        compare(f"{kind.__name__} {options or ''}".strip(), plain, rows_of(test), tolerance)
        coded = kind(max_iter=30, random_state=1, categorical_features=[3], **options).fit(frame[NUMBERS], target)
        compare(f"{kind.__name__} {options or ''} with categories".replace("  ", " "), coded, rows_of(test) + rows_of(strange), tolerance)


def catboost():
    rng = np.random.RandomState(11)
    features = [{"feature_index": i, "flat_feature_index": i, "feature_id": n, "has_nans": i == 2, "borders": [],
                 "nan_value_treatment": "AsTrue" if i == 2 else "AsFalse"} for i, n in enumerate(NUMBERS)]
    trees = []
    for depth in (6, 3, 1, 0, 4):
        splits = [{"border": float(np.float32(rng.rand() * 60)), "float_feature_index": int(rng.randint(4)), "split_index": k,
                   "split_type": "FloatFeature"} for k in range(depth)]
        trees.append({"splits": splits, "leaf_values": [float(v) for v in rng.randn(1 << depth)], "leaf_weights": [1] * (1 << depth)})
    model = {"oblivious_trees": trees, "scale_and_bias": [0.5, [0.25]], "features_info": {"float_features": features},
             "model_info": {"params": json.dumps({"loss_function": {"type": "Logloss"}})}}
    rows = rows_of(table(12, holes=0.2)[0][NUMBERS])
    for tree in trees:
        for s in tree["splits"]:
            for x in (s["border"], np.nextafter(s["border"], np.inf), float(np.nextafter(np.float32(s["border"]), np.float32(np.inf)))):
                rows.append({**rows[len(rows) % 500], NUMBERS[s["float_feature_index"]]: float(x)})
    compare("CatBoost's JSON, made by hand", model, rows, 0)


def expect_refused(model, words, names=None):
    try:
        export.export(model, names)
    except export.Refused as refused:
        assert words in str(refused), refused
        return
    raise AssertionError(f"{words}: not refused")


def refusals():
    frame, y = table(13)
    three = np.arange(len(y)) % 3
    expect_refused(make_pipeline(MinMaxScaler(), LogisticRegression()).fit(frame[NUMBERS], y), "MinMaxScaler here")
    expect_refused(LogisticRegression(max_iter=5000).fit(frame[NUMBERS], three), "3 classes")
    expect_refused(RandomForestClassifier(n_estimators=2).fit(frame[NUMBERS], three), "more than two classes")
    expect_refused(HistGradientBoostingClassifier(max_iter=2).fit(frame[NUMBERS], three), "more than two classes")
    expect_refused(StandardScaler().fit(frame[NUMBERS]), "StandardScaler, expected one of")
    expect_refused({"trees": []}, "not symmetric")
    expect_refused({"oblivious_trees": [], "features_info": {"categorical_features": [{}], "float_features": []}}, "categories")
    print("ok      what else there is, is refused by name")


def a_folder():
    """By the command, from a pickle to a policy's entry whose exam aisle itself sits."""
    import joblib
    frame, y = table(14)
    with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
        joblib.dump(RandomForestClassifier(n_estimators=5, random_state=1).fit(frame[NUMBERS], y), os.path.join(folder, "coupon.pkl"))
        frame[NUMBERS].to_csv(os.path.join(folder, "rows.csv"), index=False)
        done = subprocess.run([sys.executable, export.__file__, os.path.join(folder, "coupon.pkl"), os.path.join(folder, "rows.csv"),
                               "-o", os.path.join(folder, "out")], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        entry = json.loads(done.stdout)
        assert entry == {"model": "coupon", "file": "coupon.txt", "exam": "coupon.exam.csv", "exam_tolerance": 0}, entry
        with open(os.path.join(folder, "out", "coupon.exam.csv")) as f:
            rows = list(csv.DictReader(io.StringIO(f.read())))
        with open(os.path.join(folder, "out", "coupon.txt")) as f:
            ours = scores(f.read(), ".txt", [{n: float(r[n]) for n in NUMBERS} for r in rows], NUMBERS, "--margin")
        assert len(rows) == 50 and ours == [float(r["margin"]) for r in rows]
    print("ok      from a pickle to a model and its exam")


if __name__ == "__main__":
    for part in (linear_models, forests, boostings, catboost, refusals, a_folder):
        part()
