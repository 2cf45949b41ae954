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


NAMES = {"base rate": "the base rate", "one rule": "the one rule", "plain logistic": "the plain logistic regression",
         "boosting": "the boosting"}


def verdict(interval_of_gain):
    low, high = interval_of_gain
    return "better than" if low > 0 else "**worse than**" if high < 0 else "**not told apart from**"


def verdict_words(m):
    """What is shipped against each of the others."""
    return "By it the shipped one is " + ", ".join(
        f"{verdict(other['gain_interval'])} {NAMES[name]}" for name, other in m["beside"].items() if name != m["kept"]) + "."


def why_kept(m):
    if m["kept"] == "boosting":
        return "The boosting is shipped, because it beats the plain regression on these rows."
    return "The plain regression is shipped, because the boosting does not beat it on these rows."


def beside_table(m, figures, gain_words, digits):
    """A row for each figure, a column for each of what is compared."""
    names = list(m["beside"])
    rows = [[words] + [number(m["beside"][n][key], d) for n in names] for words, key, d in figures]
    rows.append([gain_words] + ["shipped" if n == m["kept"] else interval(m["beside"][n]["gain_interval"], digits)
                                for n in names])
    return table([""] + [f"**{n}**" if n == m["kept"] else n for n in names], rows)


def chance_metrics(m, rule):
    return (beside_table(m, [("AUC", "auc", 3), ("log loss", "log_loss", 4), ("Brier score", "brier", 4)],
                         "log loss more than the shipped one's, 95 % interval", 4) +
            f"\n{count(m['rows'])} rows of {count(m['households'])} households, {count(m['positives'])} of them "
            f"positive ({100 * m['rate']:.1f} %; {100 * m['base']:.1f} % in the slices it learned from). "
            f"The shipped one: AUC {number(m['auc'])} ({interval(m['auc_interval'])}), log loss {number(m['log_loss'], 4)} "
            f"({interval(m['log_loss_interval'], 4)}); intervals are of 95 %, households drawn anew. "
            f"The one rule: {rule}. {why_kept(m)} {verdict_words(m)}\n")


def amount_metrics(m, rule):
    return (beside_table(m, [("root mean square error", "rmse", 1), ("mean absolute error", "mae", 1),
                             ("rank correlation", "rank", 3)], "root mean square error more, 95 % interval", 1) +
            f"\n{count(m['rows'])} rows of {count(m['households'])} households; observed mean {m['rate']:.1f}, predicted "
            f"{m['mean']:.1f} ({m['base']:.1f} in training, which is the base rate here). Intervals: households drawn anew. "
            f"The plain one is a Poisson regression. The one rule: {rule}. {why_kept(m)} {verdict_words(m)}\n")


def by_kind(m):
    """The same on each kind of row apart."""
    rows = [[f"`{kind}`", count(k["rows"]), f"{100 * k['rate']:.1f} %", f"{100 * k['mean']:.1f} %", number(k["auc"]),
             *(number(other["log_loss"], 4) for other in k["beside"].values()),
             *(interval(k["beside"][n]["gain_interval"], 4) for n in ("base rate", "one rule"))]
            for kind, k in m["by"].items()]
    return ("\nOn each kind apart; the base rate is the kind's own.\n\n" +
            table(["kind", "rows", "observed", "predicted", "AUC", *(f"log loss, {n}" for n in m["beside"]),
                   "base rate less shipped", "one rule less shipped"], rows))


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
        return "none"
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
