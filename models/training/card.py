# SPDX-License-Identifier: Apache-2.0
"""A model's card: what it is, what it was made from, how good it is on later data, whom it serves worse, its limits."""
import json

import numpy as np

BANDS = {
    "age": {"19-24": "19-34", "25-34": "19-34", "55-64": "55 and over", "65+": "55 and over"},
    "income": {**dict.fromkeys(["Under 15K", "15-24K", "25-34K"], "1. under 35K"),
               **dict.fromkeys(["35-49K", "50-74K"], "2. 35-74K"), **dict.fromkeys(["75-99K", "100-124K"], "3. 75-124K"),
               **dict.fromkeys(["125-149K", "150-174K", "175-199K", "200-249K", "250K+"], "4. 125K and over")},
    "size": {"3": "3 and more", "4": "3 and more", "5+": "3 and more"},
}
WORDS = {"age": "Age", "income": "Income, dollars", "size": "Persons in the household"}
NOT_STATED = "not stated"


def number(v, digits=3):
    return "–" if v is None or v != v else f"{v:.{digits}f}"


def data_text(j):
    return ("*The Complete Journey* (84.51°/dunnhumby, packaged by B. Boehmke and S. Mortimer, CC0): the shipped slice "
            f"`models/training/data`, {count(len(j.baskets))} baskets of "
            f"{count(j.baskets['household'].nunique())} households of one US grocery chain, {j.baskets['ts'].min():%Y-%m-%d} to {j.baskets['ts'].max():%Y-%m-%d}.")


def interval(pair, digits=3):
    return f"{number(pair[0], digits)} to {number(pair[1], digits)}"


def count(v):
    return f"{v:,.0f}"


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(out + ["| " + " | ".join(r) + " |" for r in rows]) + "\n"


def groups_of(households, demographics, what):
    named = {h: BANDS[what].get(str(v), str(v)) for h, v in zip(demographics["household"], demographics[what])}
    return np.array([named.get(h, NOT_STATED) for h in households])


def verdict_words(better, interval_of_gain):
    low, high = interval_of_gain
    if low > 0:
        return f"better than the one rule; {better} lies within {interval(interval_of_gain, 4)}"
    if high < 0:
        return f"**worse than the one rule**; {better} lies within {interval(interval_of_gain, 4)}"
    return f"**not told apart from the one rule**; {better} lies within {interval(interval_of_gain, 4)}"


def chance_metrics(m, rule):
    rows = [["AUC", number(m["auc"]) + f" ({interval(m['auc_interval'])})", number(m["base_auc"]), number(m["rule_auc"])],
            ["log loss", number(m["log_loss"], 4), number(m["base_log_loss"], 4), number(m["rule_log_loss"], 4)],
            ["Brier score", number(m["brier"], 4), number(m["base_brier"], 4), number(m["rule_brier"], 4)]]
    return (table(["", "model", "base rate", "one rule"], rows) +
            f"\n{count(m['rows'])} rows of {count(m['households'])} households, {count(m['positives'])} of them "
            f"positive ({100 * m['rate']:.1f} %; {100 * m['base']:.1f} % in the slices it learned from). "
            f"The one rule: {rule}. By log loss the model is "
            f"{verdict_words('the gain', m['log_loss_gain_interval'])} (95 %, households drawn anew).\n")


def amount_metrics(m, rule):
    rows = [["root mean square error", number(m["rmse"], 1), number(m["base_rmse"], 1), number(m["rule_rmse"], 1)],
            ["mean absolute error", number(m["mae"], 1), number(m["base_mae"], 1), number(m["rule_mae"], 1)],
            ["rank correlation", number(m["rank"]), "0", number(m["rule_rank"])]]
    return (table(["", "model", "mean", "one rule"], rows) +
            f"\n{count(m['rows'])} rows of {count(m['households'])} households; observed mean {m['rate']:.1f}, predicted "
            f"{m['mean']:.1f} ({m['base']:.1f} in training). The one rule: {rule}. By root mean square error the model is "
            f"{verdict_words('the gain', m['rmse_gain_interval'])} (95 %, households drawn anew).\n")


def calibration_text(name, m, unit=""):
    digits = 1 if unit else 4
    rows = [[count(n), number(p, digits), number(seen, digits), interval((low, high), digits)]
            for n, p, seen, low, high in m["parts"]]
    error = "" if unit else f"\nMean distance, weighted by rows: {number(m['calibration_error'], 4)}.\n"
    return (f"![predicted and observed, in tenths by prediction]({name}.svg)\n\n" +
            table(["rows", "predicted", "observed", "95 % interval"], rows) + error)


def strays(measured, digits):
    """Groups whose mean prediction lies outside the interval of what was observed; the unknown are the same in each."""
    out = {}
    for what, found in measured.items():
        for g in found:
            name = g["name"].split(". ", 1)[-1]
            if name != NOT_STATED:
                name = WORDS[what].split(",")[0].lower() + " " + name
            if not g["low"] <= g["predicted"] <= g["high"]:
                out[name] = (f"{name} ({'too low' if g['predicted'] < g['low'] else 'too high'}: {g['predicted']:.{digits}f} "
                             f"against {g['seen']:.{digits}f})")
    if not out:
        return "In every group the mean prediction lies within the 95 % interval of what was observed.\n"
    return ("Groups whose mean prediction lies outside the 95 % interval of what was observed (rows taken as independent): "
            + "; ".join(out.values()) + ".\n")


def fairness(measured, amount=False):
    """measured: what -> rows of metrics.by_group."""
    digits = 1 if amount else 4
    head = ["", "rows", "households"] + ([] if amount else ["positive"]) + ["observed", "predicted"] + \
        ([] if amount else ["AUC"]) + ["share in the top fifth"]
    rows = []
    for what, found in measured.items():
        rows.append([f"**{WORDS[what]}**"] + [""] * (len(head) - 1))
        for g in found:
            row = [g["name"].split(". ", 1)[-1], count(g["rows"]), count(g["households"])]
            row += [] if amount else [count(g["positives"])]
            row += [number(g["seen"], digits), number(g["predicted"], digits)]
            rows.append(row + ([] if amount else [number(g["auc"])]) + [number(g["top"], 2)])
    few = "" if amount else " A group with fewer than 20 of either outcome has no AUC."
    return ("Demographics are known for a third of the households, the more active third. They are no input; here they "
            f"only measure.{few}\n\n" + table(head, rows) + "\n" + strays(measured, digits))


def slices(spec):
    rows = [["trained on", f"{spec.train[0]} to {spec.train[1]}"]]
    if spec.calibrate:
        rows.append(["calibrated on", f"{spec.calibrate[0]} to {spec.calibrate[1]}"])
    return rows + [["tested on", f"{spec.test[0]} to {spec.test[1]}"]]


def calibration_kind(how):
    if how is None:
        return "none: an amount"
    if "platt" in how:
        return f"Platt, {how['platt'][0]:g} · margin {how['platt'][1]:+g}"
    return f"isotonic, {len(how['isotonic'])} points"


def describe(spec, result):
    """The card of one model."""
    facts = [["label", spec.label], ["rows", spec.population], ["learner", result["learner"]],
             ["calibration", result["calibration_words"]]] + slices(spec) + \
        ([["given where nothing is known", result["stranger"]]] if "stranger" in result else [])
    weights = [[f"`{n}`", f"`{result['sources'].get(n, '')}`", f"{100 * share:.0f} %"] for n, share in result["importance"]]
    parts = [
        f"# {spec.title} (`{spec.name}`)\n", "Made by `make models`; change the training, not this page.\n",
        table(["", ""], facts),
        "The window of every row that it learned from was closed before the first row of the test.\n",
        "## Data\n", result["data"] + f" {count(result['train_rows'])} rows trained it" +
        (f", {count(result['calibrate_rows'])} calibrated it" if result["calibrate_rows"] else "") + ".\n",
        "## Features\n", "Values come from `aislectl features`, the same code that serves.\n",
        table(["input", "from", "share of the model"], weights),
        "## On later data\n", result["metrics_text"],
        "## Calibration\n", result["calibration_text"],
        "## In a policy\n", spec.use + "\n",
        f"In `{spec.policy[0]}`:\n", "```json\n" + json.dumps(spec.policy[1]) + "\n```\n",
        "## Fairness\n", result["fairness_text"],
        "## Limits\n", "\n".join("- " + t for t in spec.limits) + "\n"]
    return "\n".join(parts)
