# SPDX-License-Identifier: Apache-2.0
"""models/reference: what `make models` makes, as a folder to lay over a policy such as the starter."""
import json
import os
import re

import numpy as np
import pandas as pd

import features
from fit import rounded

EXAM_ROWS = 20
MISSING_EVERY = 7
TOLERANCE = 1e-9  # where inputs count by a logarithm: two libraries may round it apart


def text_of(value):
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def exam_inputs(x):
    """Quantiles of each input, mixed: no customer's own row leaves. Some are missing, in the last row all."""
    rows = {}
    for i, name in enumerate(x.columns):
        if x[name].dtype == object:
            texts = np.resize(np.array([*sorted(x[name].dropna().unique()), None], dtype=object), EXAM_ROWS)
            rows[name] = np.append(texts, None)
            continue
        known = np.sort(x[name].dropna().to_numpy(dtype=float))
        values = known[np.linspace(0.02 * len(known), 0.98 * len(known) - 1, EXAM_ROWS).astype(int)]
        values = np.random.default_rng(i).permutation(values)
        values[[(row + i) % MISSING_EVERY == 0 for row in range(EXAM_ROWS)]] = np.nan
        rows[name] = np.append(values, np.nan)
    return pd.DataFrame(rows)


def exam(learner, x):
    """Margins as the learner's library gives them."""
    inputs = exam_inputs(x)
    out = [",".join([*x.columns, "margin"])]
    for row, margin in zip(inputs.itertuples(index=False), learner.margins(inputs)):
        out.append(",".join([*(text_of(v) for v in row), repr(float(margin))]))
    return "\n".join(out) + "\n"


def one_a_line(name, items):
    lines = ",\n".join("\t\t" + json.dumps(item, ensure_ascii=False) for item in items)
    return "{\n\t\"%s\": [\n%s\n\t]\n}\n" % (name, lines)


class Reference:
    def __init__(self, folder):
        self.folder = folder
        self.models, self.scores = [], []
        for sub in ("models", "cards"):
            path = os.path.join(folder, sub)
            os.makedirs(path, exist_ok=True)
            for name in os.listdir(path):
                os.unlink(os.path.join(path, name))

    def write(self, path, text):
        with open(os.path.join(self.folder, path), "w", newline="\n") as f:
            f.write(text)

    def file(self, name, learner):
        file = f"{name}.{learner.ending}"
        self.write(f"models/{file}", learner.text())
        return file

    def model(self, name, file, learner, x, how=None, inputs=None, **notes):
        entry = {"model": name, "file": file}
        if inputs:
            entry["inputs"] = inputs
        if how:
            entry["calibration"] = how
        self.write(f"models/{name}.exam.csv", exam(learner, x))
        tolerance = TOLERANCE if getattr(learner, "logs", None) else 0
        self.models.append({**entry, **notes, "exam": f"{name}.exam.csv", "exam_tolerance": tolerance})

    def score(self, feature, model):
        """A model's score as a feature, for rules and texts."""
        self.scores.append({"name": feature, "type": "number", "from": f"model.{model}"})

    def card(self, name, text, plot=None):
        self.write(f"cards/{name}.md", re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n")
        if plot:
            self.write(f"cards/{name}.svg", plot)

    def done(self):
        ours = {m["model"] for m in self.models}
        with open(os.path.join(features.STARTER, "models", "models.json")) as f:
            kept = [m for m in json.load(f)["models"] if m["model"] not in ours]
        self.write("models/models.json", one_a_line("models", kept + self.models))
        known = features.declared()
        names = {f["name"] for f in known}
        self.write("features.json", one_a_line("features", known + [s for s in self.scores if s["name"] not in names]))


assert rounded(0.1234567) == 0.123457
