# SPDX-License-Identifier: Apache-2.0
"""The uplift pair on the shippable data: who comes within 28 days, with and without the personal mailing.

The mailing was not drawn by lot. The card says what follows from that.
"""
import json

import pandas as pd

import card
import labels
import metrics
import plot
import rivals
import spec
import uplift
from fit import Trees

NAMES = ("mailing-treated", "mailing-control")


def campaign(j, rows, purchases, number):
    labelled = labels.campaign(j, purchases, number, spec.PAIR_DAYS)
    frame = rows.join(labelled)
    before = frame["time"] - pd.Timedelta(days=spec.PAIR_DAYS)
    frame["before"] = [int(purchases.between(h, low, high)[0] > 0)
                       for h, low, high in zip(frame["household"], before, frame["time"])]
    return frame


def arrays(frame):
    return frame[spec.PAIR_INPUTS], frame["label"].to_numpy(dtype=float), frame["treated"].to_numpy()


def points(d):
    return f"{100 * d[0]:+.1f} ({100 * d[1]:+.1f} to {100 * d[2]:+.1f})"


def differences(frame):
    x, y, treated = arrays(frame)
    before = frame["before"].to_numpy(dtype=float)
    chance = uplift.targeting(x, treated)
    return [["came within 28 days after", points(uplift.difference(y, treated)), points(uplift.stratified(y, treated, chance))],
            ["came within 28 days **before**", points(uplift.difference(before, treated)),
             points(uplift.stratified(before, treated, chance))]], metrics.auc(treated, chance)


def size(frame):
    return (f"{frame['time'].iloc[0]:%Y-%m-%d}: {card.count(len(frame))} households, "
            f"{card.count(frame['treated'].sum())} sent to")


def text(rows, train, test, pair, found):
    x, y, treated = arrays(test)
    with_it, without = uplift.predict(pair, x)
    differ, targeted = differences(test)
    parts = [[card.count(n), card.count(t), f"{100 * u:+.1f}", f"{100 * d:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"]
             for n, t, u, d, low, high in found["parts"]]
    return "\n".join([
        "# A personal mailing: uplift pair (`mailing-treated`, `mailing-control`)\n",
        "Made by `make models`; change the training, not this page.\n",
        "**This pair shows how a pair is made, checked and used. It does not know what a mailing does**: the chain chose "
        "whom to send it to. The [pair on a randomised e-mail](hillstrom.md) shows the method where it is right.\n",
        card.table(["", ""], [
            ["label", f"a basket within {spec.PAIR_DAYS} days of the mailing's first day"],
            ["rows", "every household the store has seen by then, sent to or not"],
            ["learner", f"two logistic regressions over {len(spec.PAIR_INPUTS)} inputs, not calibrated further"],
            ["trained on", "campaign 8, " + size(train)], ["tested on", "campaign 13, " + size(test)]]),
        "## Data\n", rows.data + "\n",
        "## Features\n", card.table(["input, by log1p" if pair[0].logs else "input", "weight, treated", "weight, control"], [
            [f"`{n}`", f"{pair[0].weights[n]:.3g}", f"{pair[1].weights[n]:.3g}"] for n in spec.PAIR_INPUTS]),
        "## On the later campaign\n",
        f"Each on its own side. Predicted chance over all: {100 * with_it.mean():.1f} % with, {100 * without.mean():.1f} % "
        "without.\n",
        *[f"### `{name}`\n\n" + card.chance_metrics(m.metrics, m.rule.describe()) for name, m in found["measured"].items()],
        "### The difference\n",
        "Sent to less not sent to, in points, plain and within fifths of the chance to be chosen:\n",
        card.table(["", "plain", "within fifths"], differ),
        "\nNearly all of the plain difference was there before the mailing. Within fifths less is left; but the check is "
        "weak there, because the visits of those weeks are among the inputs. What is left may be the mailing, or what the "
        "chain knew of its customers and the inputs do not (whom it chose can be told from them with an AUC of "
        f"{targeted:.3f}). Nothing here can tell which.\n",
        "By fifths of the predicted difference it is plainer still: what is observed is mostly who was chosen.\n",
        card.table(["households", "sent to", "predicted, points", "observed, points"], parts),
        "## Calibration\n",
        "Each on its own side: sent to, not sent to.\n",
        *[f"![predicted and observed, {name}]({name}.svg)\n" for name in NAMES],
        *[card.table([name, "predicted", "observed", "95 % interval"],
                     [[card.count(n), card.number(p), card.number(o), card.interval((low, high))]
                      for n, p, o, low, high in m.metrics["parts"]])
          for name, m in found["measured"].items()],
        "## In a policy\n",
        "The shape, for a pair trained on offers that were drawn by lot (the store's own exploration, or a control group):\n",
        f"In `{spec.PAIR_PATCH[0]}`:\n", "```json\n" + json.dumps(spec.PAIR_PATCH[1]) + "\n```\n",
        "`uplift` takes the place of `propensity` and `incremental`, which `null` removes here.\n",
        "## Fairness\n", found["fairness"],
        "## Limits\n",
        "\n".join("- " + t for t in ["Not randomised: see above. Do not spend money on it.", spec.SAMPLE, spec.SEASON]) + "\n"])


def sent_by_group(j, test):
    """Whom the mailing reached: the choice that the pair has learned from."""
    treated = test["treated"].to_numpy()
    rows = []
    for what in card.BANDS:
        groups = card.groups_of(test["household"].to_numpy(), j.households, what)
        rows.append([f"**{card.WORDS[what]}**", "", "", ""])
        for name in sorted(set(groups)):
            at = groups == name
            rows.append([name.split(". ", 1)[-1], card.count(at.sum()), f"{100 * treated[at].mean():.0f} %",
                         f"{100 * test['label'].to_numpy()[at].mean():.0f} %"])
    return ("Demographics are known for a third of the households, the more active third. They are no input.\n\n" +
            card.table(["", "households", "sent to", "came"], rows))


def of_side(train, test, side):
    """The model of those who were sent to (1), or not (0)."""
    train, test = (frame[frame["treated"] == side] for frame in (train, test))
    return rivals.measure(Trees("binary:logistic"), spec.PAIR_INPUTS, train, train.iloc[:0], test)


def write(j, rows, purchases, out):
    train, test = (campaign(j, rows, purchases, c) for c in labels.UPLIFT_CAMPAIGNS)
    x, y, treated = arrays(test)
    measured = {name: of_side(train, test, side) for name, side in zip(NAMES, (1, 0))}
    pair = [m.kept.learner for m in measured.values()]
    with_it, without = uplift.predict(pair, x)
    beside = {name: m.metrics for name, m in measured.items()}
    found = {"parts": uplift.by_uplift(y, treated, with_it - without), "fairness": sent_by_group(j, test),
             "measured": measured}
    for name, learner in zip(NAMES, pair):
        out.model(name, out.file(name, learner), learner, x, target="visited", window_days=spec.PAIR_DAYS,
                  population="households the store has seen; the mailing was not randomised")
    for name in NAMES:
        out.write(f"cards/{name}.svg", plot.calibration(measured[name].metrics["parts"], "predicted chance", "observed share"))
    out.card("mailing", text(rows, train, test, pair, found))
    return beside
