# SPDX-License-Identifier: Apache-2.0
"""The two tables of docs/models.md: each file that is read is read, each that is not gets the sentence that stands there."""
import gzip
import json
import os
import pickle
import re
import struct
import subprocess
import tempfile

import policy
from store import AISLECTL, main

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def tree(k):
    return {"id": k, "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
            "split_conditions": [0.5, -1.0, 1.0], "default_left": [1, 0, 0], "tree_param": {"num_nodes": "3", "size_leaf_vector": "1"}}


def xgboost(version=(3, 1, 0), objective="reg:squarederror", trees=1, attributes=None, **param):
    of_all = [dict(tree(k), tree_param=dict(tree(k)["tree_param"], **param)) for k in range(trees)]
    return {"version": list(version), "learner": {
        "attributes": attributes or {}, "feature_names": ["a"], "objective": {"name": objective},
        "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0] * trees, "trees": of_all}},
        "learner_model_param": {"base_score": "[5E-1]", "num_class": "0", "num_feature": "1", "num_target": "1"}}}


def ubjson(value):
    if isinstance(value, dict):
        return b"{" + b"".join(ubjson(k)[1:] + ubjson(v) for k, v in value.items()) + b"}"
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubjson, value))
    if isinstance(value, str):
        return b"SL" + struct.pack(">q", len(value.encode())) + value.encode()
    return b"l" + struct.pack(">i", value) if isinstance(value, int) else b"d" + struct.pack(">f", value)


def lightgbm(version, objective="regression", more="", end="end of trees\n"):
    return (f"tree\nversion={version}\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective={objective}\n{more}"
            "feature_names=a\nfeature_infos=[0.5:1]\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\ndecision_type=2\n"
            f"left_child=-1\nright_child=-2\nleaf_value=1 2\nshrinkage=1\n\n{end}")


ENDLESS = lightgbm("v2", end="")
ENDLESS = lightgbm("v2", end="", more=f"tree_sizes={len(ENDLESS) - ENDLESS.index('Tree=0')}\n")
LINEAR = {"format": "aisle-linear", "weights": {"a": 1}}
XML = b"<?xml version='1.0'?>\n<PMML version='4.4'></PMML>"
HEADER = struct.pack("<fIi", 0.5, 1, 0) + bytes(124)     # parameters, as versions before 1.0 begin
DUMP = json.dumps([{"nodeid": 0, "split": "a", "children": []}])

TREE = "0:[a<0.5] yes=1,no=2,missing=1\n\t1:leaf=-1\n\t2:leaf=1\n"

# By the name that the table has; what is several is a list.
READ = {
    "XGBoost JSON": [xgboost(), xgboost((1, 0, 0)), xgboost((2, 1, 4))],
    "XGBoost UBJSON": ubjson(xgboost()),
    "LightGBM text v4": [lightgbm("v4"), "\n" + lightgbm("v4") + "\n\n\r\n"],
    "LightGBM text v3": [lightgbm("v3"), lightgbm("v3", "binary sigmoid:1", "average_output\n")],
    "LightGBM text v2": [lightgbm("v2"), ENDLESS, ENDLESS + "\n\n\n\r\n", lightgbm("v2", end="\nfeature importances:\na=1\n"), lightgbm("v2", more="average_output\n")],
    "aisle-linear JSON": LINEAR,
    "flat form": None,      # made from another
}
REFUSED = {
    "an empty file": [b"", b" \n"],
    "XGBoost's binary, `m.model` or `m.bin`": [b"binf" + HEADER, b"bs64\tAAAA"],
    "XGBoost's binary of before 1.0": HEADER + struct.pack("<Q", 16) + b"reg:squarederror" + struct.pack("<Q", 6) + b"gbtree" + bytes(160),
    "XGBoost's `dump_model`, `get_dump`, as JSON":
        [DUMP, json.dumps([DUMP, DUMP]), json.dumps(DUMP), json.dumps("\n" + DUMP), str([DUMP])],
    "XGBoost's `dump_model`, `get_dump`, as text":
        ["booster[0]:\n" + TREE, "0:[a<0.5] yes=1,no=2\n", "0:leaf=1\n", json.dumps([TREE, TREE]), str([TREE]), json.dumps(TREE)],
    "XGBoost's `get_dump`, as dot": ["digraph {\n    graph [ rankdir=TB ]\n}", json.dumps(["digraph {\n}"])],
    "a model's text once more as a JSON text": [json.dumps(json.dumps(xgboost())), json.dumps(lightgbm("v4")), json.dumps("\n" + json.dumps(LINEAR))],
    "XGBoost's `save_config`": {"learner": {"generic_param": {"device": "cpu"}, "gradient_booster": {"name": "gbtree", "gbtree_model_param": {}}}},
    "LightGBM's `dump_model`": {"name": "tree", "version": "v4", "tree_info": [{"tree_index": 0, "tree_structure": {"leaf_value": 1}}]},
    "a pickle, or joblib's": [pickle.dumps({"a": 1}, protocol) for protocol in (2, 3, 4, 5)] + [b"ccopy_reg\n_reconstructor\n"],
    "a compressed file (gzip, zlib, bzip2, xz, zstd, lz4)":
        [gzip.compress(b"{}"), b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd\0", b"\x04\x22\x4d\x18\0", b"\x78\x9c\0", b"\x78\x5e\0"],
    "a zip archive": b"PK\x03\x04\x14\0",
    "a Git LFS pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1234\n",
    "text behind a byte-order mark": [b"\xef\xbb\xbf" + json.dumps(xgboost()).encode(), b"\xef\xbb\xbf" + lightgbm("v4").encode()],
    "UTF-16": ["tree\n".encode("utf-16"), b"\xfe\xff\0t"],
    "an HTML page": ["<!DOCTYPE html>\n<html><title>Sign in</title>", "\n<html>"],
    "PMML, XML": XML,
    "ONNX": b"\x08\x08\x12\x08skl2onnx\x1a\x061.16.0",
    "CatBoost's binary": b"CBM1\x10\0\0\0",
    "CatBoost's JSON": {"features_info": {}, "oblivious_trees": []},
    "an XGBoost file of a stopped training, and nothing said": [xgboost(trees=3, attributes={"best_iteration": "0"}),
                                                              ubjson(xgboost(trees=3, attributes={"best_iteration": "0"}))],
    "an XGBoost file without trees": [xgboost(trees=0), ubjson(xgboost(trees=0))],
    "XGBoost with vector leaves": xgboost(size_leaf_vector="3"),
    "XGBoost with an objective that is not known": xgboost(objective="reg:future"),
    "XGBoost of a version that is not known": xgboost((4, 0, 0)),
    "LightGBM of a version that is not known": lightgbm("v5"),
    "LightGBM text that is cut off": [lightgbm("v4", end=""), lightgbm("v2", end=""), ENDLESS[:-9], ENDLESS + "shrinkage=1\n"],
    "two LightGBM files in one": [2 * lightgbm("v4"), lightgbm("v3") + "\n" + lightgbm("v4"), 2 * lightgbm("v2"), 2 * lightgbm("v2", end=""),
                                  lightgbm("v2", end="\nfeature importances:\na=1\n\n") + lightgbm("v2"),
                                  lightgbm("v4") + "\nparameters:\n[a: b]\n" + lightgbm("v4")],
    "a forest of LightGBM v2 whose objective has a link": lightgbm("v2", "binary sigmoid:1", "average_output\n"),
    "`pandas_categorical` of columns that cannot be told": lightgbm("v4") + '\npandas_categorical:[["x"],["y"]]\n',
    "anything else": ["spend,tier,margin\n2,gold,0\n", {"weights": {"a": 1}}, [1, 2], b"\x7fELF", "tree"],
}


def table(heading):
    with open(os.path.join(TOP, "docs", "models.md")) as f:
        part = f.read().split("## The files that are read")[1].split("\n## ")[0].split(heading)[1]
    rows = re.match(r"(?:\n\|[^\n]*)+", part)[0].strip().split("\n")[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def files(sample):
    for one in sample if isinstance(sample, list) and not isinstance(sample[0], int) else [sample]:
        text = one if isinstance(one, (str, bytes)) else json.dumps(one)
        yield text if isinstance(text, bytes) else text.encode()


def inspect(body, folder):
    path = os.path.join(folder, "model")
    with open(path, "wb") as out:
        out.write(body)
    return subprocess.run([*AISLECTL, "model", "inspect", path], capture_output=True, text=True)


def test_each_file_of_the_table_is_read():
    rows = table("| file | from | what is read |")
    assert [row[0] for row in rows] == list(READ), rows
    with tempfile.TemporaryDirectory() as folder:
        flat = os.path.join(folder, "flat")
        for body in files(READ["XGBoost JSON"]):
            assert inspect(body, folder).returncode == 0
            subprocess.run([*AISLECTL, "model", "import", os.path.join(folder, "model"), "-o", flat], check=True)
        with open(flat, "rb") as f:
            READ["flat form"] = f.read()
        for name, sample in READ.items():
            for body in files(sample):
                done = inspect(body, folder)
                assert done.returncode == 0 and "trees" in done.stdout, f"{name}: {done.stderr}"


def test_each_other_file_gets_the_sentence_of_the_table():
    rows = table("| file | the sentence begins |")
    assert [row[0] for row in rows] == list(REFUSED), set(row[0] for row in rows) ^ set(REFUSED)
    with tempfile.TemporaryDirectory() as folder:
        for name, sentence in rows:
            for body in files(REFUSED[name]):
                done = inspect(body, folder)
                said = re.sub(r"^.*?/model(:\d+)*: ", "", done.stderr)
                assert done.returncode == 65 and said.startswith(sentence.strip("`")), f"{name}: {done.stderr!r}, expected {sentence}"
                if name in ("a pickle, or joblib's", "CatBoost's JSON"):
                    assert "models/export/aisle_export.py" in said, said


def test_a_policy_says_which_trees_count_and_its_texts_find_their_categories():
    stopped = xgboost(trees=2, attributes={"best_iteration": "0"})
    model = stopped["learner"]["gradient_booster"]["model"]
    model["cats"] = {"enc": [{"offsets": [0, 4, 10], "values": list(b"goldsilver")}], "feature_segments": [0, 2], "sorted_idx": [0, 1]}
    for one in model["trees"]:
        one.update(split_type=[1, 0, 0], categories=[1], categories_nodes=[0], categories_segments=[0], categories_sizes=[1])
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "m.json"), "w") as out:
            json.dump(stopped, out)
        said = subprocess.run([*AISLECTL, "model", "inspect", "--json", os.path.join(folder, "m.json"), "--trees", "all"], capture_output=True, text=True)
        assert json.loads(said.stdout)["inputs"] == [{"name": "a", "type": "string", "used": True, "categories": ["gold", "silver"]}], said
    # a listed category goes right, any other left, as what is missing does
    exam = "a,margin\nsilver,1.5\ngold,-0.5\nplatinum,-0.5\n,-0.5\n"
    with tempfile.TemporaryDirectory() as folder:
        for name, body in (("m.json", json.dumps(stopped).encode()), ("m.ubj", ubjson(stopped))):
            entry = {"model": "m", "file": name, "inputs": {"a": "tier"}, "exam": "m.exam.csv"}
            source = os.path.join(folder, "policy-source")
            os.makedirs(os.path.join(source, "models"), exist_ok=True)
            with open(os.path.join(source, "models", name), "wb") as out:
                out.write(body)
            policy.write(source, extra={"models/models.json": {"models": [entry]}, "models/m.exam.csv": exam})
            done = subprocess.run([*AISLECTL, "policy", "check", source], capture_output=True, text=True)
            assert done.returncode == 65 and "iteration 0 was the best and 1 of 2 trees come behind it" in done.stdout + done.stderr, done
            entry["trees"] = "best"
            bundle = policy.bundle(folder, extra={"models/models.json": {"models": [entry]}, "models/m.exam.csv": exam})
            done = subprocess.run([*AISLECTL, "bundle", "examine", bundle], capture_output=True, text=True)
            assert done.returncode == 0 and "4" in done.stdout, done
            # all trees are another model, and the exam says so
            policy.write(source, extra={"models/models.json": {"models": [dict(entry, trees="all")]}})
            done = subprocess.run([*AISLECTL, "policy", "check", source], capture_output=True, text=True)
            assert done.returncode == 65 and "gives margin 2.5, expected 1.5" in done.stdout + done.stderr, done


main([v for k, v in list(globals().items()) if k.startswith("test_")])
