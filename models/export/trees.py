# SPDX-License-Identifier: Apache-2.0
"""Trees of scikit-learn's as LightGBM's text."""
import math

import numpy as np

from table import Refused


NAN = 2 << 2
LEFT = 2


class Tree:
    def __init__(self):
        self.feature, self.threshold, self.decision, self.left, self.right = [], [], [], [], []
        self.leaves, self.sets = [], []

    def leaf(self, value):
        self.leaves.append(float(value))
        return -len(self.leaves)

    def split(self, feature, threshold, decision):
        self.feature.append(feature)
        self.threshold.append(threshold)
        self.decision.append(decision)
        self.left.append(0)
        self.right.append(0)
        return len(self.feature) - 1

    def text(self, number):
        def row(name, values, form=repr):
            return f"{name}={' '.join(form(v) for v in values)}\n"
        out = f"Tree={number}\nnum_leaves={len(self.leaves)}\nnum_cat={len(self.sets)}\n"
        out += row("split_feature", self.feature) + row("threshold", self.threshold) + row("decision_type", self.decision)
        out += row("left_child", self.left) + row("right_child", self.right) + row("leaf_value", self.leaves)
        if self.sets:
            ends = [0]
            for words in self.sets:
                ends.append(ends[-1] + len(words))
            out += row("cat_boundaries", ends) + row("cat_threshold", [int(w) for words in self.sets for w in words])
        return out + "\n"


def in_text(name):
    return name.replace(" ", "_")  # as LightGBM itself does


def lightgbm(names, trees, objective, average=False):
    names = [in_text(n) for n in names]
    if len(set(names)) != len(names):
        raise Refused("one name twice, a blank being a _, expected each once")
    out = f"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={len(names) - 1}\n"
    out += f"objective={objective}\n" + ("average_output\n" if average else "") + f"feature_names={' '.join(names)}\n\n"
    return out + "".join(t.text(i) for i, t in enumerate(trees)) + "end of trees\n"


def as_double(threshold):
    """The t of x <= t for doubles that is (float)x <= threshold: libraries round each value to float first."""
    f = np.float32(threshold)
    if float(f) > threshold:
        f = np.nextafter(f, np.float32(-np.inf))
    middle = (float(f) + float(np.nextafter(f, np.float32(np.inf)))) / 2
    return middle if np.float32(middle) == f else float(np.nextafter(middle, -np.inf))


def grown(nodes, columns, value_of):
    """A tree of scikit-learn's, value_of(its leaf's values) in its leaves. What is missing is filled in, or since 1.3 has a side."""
    tree, sides = Tree(), getattr(nodes, "missing_go_to_left", None)

    def grow(at):
        if nodes.children_left[at] < 0:
            return tree.leaf(value_of(nodes.value[at][0]))
        feature, threshold = int(nodes.feature[at]), float(nodes.threshold[at])
        fill = columns[feature].fill
        left = float(np.float32(fill)) <= threshold if fill is not None else sides is not None and bool(sides[at])
        here = tree.split(feature, as_double(threshold), NAN + (LEFT if left else 0))
        tree.left[here], tree.right[here] = grow(nodes.children_left[at]), grow(nodes.children_right[at])
        return here
    grow(0)
    return tree


def bare(columns, kind):
    if any(c.level is not None or c.mean != 0 or c.scale != 1 or c.log for c in columns):
        raise Refused(f"a scaler or encoder before {kind}, expected SimpleImputer alone: trees need none")


def share_of(nodes):
    """Of a leaf's values the second class's share: they are counts, and since scikit-learn 1.4 shares already, which it takes as they are."""
    counted = math.isclose(np.sum(nodes.value[0][0]), nodes.weighted_n_node_samples[0], rel_tol=1e-6)
    return lambda v: v[1] / v.sum() if counted else v[1]


def forest(model, columns):
    classes = getattr(model, "classes_", None)
    if model.n_outputs_ != 1 or (classes is not None and len(classes) != 2):
        raise Refused("several outputs or more than two classes, expected a number or two classes")
    bare(columns, "a forest")
    trees = [grown(e.tree_, columns, (lambda v: v[0]) if classes is None else share_of(e.tree_)) for e in model.estimators_]
    return lightgbm([c.name for c in columns], trees, "regression", average=True)


def gradient(model, columns):
    """GradientBoosting…: where it begins, and a tree each round, times the learning rate."""
    if model.estimators_.shape[1] != 1:
        raise Refused("more than two classes, expected two or a number")
    bare(columns, "gradient boosting")
    if model.init_ != "zero" and not type(model.init_).__name__.startswith("Dummy"):
        raise Refused(f"{type(model.init_).__name__} as init, expected none or \"zero\"")
    base = Tree()
    base.leaf(np.ravel(model._raw_predict_init(np.zeros((1, len(columns)), dtype=np.float32)))[0])
    trees = [base] + [grown(e.tree_, columns, lambda v: model.learning_rate * v[0]) for e in model.estimators_[:, 0]]
    objective = "regression"
    if hasattr(model, "classes_"):
        objective = f"binary sigmoid:{2 if model.loss == 'exponential' else 1}"
    return lightgbm([c.name for c in columns], trees, objective)


def left_set(predictor, node, known):
    """(words, swap): the categories that go left, or, where a missing or unknown one goes left, those that go right."""
    left = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
    return (left, False) if not node["missing_go_to_left"] else (known & ~left, True)


def boosting(model, columns):
    objective = {"HistGradientBoostingClassifier": "binary sigmoid:1"}.get(type(model).__name__, "regression")
    if getattr(model, "loss", None) in ("poisson", "gamma"):
        objective = model.loss
    if getattr(model, "_preprocessor", None) is not None:
        raise Refused("categories of scikit-learn 1.4 or later, which are numbered anew inside of it; expected numbers alone, or LightGBM, "
                      "whose files keep the names")
    if model.n_trees_per_iteration_ != 1:
        raise Refused("more than two classes, expected two or a number")
    if any(not c.untouched() or c.fill is not None for c in columns):
        raise Refused("steps before histogram gradient boosting, expected none: it reads missing values itself")
    sets, place = model._bin_mapper.make_known_categories_bitsets()
    base = Tree()
    base.leaf(np.ravel(model._baseline_prediction)[0])
    trees = [base]
    for (predictor,) in model._predictors:
        tree = Tree()

        def grow(at):
            node = predictor.nodes[at]
            if node["is_leaf"]:
                return tree.leaf(node["value"])
            children, feature = [int(node["left"]), int(node["right"])], int(node["feature_idx"])
            if node["is_categorical"]:
                words, swap = left_set(predictor, node, sets[place[feature]])
                tree.sets.append(words)
                here = tree.split(feature, len(tree.sets) - 1, NAN + 1)
                children = children[::-1] if swap else children
            else:
                here = tree.split(feature, float(node["num_threshold"]), NAN + (LEFT if node["missing_go_to_left"] else 0))
            tree.left[here], tree.right[here] = grow(children[0]), grow(children[1])
            return here
        grow(0)
        trees.append(tree)
    return lightgbm([c.name for c in columns], trees, objective)
