# SPDX-License-Identifier: Apache-2.0
"""The table of models/README.md, between its two marks."""
import card
import spec

BEGIN, END = "<!-- made by make models -->\n", "<!-- end -->\n"


def chance_row(name, title, m, beats):
    return [f"[`{name}`](reference/cards/{name}.md)", title, card.count(m["rows"]), f"{100 * m['rate']:.1f} %",
            f"{m['auc']:.3f} / {m['rule_auc']:.3f}",
            f"{m['log_loss']:.4f} / {m['base_log_loss']:.4f} / {m['rule_log_loss']:.4f}", beats]


def verdict(gain):
    return "yes" if gain[0] > 0 else "no" if gain[1] < 0 else "not told apart"


def text(found):
    head = ["model", "target", "test rows", "base rate", "AUC: model / one rule",
            "log loss: model / base rate / one rule", "beats the one rule"]
    rows = []
    for s in [*spec.CHANCES, spec.NEXT]:
        m = found[s.name]["metrics"]
        rows.append(chance_row(s.name, s.label, m, verdict(m["log_loss_gain_interval"])))
    m = found["value"]["metrics"]
    rows.append(["[`value`](reference/cards/value.md)", spec.VALUE.label, card.count(m["rows"]), f"{m['rate']:.0f} on average",
                 f"rank correlation {m['rank']:.3f} / {m['rule_rank']:.3f}",
                 f"root mean square error {m['rmse']:.0f} / {m['base_rmse']:.0f} / {m['rule_rmse']:.0f}",
                 verdict(m["rmse_gain_interval"])])
    p = found["pair"]
    rows.append(["[`mailing-treated`, `mailing-control`](reference/cards/mailing.md)",
                 "a basket within 28 days, with and without a personal mailing", card.count(p["rows"]),
                 f"{100 * p['rates'][0]:.1f} % / {100 * p['rates'][1]:.1f} %",
                 f"{p['areas'][0]:.3f}, {p['areas'][1]:.3f} on its own side", "–",
                 "not randomised: a pattern, not a finding"])
    for arm, f in found["outside"]["hillstrom"].items():
        rows.append([f"[{arm}](reference/cards/hillstrom.md), results only", "visits within two weeks, by lot",
                     card.count(f["rows"]), f"effect {100 * f['average'][0]:+.1f} points",
                     f"Qini per 1,000: {1000 * f['qini_pair']:.2f} / {1000 * f['qini_rule']:.2f}", "–",
                     verdict(f["qini_gain_rule"])])
    for days in ("40", "90"):
        m = found["outside"]["retail"][days]
        rows.append(chance_row("online-retail", f"no basket in {days} days, whole baskets, results only", m,
                               verdict(m["log_loss_gain_interval"])))
    return card.table(head, rows)


def write_index(path, found):
    with open(path) as f:
        whole = f.read()
    before, rest = whole.split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w", newline="\n") as f:
        f.write(before + BEGIN + text(found) + END + after)
