# SPDX-License-Identifier: Apache-2.0
"""The table of figures, in models/README.md and docs/models.md, between its two marks."""
import card
import spec

BEGIN, END = "<!-- made by make models -->\n", "<!-- end -->\n"
OTHERS = ("base rate", "one rule", "plain logistic", "boosting")
HEAD = ["model", "used for", "test rows", "rate", "AUC", *(f"log loss, {n}" for n in OTHERS)]
USED = {"coupon": "a coupon to take home: its chance, by the kind of campaign",
        "lapse": "who is likely to be gone gets a hello", "absent40": "more urgent with who may not be back for a while",
        "trade-up": "rather the better jar, where he tends to take it",
        "next": "which reminder or offer is likely to be taken", "value": "the margin of winning somebody back"}


def cells(m, figure, digits):
    """Each of the others with how much worse it is than what is shipped, which is bold."""
    found = []
    for name in OTHERS:
        other = m["beside"][name]
        value = f"{other[figure]:.{digits}f}"
        low, high = other["gain_interval"]
        found.append(f"**{value}**" if name == m["kept"] else f"{value} ({low:+.{digits}f} to {high:+.{digits}f})")
    return found


def chance_row(name, what, m):
    return [name, what, card.count(m["rows"]), f"{100 * m['rate']:.1f} %", f"{m['auc']:.3f} ({card.interval(m['auc_interval'])})",
            *cells(m, "log_loss", 4)]


def link(name, file=None):
    return f"[`{name}`](CARDS/{file or name}.md)"


def text(found):
    rows = []
    for s in [*spec.CHANCES, spec.NEXT]:
        m = found[s.name]["metrics"]
        rows.append(chance_row(link(s.name), USED[s.name], m))
        rows += [chance_row(f"– of `{kind}` alone", "", k) for kind, k in m.get("by", {}).items()]
    for name, m in found["pair"].items():
        rows.append(chance_row(link(name, "mailing"), "shows how a pair is made; not randomised", m))
    for days in ("40", "90"):
        rows.append(chance_row(link("online-retail"), f"absent for {days} days, whole baskets, results only",
                               found["outside"]["retail"][days]))
    m = found["value"]["metrics"]
    value = [link("value"), USED["value"], card.count(m["rows"]), f"{m['rate']:.0f} on average",
             f"rank correlation {m['rank']:.3f}", *cells(m, "rmse", 1)]
    return (card.table(HEAD, rows) + "\n" +
            card.table([*HEAD[:5], "root mean square error, mean", "one rule", "plain Poisson", "boosting"], [value]))


def hillstrom(found):
    rows = [[f"[{arm}](CARDS/hillstrom.md)", card.count(f["rows"]), f"{100 * f['average'][0]:+.1f} points",
             f"{1000 * f['qini_pair']:.2f}", f"{1000 * f['qini_rule']:.2f}",
             f"{1000 * f['qini_gain_rule'][0]:+.2f} to {1000 * f['qini_gain_rule'][1]:+.2f}"]
            for arm, f in found["outside"]["hillstrom"].items()]
    return card.table(["mailing by lot, results only", "test rows", "effect on visits", "Qini per 1,000, pair of boostings",
                       "one rule", "pair less rule"], rows)


def write_index(path, found, cards):
    """cards: the folder of the cards as the page sees it."""
    with open(path) as f:
        whole = f.read()
    before, rest = whole.split(BEGIN)
    after = rest.split(END, 1)[1]
    with open(path, "w", newline="\n") as f:
        f.write(before + BEGIN + (text(found) + "\n" + hillstrom(found)).replace("CARDS", cards) + END + after)
