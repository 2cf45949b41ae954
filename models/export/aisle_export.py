# SPDX-License-Identifier: Apache-2.0
"""A model of scikit-learn or CatBoost as a file that aisle reads, with exam rows. Runs where the model was trained.

    aisle_export.py MODEL ROWS.csv -o DIR [--name NAME] [--rows 50]

MODEL is a pickle of your own (pickle, joblib) or CatBoost's JSON (save_model("m.json", format="json")). Only open a pickle that you
made: opening one runs what is in it, which is why no store does. ROWS.csv has a column for each input, empty is missing; of its
first rows the exam is made. DIR gets NAME.linear.json or NAME.txt, NAME.exam.csv, and the entry of models.json on standard output.

Taken: LogisticRegression and SGDClassifier(loss="log_loss") of two classes and linear regressions, behind StandardScaler,
SimpleImputer, OneHotEncoder, FunctionTransformer(log1p), in Pipelines and ColumnTransformers; random forests, extra trees and gradient
boosting, behind SimpleImputer; histogram gradient boosting, with missing values and categories; CatBoost's symmetric trees over numbers.
What else there is, is refused by name, with what to use.
"""
import argparse
import copy
import json
import math
import os
import sys

import numpy as np

from table import FORBIDDEN, Refused, cell_text, is_nan, level_text, read_rows
from trees import LEFT, NAN, Tree, as_double, boosting, forest, gradient, in_text, lightgbm


# ---- what is done to columns before the model ----

class Column:
    """What the model sees of one input: weight · (f(x) − mean) / scale, or 1 where the input is level. levels is of the whole input:
    what each text stands for."""

    def __init__(self, name):
        self.name, self.level, self.levels = name, None, None
        self.mean, self.scale, self.log, self.fill = 0.0, 1.0, False, None

    def untouched(self):
        return self.level is None and self.mean == 0 and self.scale == 1 and not self.log

    def value(self, x):
        return math.log1p(x) if self.log else x


def levels_of(column, categories):
    """The text of each category; for the one that is missing, a text that no other has."""
    if any(c is None for c in categories):
        raise Refused(f'None among the categories of "{column.name}", expected NaN for what is missing')
    levels = {level_text(c): c for c in categories if not is_nan(c)}
    if any(is_nan(c) for c in categories):
        column.fill = "missing" if "missing" not in levels else "(missing)"
        levels[column.fill] = math.nan
    if len(levels) != len(categories) or "" in levels:
        raise Refused(f'categories of "{column.name}" that are one text or none, expected a text for each')
    return levels


def one_hot(encoder, columns):
    if getattr(encoder, "_infrequent_enabled", False):
        raise Refused("OneHotEncoder with infrequent categories, expected each category as it is")
    made = []
    for i, column in enumerate(columns):
        if not column.untouched():
            raise Refused("OneHotEncoder behind a scaler, a logarithm or another OneHotEncoder, expected it beside them")
        dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[i]
        levels = levels_of(column, encoder.categories_[i])
        for k, level in enumerate(levels):
            if k != dropped:
                made.append(Column(column.name))
                made[-1].level, made[-1].levels = level, levels
                made[-1].fill = None if column.fill is None else level_text(column.fill)
    return made


def imputed(imputer, columns):
    if imputer.add_indicator or not is_nan(imputer.missing_values):
        raise Refused(f"SimpleImputer(missing_values={imputer.missing_values}, add_indicator={imputer.add_indicator}), expected NaN, "
                      "which an empty cell is, and no indicator")
    for column, fill in zip(columns, imputer.statistics_):
        if not column.untouched():
            raise Refused("SimpleImputer behind another step, expected it first")
        if is_nan(fill):
            raise Refused(f'SimpleImputer over "{column.name}", which had no value at all, expected the model without it')
        column.fill = fill if isinstance(fill, str) else float(fill)
    return columns


def chosen(which, names):
    """The places that a ColumnTransformer's selection names: a name, a number, lists of them, a mask, a slice."""
    import pandas
    places = pandas.Series(range(len(names)), index=names)
    which = which if isinstance(which, slice) else np.ravel(which).tolist()
    first = (which.stop if which.start is None else which.start) if isinstance(which, slice) else (which or [0])[0]
    return (places.loc if isinstance(first, str) else places.iloc)[which].tolist()


def through(step, columns):
    """The columns behind a step that was fitted."""
    kind = type(step).__name__
    if step in ("passthrough", None):
        return columns
    if step == "drop":
        return []
    if kind == "Pipeline":
        for _, inner in step.steps:
            columns = through(inner, columns)
        return columns
    if kind == "ColumnTransformer":
        made, names = [], [c.name for c in columns]
        for _, inner, which in step.transformers_:
            made += through(inner, [copy.copy(columns[at]) for at in chosen(which, names)])
        return made
    if kind in ("OneHotEncoder", "SimpleImputer"):
        return (one_hot if kind == "OneHotEncoder" else imputed)(step, columns)
    for i, column in enumerate(columns):
        if column.level is not None:
            raise Refused(f"{kind} over columns of a OneHotEncoder, expected it beside them")
        if kind == "StandardScaler":
            column.mean += column.scale * (step.mean_[i] if step.with_mean else 0)
            column.scale *= step.scale_[i] if step.with_std else 1
        elif kind == "FunctionTransformer" and step.func is np.log1p and column.untouched():
            column.log = True
        elif kind != "FunctionTransformer" or step.func is not None:  # that one is "passthrough"
            raise Refused(f"{kind} here, " + INSTEAD.get(kind, "expected StandardScaler, SimpleImputer, OneHotEncoder or "
                                                         "FunctionTransformer(np.log1p), the last two before any scaling"))
    return columns


def split(model, names):
    """The estimator, and the columns that it sees."""
    columns = [Column(n) for n in names]
    if type(model).__name__ != "Pipeline":
        return model, columns
    for _, step in model.steps[:-1]:
        columns = through(step, columns)
    return model.steps[-1][1], columns


# ---- linear ----

def factor(model):
    """Of two classes a multinomial regression takes the difference of two margins, each the other's opposite."""
    return 2 if getattr(model, "multi_class", None) == "multinomial" else 1


def linear(model, columns):
    if type(model).__name__ == "SGDClassifier" and model.loss not in ("log_loss", "log"):
        raise Refused(f'SGDClassifier(loss="{model.loss}"), which gives no chance, expected loss="log_loss"')
    coefficients = factor(model) * np.atleast_2d(model.coef_)
    if coefficients.shape[0] != 1:
        raise Refused(f"{coefficients.shape[0]} " + ("classes, expected two" if hasattr(model, "classes_") else "results, expected one"))
    weights, missing, logs, bias = {}, {}, [], float(factor(model) * np.ravel(model.intercept_)[0])
    for weight, column in zip(coefficients[0], columns):
        if "=" in column.name:
            raise Refused(f'"=" in the name "{column.name}", expected none: it stands before a category')
        name = column.name if column.level is None else f"{column.name}={column.level}"
        if name in weights:
            raise Refused(f'two columns of "{name}", expected one')
        weights[name] = float(weight / column.scale)
        if column.level is None:
            bias -= float(weight * column.mean / column.scale)
            # Trained without missing values: then the mean, which says nothing.
            missing[name] = column.mean if column.fill is None else column.value(column.fill)
            logs += [name] if column.log else []
        elif column.fill is not None:
            missing[column.name] = column.fill
    link = "logit" if hasattr(model, "classes_") else "identity"
    return json.dumps({"format": "aisle-linear", "link": link, "bias": bias, "weights": weights, "log1p": logs, "missing": missing},
                      indent=1) + "\n"


# ---- CatBoost ----

CATBOOST = {"Logloss": "binary sigmoid:1", "CrossEntropy": "cross_entropy", "RMSE": "regression", "MAE": "regression",
            "Quantile": "regression", "Poisson": "poisson"}


def catboost_parts(model):
    if "oblivious_trees" not in model:
        raise Refused("CatBoost's trees are not symmetric, expected grow_policy=SymmetricTree")
    info = model["features_info"]
    if info.get("categorical_features") or info.get("ctrs") or "ctr_data" in model and model["ctr_data"]:
        raise Refused("categories, which CatBoost replaces by statistics of its training rows; expected numbers alone")
    scale, bias = model.get("scale_and_bias", [1, [0]])
    bias = bias if isinstance(bias, list) else [bias]
    if len(bias) != 1:
        raise Refused(f"{len(bias)} outputs, expected one")
    params = model.get("model_info", {}).get("params", {})
    params = json.loads(params) if isinstance(params, str) else params
    loss = params.get("loss_function", {}).get("type")
    if loss not in CATBOOST:
        raise Refused(f'loss_function "{loss}", expected one of {", ".join(CATBOOST)}')
    features = sorted(info["float_features"], key=lambda f: f["feature_index"])
    names = [f.get("feature_id") or f"f{f['flat_feature_index']}" for f in features]
    return features, names, float(scale), float(bias[0]), CATBOOST[loss]


def catboost(model):
    features, names, scale, bias, objective = catboost_parts(model)
    trees = []
    for source in model["oblivious_trees"]:
        splits, tree = source["splits"] or [], Tree()
        if any(s.get("split_type", "FloatFeature") != "FloatFeature" for s in splits):
            raise Refused("a split that is not over a number")
        if len(source["leaf_values"]) != 1 << len(splits):
            raise Refused("several values a leaf, expected one")

        def grow(level, leaf):
            if level == len(splits):
                return tree.leaf(scale * source["leaf_values"][leaf])
            feature = int(splits[level]["float_feature_index"])
            left = features[feature].get("nan_value_treatment", "AsIs") != "AsTrue"
            here = tree.split(feature, as_double(splits[level]["border"]), NAN + (LEFT if left else 0))
            tree.left[here], tree.right[here] = grow(level + 1, leaf), grow(level + 1, leaf | 1 << level)
            return here
        grow(0, 0)
        trees.append(tree)
    last = Tree()
    last.leaf(bias)
    return lightgbm(names, trees + [last], objective)


def catboost_margin(model, row):
    """As CatBoost's documentation has it: bit i of a leaf's number is (float)x > border of split i."""
    features, names, scale, bias, _ = catboost_parts(model)
    total = 0.0
    for tree in model["oblivious_trees"]:
        leaf = 0
        for i, s in enumerate(tree["splits"] or []):
            x = row[names[int(s["float_feature_index"])]]
            up = features[int(s["float_feature_index"])].get("nan_value_treatment") == "AsTrue" if x is None else \
                np.float32(x) > np.float32(s["border"])
            leaf |= int(up) << i
        total += scale * tree["leaf_values"][leaf]
    return total + bias


# ---- a file ----

WRITERS = {"LogisticRegression": linear, "LogisticRegressionCV": linear, "SGDClassifier": linear, "LinearRegression": linear,
           "Ridge": linear, "RandomForestClassifier": forest, "RandomForestRegressor": forest, "ExtraTreesClassifier": forest,
           "ExtraTreesRegressor": forest, "GradientBoostingClassifier": gradient, "GradientBoostingRegressor": gradient,
           "HistGradientBoostingClassifier": boosting, "HistGradientBoostingRegressor": boosting}

# What to do about what is often met.
INSTEAD = {
    "CalibratedClassifierCV": 'expected the estimator inside of it by itself, and its curve as "calibration" in models.json',
    "OrdinalEncoder": "expected OneHotEncoder before a linear model; trees read numbers alone, so code the categories in the rows",
    "MinMaxScaler": "expected StandardScaler", "RobustScaler": "expected StandardScaler", "MaxAbsScaler": "expected StandardScaler",
    "DecisionTreeClassifier": "expected RandomForestClassifier(n_estimators=1, bootstrap=False, max_features=None)",
    "DecisionTreeRegressor": "expected RandomForestRegressor(n_estimators=1, bootstrap=False)",
    "AdaBoostClassifier": "expected GradientBoostingClassifier", "VotingClassifier": "expected one of its estimators by itself",
    "StackingClassifier": "expected one of its estimators by itself", "RidgeClassifier": "expected LogisticRegression",
    "LinearSVC": "expected LogisticRegression, which gives a chance", "SVC": "expected HistGradientBoostingClassifier",
}


def opened(model, names):
    """(estimator, what writes it, the columns that it sees, the names that it wants) of a fitted model."""
    model = getattr(model, "best_estimator_", model)
    names = list(getattr(model, "feature_names_in_", names))
    estimator = model.steps[-1][1] if type(model).__name__ == "Pipeline" else model
    kind = type(estimator).__name__
    if kind.startswith(("XGB", "LGBM", "CatBoost", "Booster")):
        raise Refused(f"{kind}, expected a file of that library's own save_model, which is read as it is (CatBoost's as JSON, here)")
    if kind in INSTEAD:
        raise Refused(f"{kind}, {INSTEAD[kind]}")
    if kind not in WRITERS:
        raise Refused(f"{kind}, expected one of {', '.join(WRITERS)} or CatBoost's JSON")
    if not hasattr(estimator, "n_features_in_"):
        raise Refused(f"{kind} that was not fitted, expected a fitted one")
    if getattr(model, "n_features_in_", len(names)) != len(names):
        raise Refused(f"{model.n_features_in_} columns without names, and {len(names)} in the rows, expected the same")
    return estimator, WRITERS[kind], split(model, names)[1], names


def export(model, names=None):
    """(ending, text) of a fitted model of scikit-learn, or of CatBoost's JSON as a dict."""
    if isinstance(model, dict):
        return ".txt", catboost(model)
    estimator, write, columns, _ = opened(model, names)
    return ".linear.json" if write is linear else ".txt", write(estimator, columns)


def inputs(model, names):
    """The columns that a model reads, one an input, by the names that its rows have."""
    if isinstance(model, dict):
        return {name: Column(name) for name in catboost_parts(model)[1]}
    return {c.name: c for c in opened(model, names)[2]}


def margins(model, rows):
    """What the library itself says of rows (dicts), before the link."""
    if isinstance(model, dict):
        return [catboost_margin(model, row) for row in rows]
    import pandas
    estimator, write, columns, names = opened(model, list(rows[0]))
    model = getattr(model, "best_estimator_", model)
    texts = {c.name for c in columns if c.levels is not None}
    frame = pandas.DataFrame(rows, columns=[n for n in names if n in rows[0]])
    frame = frame.apply(lambda c: c.astype(object).where(c.notna(), np.nan) if c.name in texts else c.astype(float))
    table = frame if hasattr(model, "feature_names_in_") else frame.values
    if write is forest:
        # A margin is the sum over the trees, in their order; the score is its mean.
        seen = model[:-1].transform(table) if type(model).__name__ == "Pipeline" else table
        seen = np.asarray(seen, dtype=np.float32)
        return sum(tree.predict_proba(seen)[:, 1] if hasattr(tree, "predict_proba") else tree.predict(seen)
                   for tree in estimator.estimators_)
    if getattr(estimator, "loss", None) in ("poisson", "gamma"):
        return np.log(model.predict(table))
    return factor(estimator) * model.decision_function(table) if hasattr(model, "decision_function") else model.predict(table)


def exam(model, rows, ending):
    """Of the inputs alone, by the names of the file. A row with a text that a table without quotes cannot hold is left out."""
    columns = inputs(model, list(rows[0]))
    names = [in_text(n) if ending == ".txt" else n for n in columns]
    if any(mark in n for n in names for mark in FORBIDDEN):
        raise Refused(f"names {names} with a comma, quote or line end, expected none: an exam is a table without quotes")
    lines = [",".join(names + ["margin"]) + "\n"]
    for row, margin in zip(rows, margins(model, rows)):
        if any(c.log and (row[n] or 0) < 0 for n, c in columns.items()):
            raise Refused("a value below 0 in a column under np.log1p, which aisle continues as -ln(1 - x), expected none")
        cells = [cell_text(row[n], c.levels) for n, c in columns.items()]
        if not any(mark in cell for cell in cells for mark in FORBIDDEN):
            lines.append(",".join(cells + [f"{float(margin):.17g}"]) + "\n")
    return "".join(lines)


def read_model(path):
    with open(path, "rb") as f:
        start = f.read(1)
        f.seek(0)
        if start == b"{":
            return json.load(f)
    import joblib
    try:
        model = joblib.load(path)
    except Exception as error:  # whatever a program may throw that was never meant for here
        raise Refused(f"not a pickle that opens here ({type(error).__name__}: {error}), expected the versions that made it")
    if isinstance(model, dict):
        raise Refused(f"a dict of {', '.join(map(str, model))}, expected a fitted model by itself")
    return model


def say_which(model):
    """The second of two classes is the one whose chance it is: of texts the later one by the alphabet."""
    classes = list(getattr(model, "classes_", []))
    if len(classes) == 2 and classes not in ([0, 1], [-1, 1]):
        print(f'the score is the chance of "{classes[1]}", not of "{classes[0]}"', file=sys.stderr)


def write_all(args, name):
    model = read_model(args.model)
    say_which(model)
    rows = read_rows(args.table, lambda header: inputs(model, header), args.rows)
    ending, text = export(model, list(rows[0]))
    try:
        table = exam(model, rows, ending)
    except ValueError as error:
        raise Refused(f"the library does not take {args.table}: {error}")
    os.makedirs(args.folder, exist_ok=True)
    for suffix, content in ((ending, text), (".exam.csv", table)):
        with open(os.path.join(args.folder, name + suffix), "w", encoding="utf-8", newline="\n") as f:
            f.write(content)
    tolerance = 1e-9 if ending == ".linear.json" or isinstance(model, dict) else 1e-12 if "\nobjective=poisson" in text or \
        "\nobjective=gamma" in text or opened(model, list(rows[0]))[1] is gradient else 0
    print(json.dumps({"model": name, "file": name + ending, "exam": name + ".exam.csv", "exam_tolerance": tolerance}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("table")
    parser.add_argument("-o", dest="folder", required=True)
    parser.add_argument("--name")
    parser.add_argument("--rows", type=int, default=50)
    args = parser.parse_args()
    try:
        write_all(args, args.name or os.path.basename(args.model).split(".")[0])
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        sys.exit(f"{args.model}: {error}")
    except Refused as refused:
        sys.exit(f"{args.model}: {refused}")


if __name__ == "__main__":
    main()
