#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Trains models with the real XGBoost and demands its margins, bit for bit.

    xgboost_models.py [--aislectl "COMMAND WORDS"] [--every N]

Needs python3-xgboost and python3-numpy (Debian 12: 1.7.4, 1.24); leaves with 77 without them. Each model is scored from
XGBoost's JSON and from the flat form, which must be the one of its UBJSON; rows are missing values, thresholds and what lies one unit beside them, denormals,
both zeros, both infinities, and categories that training never saw. Shapes that newer versions write cannot be trained
here: they are this version's files written over. LightGBM is not in Debian: tests/data/lightgbm stands in for it.
--every N trains each N-th model only: for emulated machines. --only TEXT: those of this name.
"""
import argparse
import copy
import csv
import ctypes
import json
import math
import os
import pickle
import random
import struct
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import xgboost as xgb
except ImportError:
    print("skipped: python3-xgboost or python3-numpy is not installed")
    sys.exit(77)

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LIGHTGBM = os.path.join(TOP, "tests", "data", "lightgbm")
ROWS, FEATURES = 1000, 7
ARGS = argparse.Namespace(aislectl=[os.path.join(TOP, "build", "aislectl")], every=1)
FOLDER = tempfile.mkdtemp(prefix="aisle-models-")
F32 = np.float32


# ---- rows ----

def make_rows(rng, rows=ROWS, features=FEATURES, missing=0.15, categories=0):
    x = rng.normal(size=(rows, features)).astype(F32)
    x[:, 1] = np.round(x[:, 1], 1)
    x[:, 2] = rng.integers(0, 5, rows)
    x[:, 3] = rng.integers(20180101, 20261231, rows)  # float32 does not hold them all
    if categories:
        x[:, 0] = rng.integers(0, categories, rows)
    x[rng.random(x.shape) < missing] = np.nan
    return x


def targets(rng, x):
    clean = np.nan_to_num(x)
    f = clean[:, 1] * 2 - clean[:, 4] + np.sin(clean[:, 5]) + clean[:, 0].astype(int) % 3
    return f + rng.normal(scale=0.3, size=len(f))


POSITIVE = ("survival:aft", "survival:cox", "count:poisson", "reg:gamma", "reg:tweedie", "reg:squaredlogerror")


def labels(objective, f, classes):
    if objective.startswith(("binary", "reg:logistic")):
        return (f > np.median(f)).astype(float)
    if objective.startswith("multi"):
        return np.digitize(f, np.quantile(f, np.arange(1, classes) / classes))
    if objective.startswith("rank"):
        return np.digitize(f, np.quantile(f, [0.5, 0.8]))
    return np.exp(f / 4) + 0.1 if objective in POSITIVE else f


def thresholds_of(document):
    model = document["learner"]["gradient_booster"]
    model = model.get("gbtree", model)["model"]
    for tree in model.get("trees", []):
        kinds = tree.get("split_type") or [0] * len(tree["left_children"])
        for left, index, at, kind in zip(tree["left_children"], tree["split_indices"], tree["split_conditions"], kinds):
            if left != -1 and kind == 0:
                yield index, F32(at)


def probe(rng, x, document, categories):
    """Some of the training rows, rows at and beside thresholds, and extremes; the last part has infinities."""
    found = list(thresholds_of(document))
    rng.shuffle(found)
    edges = x[rng.integers(0, len(x), 240)].copy()
    for k, (index, at) in enumerate(found[:240]):
        edges[k, int(index)] = (at, np.nextafter(at, F32(-np.inf)), np.nextafter(at, F32(np.inf)))[k % 3]
    extreme = x[rng.integers(0, len(x), 60)].copy()
    values = F32([0.0, -0.0, 1e-45, -1e-45, 1.17549421e-38, 3.4028235e38, -3.4028235e38, 16777217, np.nan, 1e-30])
    extreme[rng.random(extreme.shape) < 0.3] = np.nan
    for column in range(1 if categories else 0, x.shape[1]):
        rows = rng.random(len(extreme)) < 0.4
        extreme[rows, column] = rng.choice(values, rows.sum())
    if categories:
        extreme[:, 0] = np.resize(F32([categories, categories + 7, 1e6, 0.5, 1.7, 0, -1, 16777216, np.nan]), 60)
    infinite = extreme[:30].copy()
    rows = rng.random(infinite.shape) < 0.3
    infinite[rows] = rng.choice(F32([np.inf, -np.inf]), rows.sum())
    return np.vstack([x[:200], edges, extreme]), infinite


def write_rows(path, x, names):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        for row in x:
            writer.writerow(["" if np.isnan(v) else repr(float(v)) for v in row])


# ---- ours ----

def ctl(*words):
    return subprocess.run(ARGS.aislectl + list(words), capture_output=True, text=True)


def score(model, rows, *more):
    done = ctl("model", "score", model, rows, *more)
    assert done.returncode == 0, done.stderr
    return np.array([[F32(v) for v in line.split(",")] for line in done.stdout.splitlines()], dtype=F32)


def demand(have, want, what):
    """The same bits; any NaN is any other."""
    assert have.shape == want.shape, f"{what}: {have.shape} margins, expected {want.shape}"
    same = (have.view(np.uint32) == want.view(np.uint32)) | (np.isnan(have) & np.isnan(want))
    at = np.argwhere(~same)
    assert len(at) == 0, f"{what}: {len(at)} of {want.size} margins differ, first at {at[0].tolist()}: " \
        f"{have[tuple(at[0])]!r}, expected {want[tuple(at[0])]!r}"


def put(name, document):
    path = os.path.join(FOLDER, name)
    if not isinstance(document, bytes):
        document = (document if isinstance(document, str) else json.dumps(document)).encode()
    with open(path, "wb") as out:
        out.write(document)
    return path


def flat_of(file, name="flat"):
    flat = os.path.join(FOLDER, name)
    done = ctl("model", "import", file, "-o", flat)
    assert done.returncode == 0, done.stderr
    return flat


def both_forms(file):
    return (("source", file), ("flat form", flat_of(file)))


# ---- UBJSON ----

TYPES = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d"}
TYPED = {"default_left": "U", "split_type": "U", "split_indices": "l", "left_children": "l", "right_children": "l",
         "parents": "l", "categories": "l", "categories_nodes": "l", "categories_segments": "L", "categories_sizes": "L",
         "split_conditions": "d", "base_weights": "d", "loss_changes": "d", "sum_hessian": "d", "offsets": "l"}


def as_ubjson(value, key=None):
    """Bytes in the shapes that XGBoost writes: counted arrays, those of a tree's numbers of one type, lengths of eight bytes."""
    def text(t):
        return b"L" + struct.pack(">q", len(t.encode())) + t.encode()
    if isinstance(value, dict):
        return b"{" + b"".join(text(k) + as_ubjson(v, k) for k, v in value.items()) + b"}"
    if isinstance(value, list) and key in TYPED:
        return b"[$%c#L" % ord(TYPED[key]) + struct.pack(">q", len(value)) + b"".join(struct.pack(TYPES[TYPED[key]], v) for v in value)
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(as_ubjson(v) for v in value)
    if isinstance(value, str):
        return b"S" + text(value)
    if value is None or isinstance(value, bool):
        return {None: b"Z", True: b"T", False: b"F"}[value]
    if isinstance(value, int):
        return b"L" + struct.pack(">q", value)
    return b"d" + struct.pack(">f", value)


def demand_same_bytes(json_file, ubj_file):
    a, b = (open(flat_of(f, n), "rb").read() for f, n in ((json_file, "flat.json"), (ubj_file, "flat.ubj")))
    assert a == b, "the flat forms of JSON and UBJSON differ"


def compare(booster, x, infinite=None, types=None, names=None):
    """How many rows agree, in both forms; links too, which are not XGBoost's exp and so only near."""
    file = os.path.join(FOLDER, "model.json")
    booster.save_model(file)
    booster.save_model(os.path.join(FOLDER, "model.ubj"))
    demand_same_bytes(file, os.path.join(FOLDER, "model.ubj"))
    again = xgb.Booster(model_file=file)
    names = booster.feature_names or ["f%d" % i for i in range(x.shape[1])]
    matrix = xgb.DMatrix(x, feature_types=types, enable_categorical=bool(types), feature_names=booster.feature_names)
    margins = [(x, F32(again.predict(matrix, output_margin=True)).reshape(len(x), -1))]
    linked = F32(again.predict(matrix)).reshape(len(x), -1)
    if infinite is not None:
        # A matrix with infinities is refused; prediction in place is not, and takes them as numbers.
        margins.append((infinite, F32(again.inplace_predict(infinite, predict_type="margin")).reshape(len(infinite), -1)))
    count = 0
    for what, model in both_forms(file):
        for k, (rows, want) in enumerate(margins):
            path = os.path.join(FOLDER, "rows.csv")
            write_rows(path, rows, names)
            demand(score(model, path, "--margin"), want, what)
            count += len(rows)
            if k == 0:
                have = score(model, path)
                assert np.allclose(have, linked, rtol=5e-6, atol=1e-9, equal_nan=True), f"{what}: values after the link"
    return count // 2


# ---- models ----

def train(name, objective, x, f, rounds=20, types=None, **more):
    params = {"objective": objective, "max_depth": 5, "eta": 0.3, "seed": 1, "nthread": 1, "verbosity": 0,
              "tree_method": "hist" if types else "exact"}
    params.update(more)
    if params.get("booster") == "gblinear":
        params = {k: v for k, v in params.items() if k not in ("max_depth", "tree_method")}
    y = labels(objective, f, params.get("num_class", 0))
    matrix = xgb.DMatrix(x, label=y, feature_types=types, enable_categorical=bool(types))
    if objective.startswith("rank"):
        matrix.set_group([20] * (len(y) // 20))
    if objective == "survival:aft":
        matrix = xgb.DMatrix(x)
        matrix.set_float_info("label_lower_bound", y)
        matrix.set_float_info("label_upper_bound", y)
    return xgb.train(params, matrix, rounds)


OBJECTIVES = ("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:logistic",
              "binary:logistic", "binary:logitraw", "binary:hinge", "count:poisson", "reg:gamma", "reg:tweedie",
              "survival:cox", "survival:aft", "rank:pairwise", "rank:ndcg", "rank:map")
SOFT = {"num_class": 4}
DART = {"booster": "dart", "rate_drop": 0.3, "one_drop": 1}
LINEAR = {"booster": "gblinear"}


def cases():
    """Objective, training parameters, and under "data" what the rows are like."""
    for objective in OBJECTIVES:
        yield objective, {}
    for objective in ("reg:squarederror", "binary:logistic", "count:poisson", "rank:pairwise", "reg:gamma"):
        yield objective, dict(DART)
    yield "reg:squarederror", dict(DART, normalize_type="forest", sample_type="weighted", base_score=2.5)
    yield "multi:softprob", dict(DART, **SOFT)
    for objective in ("reg:squarederror", "binary:logistic", "count:poisson"):
        yield objective, dict(LINEAR, base_score=0.4)
    yield "multi:softprob", dict(LINEAR, **SOFT)
    yield "reg:squarederror", dict(LINEAR, updater="coord_descent", feature_selector="greedy", top_k=3)
    yield "multi:softprob", dict(SOFT)
    yield "multi:softmax", dict(SOFT, max_depth=3)
    yield "multi:softprob", {"num_class": 9, "max_depth": 2, "base_score": 0.1}
    for base in (0.1, 0.25, 0.7, 0.93, 1e-5, 0.99999):
        yield "binary:logistic", {"base_score": base, "max_depth": 3}
    for objective, base in (("count:poisson", 3.0), ("reg:gamma", 0.02), ("reg:tweedie", 117.5), ("survival:aft", 1e-6),
                            ("reg:squarederror", -7.25), ("binary:logitraw", 0.3), ("reg:logistic", 0.6)):
        yield objective, {"base_score": base, "max_depth": 3}
    for depth in (1, 2, 9, 14):
        yield "reg:squarederror", {"max_depth": depth}
    yield "binary:logistic", {"grow_policy": "lossguide", "max_leaves": 60, "max_depth": 0, "tree_method": "hist"}
    yield "binary:logistic", {"tree_method": "approx", "max_bin": 16}
    yield "count:poisson", {"tree_method": "hist", "max_bin": 8}
    yield "reg:squarederror", {"gamma": 1e9}                              # trees of one leaf
    yield "reg:squarederror", {"gamma": 2.0, "max_depth": 8}              # pruned nodes stay in the file
    yield "binary:logistic", {"monotone_constraints": "(0,1,0,0,-1,0,0)"}
    yield "reg:squarederror", {"num_parallel_tree": 5, "subsample": 0.5, "eta": 1, "rounds": 4}
    yield "multi:softprob", dict(SOFT, num_parallel_tree=3, subsample=0.7, rounds=5)
    yield "binary:logistic", dict(DART, num_parallel_tree=2, subsample=0.7, rounds=8)
    for count, more in ((2, {}), (3, {}), (12, {}), (60, {"max_cat_to_onehot": 1}), (60, {"max_cat_to_onehot": 100}),
                        (300, {"max_cat_to_onehot": 1, "max_depth": 8})):
        yield "binary:logistic", dict(more, base_score=0.2, data={"categories": count})
    yield "reg:squarederror", {"max_cat_to_onehot": 1, "tree_method": "approx", "data": {"categories": 40}}
    yield "multi:softprob", dict(SOFT, max_cat_to_onehot=1, data={"categories": 25})
    yield "reg:squarederror", dict(DART, max_cat_to_onehot=1, data={"categories": 25})
    for missing in (0.0, 0.5, 0.95):
        yield "binary:logistic", {"data": {"missing": missing}, "tree_method": "hist"}
    yield "reg:squarederror", {"rounds": 1}
    yield "binary:logistic", {"rounds": 300, "max_depth": 2}
    yield "reg:squarederror", {"data": {"features": 120, "rows": 400}, "colsample_bytree": 0.3}


def one_case(number, objective, more):
    rng = np.random.default_rng(1000 + number)
    more = dict(more)
    data = more.pop("data", {})
    x = make_rows(rng, **data)
    categories = data.get("categories", 0)
    types = ["c"] + ["q"] * (x.shape[1] - 1) if categories else None
    booster = train("", objective, x, targets(rng, x), more.pop("rounds", 20), types, **more)
    document = json.loads(booster.save_raw("json"))
    rows, infinite = probe(rng, x, document, categories)
    if categories or "booster" in more:
        # Linear ones are not predicted in place, and dart is, but with other sums than predict()'s.
        infinite = None
    return compare(booster, rows, infinite, types)


def small(objective="binary:logistic", rounds=8, seed=5, categories=0, **more):
    rng = np.random.default_rng(seed)
    x = make_rows(rng, rows=300, categories=categories)
    types = ["c"] + ["q"] * (FEATURES - 1) if categories else None
    booster = train("", objective, x, targets(rng, x), rounds, types, **dict({"max_depth": 3}, **more))
    return booster, x, types


def early_stopping():
    """Which trees count is asked for, and the best are those of the slice that is made with the best iteration."""
    count = 0
    for more in ({}, dict(SOFT, objective="multi:softprob"), {"num_parallel_tree": 2, "subsample": 0.7},
                 dict(SOFT, objective="multi:softprob", num_parallel_tree=2, subsample=0.7), dict(DART)):
        rng = np.random.default_rng(3)
        x = make_rows(rng)
        f = labels(more.get("objective", ""), rng.normal(size=len(x)), 4)   # nothing to learn: stops soon
        part = len(x) // 2
        first, second = (xgb.DMatrix(x[s], label=f[s]) for s in (slice(0, part), slice(part, None)))
        params = dict({"max_depth": 6, "nthread": 1, "verbosity": 0, "seed": 1}, **more)
        booster = xgb.train(params, first, 60, evals=[(second, "v")], early_stopping_rounds=5, verbose_eval=False)
        count += stopped_early(booster, x)
    return count


def stopped_early(booster, x):
    steps = booster.best_iteration + 1
    matrix, rows, count = xgb.DMatrix(x), os.path.join(FOLDER, "rows.csv"), 0
    want = {"all": booster.predict(matrix, output_margin=True),
            "best": booster.predict(matrix, output_margin=True, iteration_range=(0, steps))}
    assert not np.array_equal(want["best"], want["all"]), "it did not stop early"
    write_rows(rows, x, ["f%d" % i for i in range(FEATURES)])
    for ending in ("json", "ubj"):
        file, part = os.path.join(FOLDER, "stopped." + ending), os.path.join(FOLDER, "best." + ending)
        booster.save_model(file)
        booster[:steps].save_model(part)
        done = ctl("model", "inspect", file)
        assert done.returncode == 65 and '"best" or "all" as "trees"' in done.stderr, done.stderr
        for trees in want:
            demand(score(file, rows, "--margin", "--trees", trees), F32(want[trees]).reshape(len(x), -1), f"{ending}, {trees} trees")
            count += len(x)
        assert ctl("model", "import", file, "--trees", "best", "-o", file + ".flat").returncode == 0
        assert open(file + ".flat", "rb").read() == open(flat_of(part), "rb").read(), "the best trees are not the slice's"
    return count


def named_sliced_and_continued():
    booster, x, _ = small(rounds=6)
    matrix = xgb.DMatrix(x, label=(np.nan_to_num(x[:, 1]) > 0).astype(float))
    more = xgb.train({"objective": "binary:logistic", "nthread": 1, "verbosity": 0}, matrix, 4, xgb_model=booster)
    names = ["tier level", "größe", "a/b", "x", "y", "z", "\U0001f6d2"]
    named = xgb.train({"nthread": 1, "verbosity": 0}, xgb.DMatrix(x, label=np.nan_to_num(x[:, 1]), feature_names=names), 4)
    return compare(more, x) + compare(more[2:7], x) + compare(named, x)


def several_targets():
    rng = np.random.default_rng(8)
    x = make_rows(rng)
    y = np.stack([targets(rng, x), targets(rng, x) ** 2, -targets(rng, x)], axis=1)
    return compare(xgb.train({"nthread": 1, "verbosity": 0, "tree_method": "hist"}, xgb.DMatrix(x, label=y), 9), x)


# ---- base_score ----

def libm():
    library = ctypes.CDLL("libm.so.6")
    library.logf.restype, library.logf.argtypes = ctypes.c_float, [ctypes.c_float]
    return library


def base_scores():
    """Ordinary ones, and ones whose logf the C library does not round correctly."""
    logf, chance = libm().logf, random.Random(6)
    found = [("binary:logistic", F32(chance.random())) for _ in range(40)]
    found += [("count:poisson", F32(math.exp(chance.uniform(-12, 12)))) for _ in range(40)]
    hard = 0
    while hard < 80:
        mean = F32(chance.random())
        odds = F32(1) / mean - F32(1)
        if odds > 0 and F32(math.log(odds)) != F32(logf(odds)):
            found.append(("binary:logistic", mean))
            hard += 1
    return found


def base_score_to_the_bit():
    count = 0
    documents = {}
    for objective, mean in base_scores():
        if objective not in documents:
            booster, x, _ = small(objective, rounds=1)
            documents[objective] = json.loads(booster.save_raw("json"))
            path = os.path.join(FOLDER, "rows.csv")
            write_rows(path, x[:4], ["f%d" % i for i in range(FEATURES)])
        document = documents[objective]
        document["learner"]["learner_model_param"]["base_score"] = np.format_float_scientific(mean).upper()
        file = put("base.json", document)
        theirs = xgb.Booster(model_file=file)
        theirs.save_model(file)     # as it writes the number itself
        want = F32(theirs.predict(xgb.DMatrix(x[:4]), output_margin=True)).reshape(-1, 1)
        demand(score(file, path, "--margin"), want, f"{objective} base_score {mean!r}")
        count += 4
    return count


# ---- newer shapes ----

def shuffled(value, chance):
    """Members in any order, and unknown ones among them."""
    if isinstance(value, list):
        return [shuffled(v, chance) for v in value] if value and isinstance(value[0], (dict, list)) else value
    if not isinstance(value, dict):
        return value
    members = [(k, shuffled(v, chance)) for k, v in value.items()]
    members.append(("new_in_9", {"deep": [[1, {"x": None}], "text \" \\ \u20ac", -1.5e-7, True]}))
    chance.shuffle(members)
    return dict(members)


def model_of(document):
    booster = document["learner"]["gradient_booster"]
    return booster.get("gbtree", booster)["model"]


def as_2_0(document):
    document["version"] = [2, 0, 3]
    model = model_of(document)
    per = int(model["gbtree_model_param"]["num_parallel_tree"]) * max(1, int(document["learner"]["learner_model_param"]["num_class"]))
    model["iteration_indptr"] = list(range(0, len(model["trees"]) + 1, per))
    for tree in model["trees"]:
        tree["tree_param"]["size_leaf_vector"] = "1"


def as_3_1(document):
    as_2_0(document)
    document["version"] = [3, 1, 0]
    param = document["learner"]["learner_model_param"]
    param["base_score"] = "[%s]" % ",".join([param["base_score"]] * max(1, int(param["num_class"])))
    model_of(document)["cats"] = {"enc": [], "feature_segments": [], "sorted_idx": []}


def as_newest(document):
    as_3_1(document)
    document["version"] = [3, 4, 0]
    booster = document["learner"]["gradient_booster"]
    if booster["name"] == "dart":
        model = model_of(document)
        model["weight_drop"] = booster["weight_drop"]
        document["learner"]["gradient_booster"] = {"name": "gbtree", "model": model}


def newer_shapes():
    count, chance = 0, random.Random(9)
    for objective, more in (("binary:logistic", {"base_score": 0.3}), ("count:poisson", {"base_score": 2.0}),
                            ("multi:softprob", SOFT), ("reg:squarederror", DART), ("multi:softmax", dict(SOFT, **DART)),
                            ("binary:logistic", {"categories": 20, "max_cat_to_onehot": 1})):
        booster, x, types = small(objective, **more)
        file = put("old.json", "")
        booster.save_model(file)
        with open(file) as f:
            document = json.load(f)
        matrix = xgb.DMatrix(x, feature_types=types, enable_categorical=bool(types))
        want = F32(booster.predict(matrix, output_margin=True)).reshape(len(x), -1)
        path = os.path.join(FOLDER, "rows.csv")
        write_rows(path, x, ["f%d" % i for i in range(FEATURES)])
        for change in (as_2_0, as_3_1, as_newest):
            newer = copy.deepcopy(document)
            change(newer)
            for indent in (None, 1):
                written = shuffled(newer, chance)
                file = put("new.json", json.dumps(written, indent=indent))
                demand_same_bytes(file, put("new.ubj", as_ubjson(written)))
                for what, model in both_forms(file):
                    demand(score(model, path, "--margin"), want, f"{objective} {change.__name__}, {what}")
                count += len(x)
    return count


def a_base_score_for_each_class():
    booster, x, _ = small("multi:softprob", **SOFT)
    document = json.loads(booster.save_raw("json"))
    document["version"] = [3, 1, 0]
    document["learner"]["learner_model_param"]["base_score"] = "[5E-1,-1.25E0, 3E-2,7]"
    matrix = xgb.DMatrix(x)
    matrix.set_base_margin(np.tile(F32([0.5, -1.25, 0.03, 7]), (len(x), 1)))
    want = F32(booster.predict(matrix, output_margin=True)).reshape(len(x), -1)
    path = os.path.join(FOLDER, "rows.csv")
    write_rows(path, x, ["f%d" % i for i in range(FEATURES)])
    demand(score(put("classes.json", document), path, "--margin"), want, "base_score for each class")
    return len(x)


def as_names(names):
    """One feature's dictionary: texts, or numbers."""
    if not names or not isinstance(names[0], str):
        return {"type": 12, "values": list(names)}
    parts = [n.encode() for n in names]
    offsets = [sum(map(len, parts[:i])) for i in range(len(parts) + 1)]
    return {"offsets": offsets, "values": [b - 256 if b > 127 else b for b in b"".join(parts)]}


def names_of_categories():
    """The dictionaries of 3.1, written beside trees over codes: a name does what its code did."""
    count = 0
    for kind, name in (("texts", lambda c: "tier %d \u20ac, \"%s\"" % (c, "x" * (c % 3))), ("numbers", lambda c: 1000 - 7 * c)):
        for more in ({}, SOFT, dict(DART, max_cat_to_onehot=1)):
            booster, x, types = small("multi:softprob" if more is SOFT else "binary:logistic", categories=20, **more)
            document = json.loads(booster.save_raw("json"))
            as_3_1(document)
            names = [name(c) for c in range(20)]
            model_of(document)["cats"] = {"enc": [as_names(names)] + [{"offsets": [], "values": []}] * (FEATURES - 1),
                                          "feature_segments": [0] + [20] * FEATURES, "sorted_idx": list(range(20))}
            want = F32(booster.predict(xgb.DMatrix(x, feature_types=types, enable_categorical=True), output_margin=True))
            path = os.path.join(FOLDER, "rows.csv")
            unknown = "platinum" if kind == "texts" else 1.5   # XGBoost predicts nothing then; here it is missing
            with open(path, "w", newline="") as out:
                writer = csv.writer(out, lineterminator="\n")
                writer.writerow(["f%d" % i for i in range(FEATURES)])
                for k, row in enumerate(x):
                    first = (unknown if k % 2 else "") if np.isnan(row[0]) else names[int(row[0])]
                    writer.writerow([first] + ["" if np.isnan(v) else repr(float(v)) for v in row[1:]])
            file = put("named.json", document)
            demand_same_bytes(file, put("named.ubj", as_ubjson(document)))
            for what, model in both_forms(file):
                demand(score(model, path, "--margin"), want.reshape(len(x), -1), f"{kind}, {what}")
            count += len(x)
    return count


def infinite_thresholds():
    """Some versions cut what is missing off with an infinite threshold."""
    booster, x, _ = small("reg:squarederror", rounds=6)
    document = json.loads(booster.save_raw("json"))
    chance = random.Random(4)
    for tree in model_of(document)["trees"]:
        for i, left in enumerate(tree["left_children"]):
            if left != -1 and chance.random() < 0.5:
                tree["split_conditions"][i] = chance.choice((math.inf, -math.inf))
                tree["default_left"][i] = chance.choice((0, 1))
    file = put("infinite.json", document)
    x[::3, 1] = np.inf
    x[1::3, 4] = -np.inf
    want = F32(xgb.Booster(model_file=file).inplace_predict(x, predict_type="margin")).reshape(len(x), -1)
    path = os.path.join(FOLDER, "rows.csv")
    write_rows(path, x, ["f%d" % i for i in range(FEATURES)])
    for what, model in both_forms(file):
        demand(score(model, path, "--margin"), want, what)
    return len(x)


def what_cannot_be_honoured_is_refused_by_name():
    booster, _, _ = small(rounds=2)
    document = json.loads(booster.save_raw("json"))

    def refused(part, change):
        changed = copy.deepcopy(document)
        change(changed)
        done = ctl("model", "inspect", put("refused.json", changed))
        assert done.returncode == 65 and part in done.stderr, f"{done.returncode} {done.stderr!r}, expected {part!r}"

    def dictionary(values):
        return lambda d: model_of(d).update(cats={"enc": [values], "feature_segments": [0, 2], "sorted_idx": [0, 1]})
    refused("categories of 1 features", dictionary({"offsets": [0, 4, 8], "values": [103, 111, 108, 100, 99, 97, 114, 100]}))
    refused("vector leaves", lambda d: model_of(d)["trees"][0]["tree_param"].update(size_leaf_vector="3"))
    refused('"reg:future"', lambda d: d["learner"]["objective"].update(name="reg:future"))
    refused('"gbforest"', lambda d: d["learner"]["gradient_booster"].update(name="gbforest"))
    refused("version 4.0", lambda d: d.update(version=[4, 0, 0]))
    return 5


def what_the_library_writes_beside_models_is_told_by_name():
    """The tables of docs/models.md are tried without it (tests/scenario); this is what it really writes."""
    booster, _, _ = small(rounds=2)
    old = bytes(booster.save_raw("deprecated"))
    assert old[:4] == b"binf"
    dumps = []
    for kind in ("json", "text"):
        dumps.append(os.path.join(FOLDER, "dump"))
        booster.dump_model(dumps[-1], dump_format=kind)
        with open(dumps[-1], "rb") as f:
            dumps[-1] = f.read()
    files = [(old, "old binary"), (old[4:], "old binary"), (dumps[0], "XGBoost's dump"), (dumps[1], "XGBoost's dump"),
             (json.dumps(booster.get_dump(dump_format="json")), "XGBoost's dump"), (pickle.dumps(booster), "a Python pickle"),
             (booster.save_config(), "no learner with a model")]
    for body, part in files:
        done = ctl("model", "inspect", put("other", body))
        assert done.returncode == 65 and part in done.stderr, f"{done.stderr!r}, expected {part!r}"
    return len(files)


# ---- LightGBM ----

def as_version(text, version):
    """Older files lack some lines."""
    keep = [line for line in text.split("\n") if not line.startswith(("is_linear=0", "leaf_weight=", "internal_weight="))]
    if version == "v2":
        keep = [line for line in keep if not line.startswith(("tree_sizes=", "monotone_constraints="))]
    return "\n".join(keep).replace("version=v4", "version=" + version)


def lightgbm(name):
    folder = os.path.join(LIGHTGBM, name)
    with open(os.path.join(folder, "model.txt")) as f:
        text = f.read()
    with open(os.path.join(folder, "raw.csv")) as f:
        raw = f.read()
    rows, count = os.path.join(folder, "rows.csv"), 0
    changes = [("v4", text), ("v3", as_version(text, "v3")), ("line ends", text.replace("\n", "\r\n"))]
    v2 = as_version(text, "v2")
    if name == "rf":
        done = ctl("model", "inspect", put("model.txt", v2))
        assert done.returncode == 65 and "2.2.3" in done.stderr, done.stderr
    else:
        old = v2.replace("end of trees\n\nfeature_importances:", "feature importances:")
        assert old != v2
        changes += [("v2", v2), ("v2 that does not say its end", old)]
    for what, change in changes:
        for form, model in both_forms(put("model.txt", change)):
            done = ctl("model", "score", model, rows, "--margin")
            assert done.stdout == raw, f"{what}, {form}: margins differ {done.stderr}"
        count += raw.count("\n")
    done = ctl("model", "score", os.path.join(folder, "model.txt"), rows)
    have, want = (np.array([[float(v) for v in line.split(",")] for line in t.splitlines()])
                  for t in (done.stdout, open(os.path.join(folder, "score.csv")).read()))
    assert np.allclose(have, want, rtol=1e-15, atol=0, equal_nan=True), "values after the link"
    return count


def pandas_categorical():
    """The fixture with categories, as if a data frame had called them something: a name does what its code did."""
    folder = os.path.join(LIGHTGBM, "categorical")
    text = open(os.path.join(folder, "model.txt")).read().replace("pandas_categorical:null\n", "")
    rows = list(csv.reader(open(os.path.join(folder, "rows.csv"))))
    raw = open(os.path.join(folder, "raw.csv")).read().splitlines()
    infos = next(line for line in text.split("\n") if line.startswith("feature_infos=")).split("=")[1].split(" ")
    found = [i for i, info in enumerate(infos) if info[0] != "["]
    last = {i: max(int(c) for c in infos[i].split(":")) for i in found}
    names = [["ß %d \"" % c for c in range(last[found[0]] + 1)], [100 - 3 * c for c in range(last[found[1]] + 1)]]
    file = put("frame.txt", text + "\npandas_categorical:" + json.dumps(names) + "\n")
    known, path, count = [], os.path.join(FOLDER, "rows.csv"), 0
    with open(path, "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(rows[0])
        for row, want in zip(rows[1:], raw):
            codes = [row[i] for i in found]
            if all(c == "" or (float(c).is_integer() and 0 <= float(c) <= last[i]) for c, i in zip(codes, found)):
                row = list(row)
                for i, c, list_of in zip(found, codes, names):
                    row[i] = "" if c == "" else list_of[int(float(c))]
                writer.writerow(row)
                known.append(want)
                count += c != ""
    assert count > 20
    for form, model in both_forms(file):
        done = ctl("model", "score", model, path, "--margin")
        assert done.stdout.splitlines() == known, f"{form}: margins differ {done.stderr}"
    return len(known)


# ---- all ----

def everything():
    for number, (objective, more) in list(enumerate(cases()))[::ARGS.every]:
        text = " ".join([objective] + ["%s=%s" % p for p in more.items()])
        yield text, lambda n=number, o=objective, m=more: one_case(n, o, m)
    for test in (early_stopping, named_sliced_and_continued, several_targets, base_score_to_the_bit, newer_shapes,
                 a_base_score_for_each_class, names_of_categories, infinite_thresholds, what_cannot_be_honoured_is_refused_by_name,
                 what_the_library_writes_beside_models_is_told_by_name):
        yield test.__name__.replace("_", " "), test
    yield "LightGBM pandas_categorical", pandas_categorical
    for name in sorted(os.listdir(LIGHTGBM)):
        if os.path.isdir(os.path.join(LIGHTGBM, name)):
            yield "LightGBM " + name, lambda n=name: lightgbm(n)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--aislectl", default=ARGS.aislectl[0])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    ARGS.aislectl, ARGS.every = given.aislectl.split(), given.every
    passed = failed = rows = 0
    start = time.monotonic()
    for name, test in everything():
        if given.only not in name:
            continue
        try:
            count = test()
            print(f"ok      {name}: {count} rows", flush=True)
            passed, rows = passed + 1, rows + count
        except AssertionError as e:
            print(f"FAILED  {name}: {e}", flush=True)
            failed += 1
    print(f"XGBoost {xgb.__version__}, {rows} rows, {time.monotonic() - start:.0f} s")
    print(f"{passed} passed, {failed} failed")
    subprocess.run(["rm", "-rf", FOLDER], check=False)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
