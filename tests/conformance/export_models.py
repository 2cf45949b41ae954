# SPDX-License-Identifier: Apache-2.0
"""models/export: scikit-learn's and CatBoost's models as files, scored by aisle as the library scores them.

scikit-learn is Debian's. CatBoost is no Debian package: its model is written here by hand, in the shape that its documentation has, and
scored by that documentation's rule.
"""
import csv
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile

import numpy as np
import pandas
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (AdaBoostClassifier, ExtraTreesClassifier, GradientBoostingClassifier, GradientBoostingRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "models", "export"))
import aisle_export as export  # noqa: E402
import trees  # noqa: E402

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
    for regression in (LogisticRegressionCV(Cs=3), SGDClassifier(loss="log_loss", random_state=1)):
        compare(type(regression).__name__, make_pipeline(StandardScaler(), FunctionTransformer(), regression).fit(frame[NUMBERS], y),
                rows_of(test[NUMBERS]), 1e-9)
    compare("linear regression", make_pipeline(StandardScaler(), LinearRegression()).fit(frame[NUMBERS], frame.spend * 2 + frame.days),
            rows_of(test[NUMBERS]), 1e-7)


def near_thresholds(model, frame):
    """Rows on both sides of the thresholds, to the last bit of a double: what a float rounds together goes one way."""
    rows = []
    for estimator in np.ravel(model.estimators_)[:5]:
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


def between_two_floats():
    """The value that is filled in is rounded to float as any other: it lies on a threshold and goes right."""
    low, high = np.float32(8), np.nextafter(np.float32(8), np.float32(9))
    if np.float32((float(low) + float(high)) / 2) != high:
        low, high = high, np.nextafter(high, np.float32(9))
    x = pandas.DataFrame({"a": [float(low)] * 20 + [float(high)] * 20 + [np.nan]})
    fill = SimpleImputer(strategy="constant", fill_value=(float(low) + float(high)) / 2)
    model = make_pipeline(fill, RandomForestClassifier(3, bootstrap=False, random_state=1)).fit(x, [0] * 20 + [1] * 21)
    compare("a value filled in on a threshold between two floats", model, rows_of(x), 0)


def gradients():
    (frame, y), (test, _) = table(5), table(6)
    for kind, options in ((GradientBoostingClassifier, {}), (GradientBoostingClassifier, {"loss": "exponential"}),
                          (GradientBoostingClassifier, {"init": "zero", "subsample": 0.5}), (GradientBoostingRegressor, {}),
                          (GradientBoostingRegressor, {"loss": "huber"})):
        model = kind(n_estimators=25, random_state=2, **options).fit(frame[NUMBERS], y if "Class" in kind.__name__ else frame.spend)
        rows = rows_of(test[NUMBERS]) + near_thresholds(model, test[NUMBERS])
        compare(f"{kind.__name__} {options or ''}".strip(), model, rows, 0)
        if hasattr(model, "predict_proba"):
            demand_scores(kind.__name__, model, test[NUMBERS])
    holes = table(7, holes=0.2)[0][NUMBERS]
    compare("GradientBoostingClassifier, missing values filled in", make_pipeline(
        SimpleImputer(), GradientBoostingClassifier(n_estimators=9, random_state=1)).fit(holes, y), rows_of(table(8, holes=0.3)[0][NUMBERS]), 0)


class Nodes:
    """A tree of scikit-learn 1.3 or later, which gives missing values a side."""
    children_left, children_right, feature = [1, -1, 3, -1, -1], [2, -1, 4, -1, -1], [0, -2, 0, -2, -2]
    threshold, missing_go_to_left, value = [0.5, -2, 1.5, -2, -2], [0, 0, 1, 0, 0], [[[0.0]], [[1.0]], [[0.0]], [[2.0]], [[3.0]]]


def newer():
    """What releases after Debian's do otherwise, as far as their models show it."""
    text = trees.lightgbm(["a"], [trees.grown(Nodes, [export.Column("a")], lambda v: v[0])], "regression")
    assert scores(text, ".txt", [{"a": 0.0}, {"a": 1.0}, {"a": 2.0}, {"a": None}], ["a"]) == [1, 2, 3, 2]
    shares, root = np.array([0.1 + 0.2 - 1e-16, 0.7 - 1e-16]), [[[0.5, 0.5]]]
    assert shares.sum() != 1
    new, old = ({"value": value, "weighted_n_node_samples": [600.0]} for value in (root, [[[300.0, 300.0]]]))
    assert trees.share_of(type("New", (), new))(shares) == shares[1]
    assert trees.share_of(type("Old", (), old))(shares) == shares[1] / shares.sum() != shares[1]
    frame, y = table(9)
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=3).fit(frame[NUMBERS], frame.visits)
    model.loss = "gamma"
    compare("HistGradientBoostingRegressor of gamma", model, rows_of(frame[NUMBERS]), 1e-12)
    model._preprocessor = StandardScaler()
    expect_refused(model, "categories of scikit-learn 1.4 or later")


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
    numbers = frame[NUMBERS]
    for regression, words in ((CalibratedClassifierCV(LogisticRegression(max_iter=5000)), 'as "calibration" in models.json'),
                              (SGDClassifier(), 'SGDClassifier(loss="hinge"), which gives no chance'),
                              (AdaBoostClassifier(n_estimators=2), "expected GradientBoostingClassifier"),
                              (GradientBoostingClassifier(n_estimators=2, init=LogisticRegression(max_iter=5000)), "LogisticRegression as init"),
                              (make_pipeline(OrdinalEncoder(), LogisticRegression(max_iter=5000)), "OrdinalEncoder here, expected OneHotEncoder")):
        expect_refused(regression.fit(numbers, y), words)
    expect_refused(GradientBoostingClassifier(n_estimators=2).fit(numbers, three), "more than two classes")
    expect_refused({"trees": []}, "not symmetric")
    expect_refused({"oblivious_trees": [], "features_info": {"categorical_features": [{}], "float_features": []}}, "categories")
    print("ok      what else there is, is refused by name")


def command(model, frame):
    """What the command makes of a pickle and of the frame as pandas writes it: its entry with the folder's files, or its sentence."""
    with tempfile.TemporaryDirectory(prefix="aisle-") as folder:
        with open(os.path.join(folder, "m.pkl"), "wb") as f:
            pickle.dump(model, f)
        frame.to_csv(os.path.join(folder, "rows.csv"), index=False)
        done = subprocess.run([sys.executable, export.__file__, os.path.join(folder, "m.pkl"), os.path.join(folder, "rows.csv"),
                               "-o", folder, "--rows", str(len(frame) + 1)], capture_output=True, text=True)
        if done.returncode:
            assert "Traceback" not in done.stderr, done.stderr
            return None, None, done.stderr
        entry = json.loads(done.stdout)
        exam = os.path.join(folder, entry["exam"])
        said = [subprocess.run([AISLECTL, "model", "score", os.path.join(folder, entry["file"]), exam, *words], capture_output=True,
                               text=True, check=True).stdout for words in ((), ("--margin",))]
        with open(exam, encoding="utf-8") as f:
            wanted = [float(row["margin"]) for row in csv.DictReader(f)]
    ours, margin = ([float(line) for line in text.splitlines()[-len(wanted):]] for text in said)
    assert max(abs(a - b) for a, b in zip(margin, wanted)) <= entry["exam_tolerance"], entry
    return entry, ours, None


def demand_scores(what, model, frame):
    """The scores are the library's own for the frame itself, not for what the script made of it."""
    entry, ours, said = command(model, frame)
    assert entry is not None, (what, said)
    theirs = model.predict_proba(frame)[:, 1]
    assert len(ours) == len(theirs) and max(abs(ours - theirs)) < 1e-9, (what, max(abs(ours - theirs)))
    print(f"ok      {what}: the library's scores by the command")


def as_people_have_them():
    """Frames with holes in their texts, codes that look like numbers, flags, names with blanks, other columns beside."""
    (frame, y), regression = table(15), LogisticRegression(max_iter=500)
    frame["zip"] = np.array(["01", "007", "9"])[np.arange(len(y)) % 3]
    frame["a flag"] = frame.days > 50
    frame["größe"] = np.array(["L", "größer als L", "x=y"])[np.arange(len(y)) // 2 % 3]
    holes = frame.copy()
    holes.loc[np.arange(len(y)) % 5 == 0, "tier"] = np.nan

    def coded(column, *before, **options):
        return ColumnTransformer([("c", make_pipeline(*before, OneHotEncoder(**options)), [column])])
    demand_scores("a category that is missing", make_pipeline(coded("tier"), regression).fit(holes, y), holes)
    demand_scores("a text filled in by the most frequent", make_pipeline(
        coded("tier", SimpleImputer(strategy="most_frequent"), drop="first"), regression).fit(holes, y), holes)
    demand_scores("a text filled in by a constant", make_pipeline(
        coded("tier", SimpleImputer(strategy="constant", fill_value="?")), regression).fit(holes, y), holes)
    for column in ("zip", "shelf", "a flag", "größe"):
        demand_scores(f"one-hot over {column}", make_pipeline(coded(column), regression).fit(frame, y), frame)
    demand_scores("two classes as a multinomial", make_pipeline(StandardScaler(), LogisticRegression(
        multi_class="multinomial")).fit(frame[NUMBERS], y), frame[NUMBERS])
    for which in ([True, False, True, False], slice(1, 3), slice("spend", "days"), make_column_selector("days|shelf")):
        chosen = ColumnTransformer([("n", StandardScaler(), which)], remainder="passthrough")
        demand_scores(f"columns by {which}", make_pipeline(chosen, regression).fit(frame[NUMBERS], y), frame[NUMBERS])
    names = ["a flag", "spend"]
    demand_scores("a forest over names with blanks", RandomForestClassifier(5, random_state=1).fit(frame[names], y), frame[names])
    search = GridSearchCV(RandomForestClassifier(3, random_state=1), {"max_depth": [2, 3]}, cv=2)
    demand_scores("the best of a search", search.fit(frame[NUMBERS], y), frame[NUMBERS])


def sentences():
    """What would be another model's file, or a traceback, is one sentence."""
    (frame, y), fitted = table(16), LogisticRegression(max_iter=500)
    numbers = frame[NUMBERS]
    below, empty = numbers.assign(days=-numbers.days / 100), numbers.assign(days=np.nan)

    def expect(words, model, rows):
        said = command(model, rows)[2]
        assert said is not None and words in said and said.count("\n") == 1, (words, said)
    expect("missing_values=-1", make_pipeline(SimpleImputer(missing_values=-1), fitted).fit(numbers, y), numbers)
    expect('"days", which had no value at all', make_pipeline(SimpleImputer(), fitted).fit(empty, y), numbers)
    expect("SimpleImputer behind another step", make_pipeline(StandardScaler(with_std=False), SimpleImputer(), fitted).fit(numbers, y), numbers)
    log = FunctionTransformer(np.log1p)
    expect("FunctionTransformer here", make_pipeline(log, log, fitted).fit(numbers, y), numbers)
    expect("a value below 0 in a column under np.log1p", make_pipeline(log, fitted).fit(below, y), below)
    plain = LogisticRegression(max_iter=500).fit(numbers, y)
    expect('no column "days", expected spend, visits, days, shelf', plain, numbers.drop(columns="days"))
    expect("no row, expected some", plain, numbers[:0])
    expect("rows.csv:2: could not convert string to float: 'many'", plain, numbers.assign(days="many"))
    expect("was not fitted", LogisticRegression(), numbers)
    expect("a dict of model, expected a fitted model by itself", {"model": plain}, numbers)
    coder = make_pipeline(ColumnTransformer([("c", OneHotEncoder(), ["tier"])]), fitted).fit(frame, y)
    expect("the library does not take", coder, frame.assign(tier="platinum"))
    print("ok      what cannot be right is a sentence")


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
        assert done.stderr == "", done.stderr
        joblib.dump(LogisticRegression(max_iter=500).fit(frame[NUMBERS], np.where(y, "bought", "not bought")), os.path.join(folder, "m.pkl"))
        done = subprocess.run([sys.executable, export.__file__, os.path.join(folder, "m.pkl"), os.path.join(folder, "rows.csv"),
                               "-o", os.path.join(folder, "out")], capture_output=True, text=True)
        assert done.stderr == 'the score is the chance of "not bought", not of "bought"\n', done.stderr
    print("ok      from a pickle to a model and its exam")


if __name__ == "__main__":
    for part in (linear_models, forests, between_two_floats, gradients, boostings, newer, catboost, refusals, as_people_have_them, sentences, a_folder):
        part()
