#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# models_labels.py - the training's labels, baseline and calibration, at their boundaries, on a journey made by hand.
#
# Needs Debian's python3-xgboost, python3-pandas, python3-sklearn; leaves with 77 (skipped) without them.

import os
import sys

try:
    import numpy as np
    import pandas as pd
    import sklearn  # noqa: F401
    import xgboost  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models", "training"))
import fit  # noqa: E402
import labels  # noqa: E402
import metrics  # noqa: E402
import rivals  # noqa: E402
import slice as slicing  # noqa: E402
import uplift  # noqa: E402
from journey import LAST, Journey  # noqa: E402

DAY = pd.Timedelta(days=1)


def journey(baskets, lines=(), targets=(), redemptions=()):
    b = pd.DataFrame(baskets, columns=["household", "ts", "amount"])
    b["ts"] = pd.to_datetime(b["ts"])
    b["basket"], b["dear"], b["lines"] = np.arange(1, len(b) + 1), 0, 1
    t = pd.DataFrame(targets, columns=["household", "campaign", "type", "start", "end", "redeemed", "closed"])
    r = pd.DataFrame(redemptions, columns=["household", "day"])
    for frame, names in ((t, ("start", "end")), (r, ("day",))):
        for name in names:
            frame[name] = pd.to_datetime(frame[name])
    return Journey(pd.DataFrame(lines, columns=["basket", "category"]), b, t, r, None)


def absent_labels(baskets, days=40):
    j = journey(baskets)
    return labels.absent(labels.visits(j), labels.Purchases(j), days)["label"].tolist()


def test_a_basket_at_the_windows_last_instant_is_a_return():
    assert absent_labels([(1, "2017-03-01 10:00:00", 100), (1, "2017-04-10 10:00:00", 100)]) == [0, 1]


def test_a_basket_one_second_later_is_none():
    assert absent_labels([(1, "2017-03-01 10:00:00", 100), (1, "2017-04-10 10:00:01", 100)]) == [1, 1]


def test_the_visit_itself_is_no_return():
    assert absent_labels([(1, "2017-03-01 10:00:00", 100)]) == [1]


def test_another_households_basket_is_no_return():
    assert absent_labels([(1, "2017-03-01 10:00:00", 100), (2, "2017-03-02 10:00:00", 100)]) == [1, 1]


def test_a_window_that_ends_with_the_data_is_closed():
    assert len(absent_labels([(1, str(LAST - 40 * DAY), 100)])) == 1


def test_a_window_that_ends_a_second_after_the_data_has_no_label():
    assert absent_labels([(1, str(LAST - 40 * DAY + pd.Timedelta(seconds=1)), 100)]) == []


def test_margin_is_a_quarter_of_what_is_bought_after_the_row():
    j = journey([(1, "2017-03-01 10:00:00", 1000), (1, "2017-03-02 10:00:00", 400), (1, "2017-03-29 10:00:00", 200),
                 (1, "2017-03-29 10:00:01", 800)])
    assert labels.margin(labels.visits(j), labels.Purchases(j), 28)["label"].tolist()[0] == 150.0


def test_a_redemption_on_the_campaigns_first_day_is_not_known_yet():
    j = journey([], targets=[(1, 8, "A", "2017-05-08", "2017-06-25", 1, 1)],
                redemptions=[(1, "2017-05-07"), (1, "2017-05-08"), (2, "2017-05-01")])
    assert labels.redeemed(j)["coupons_redeemed_90d"].tolist() == [1]


def test_a_redemption_counts_for_ninety_days():
    j = journey([], targets=[(1, 8, "A", "2017-05-08", "2017-06-25", 1, 1)],
                redemptions=[(1, "2017-02-06"), (1, "2017-02-07")])
    assert labels.redeemed(j)["coupons_redeemed_90d"].tolist() == [1]


def test_a_campaign_that_still_ran_at_the_end_has_a_label_once_it_was_seen_for_eight_weeks():
    j = journey([], targets=[(1, 14, "C", "2017-09-04", "2017-11-08", 1, 0), (1, 15, "C", "2017-09-05", "2017-11-08", 1, 0)])
    assert labels.redeemed(j)["campaign"].tolist() == [14]
    assert labels.redeemed(j)["campaign_kind"].tolist() == ["campaign-c"]


def test_a_category_holds_what_is_below_it_and_not_what_begins_alike():
    j = journey([(1, "2017-03-01", 1), (1, "2017-03-02", 1), (1, "2017-03-03", 1)],
                lines=[(1, "grocery/coffee"), (2, "grocery/coffee/ground"), (3, "grocery/coffee-filters")])
    assert labels.bought(j, {"coffee": "grocery/coffee"})["label"].tolist() == [1, 1, 0]


def test_a_household_is_known_from_the_day_after_its_first_basket():
    j = journey([(1, "2017-03-01 10:00:00", 100)])
    assert labels.seen_before(j, pd.Timestamp("2017-03-01")).tolist() == []
    assert labels.seen_before(j, pd.Timestamp("2017-03-02")).tolist() == [1]


def test_the_one_rule_takes_the_input_that_tells_most():
    chance = np.random.default_rng(1)
    x = pd.DataFrame({"noise": chance.random(1000), "signal": chance.random(1000)})
    x.loc[:99, "signal"] = np.nan
    y = (x["signal"].fillna(1) > 0.6).astype(int)
    rule = metrics.OneRule().fit(x, y)
    p = rule.predict(pd.DataFrame({"noise": [0.5] * 3, "signal": [0.1, 0.9, np.nan]}))
    assert rule.name == "signal" and p[0] < 0.05 and p[1] > 0.95 and p[2] > 0.95


def test_isotonic_points_rise_and_are_followed_in_between():
    chance = np.random.default_rng(2)
    margin = chance.normal(size=8000)
    how = fit.isotonic(margin, chance.random(8000) < fit.logistic(margin - 1))
    xs, ps = zip(*how["isotonic"])
    assert all(a < b for a, b in zip(xs, xs[1:])) and all(a <= b for a, b in zip(ps, ps[1:]))
    assert fit.calibrated(how, [(xs[0] + xs[1]) / 2])[0] == (ps[0] + ps[1]) / 2
    assert fit.calibrated(how, [-99.0])[0] == ps[0] and fit.calibrated(how, [99.0])[0] == ps[-1]


def test_a_stranger_gets_about_the_average_and_not_the_best_customers_score():
    chance = np.random.default_rng(4)
    x = pd.DataFrame({"visits": chance.integers(0, 50, 20000).astype(float), "hour": chance.integers(7, 22, 20000)})
    y = (chance.random(20000) < x["visits"] / 60).astype(float)
    stranger = pd.DataFrame({"visits": [np.nan], "hour": [12.0]})
    p = fit.logistic(fit.Trees("binary:logistic").fit(x, y).margins(stranger))[0]
    assert abs(p - y.mean()) < 0.1, p


def test_a_text_has_a_weight_for_each_of_its_values_and_a_new_value_none():
    x = pd.DataFrame({"kind": ["a", "b"] * 500, "visits": np.arange(1000.0)})
    model = fit.Linear(log=True).fit(x, (x["kind"] == "a") & (x["visits"] % 4 != 0))
    assert list(model.weights) == ["kind=a", "kind=b", "visits"] and model.logs == ["visits"]
    a, b, new, missing = model.margins(pd.DataFrame({"kind": ["a", "b", "z", None], "visits": [9.0] * 4}))
    assert a > new == missing > b


def test_the_plain_regression_takes_logarithms_where_they_tell_more():
    chance = np.random.default_rng(5)
    x = pd.DataFrame({"spend": np.exp(chance.normal(0, 3, 4000))})
    rows = x.assign(label=(chance.random(4000) < fit.logistic(np.log1p(x["spend"]) - 2)).astype(int))
    assert rivals.plain(["spend"], rows, rows).logs == ["spend"]


def test_a_boosting_is_kept_where_it_is_told_apart_and_not_for_the_same_chances():
    chance = np.random.default_rng(6)
    truth = chance.random(4000)
    y, households = (chance.random(4000) < truth).astype(float), np.arange(4000)
    flat = np.full(4000, 0.5)
    assert rivals.kept_of(y, {rivals.PLAIN: flat, rivals.BOOSTING: truth}, households) == rivals.BOOSTING
    assert rivals.kept_of(y, {rivals.PLAIN: truth, rivals.BOOSTING: truth}, households) == rivals.PLAIN
    assert rivals.kept_of(y, {rivals.PLAIN: truth, rivals.BOOSTING: flat}, households) == rivals.PLAIN


def test_platt_never_turns_the_order_round():
    margin = np.linspace(-1, 1, 200)
    assert fit.platt(margin, margin < 0)["platt"][0] == 0.0


def test_qini_is_above_zero_for_the_right_order_and_below_for_the_reverse():
    chance = np.random.default_rng(3)
    treated, effect = chance.integers(0, 2, 20000), chance.random(20000)
    y = (chance.random(20000) < 0.2 + 0.4 * effect * treated).astype(float)
    assert uplift.qini(y, treated, effect) > 0.01 > -0.01 > uplift.qini(y, treated, -effect)


def test_a_sensitive_category_bars_what_is_below_it():
    barred = slicing.sensitive_categories()
    assert slicing.is_below("drug-gm/infant-formula/powder", barred) and slicing.is_below("spirits", barred)
    assert not slicing.is_below("grocery/coffee", barred) and not slicing.is_below("spirits-free", barred)


def main():
    failed = passed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_"):
            continue
        try:
            test()
            passed += 1
        except AssertionError:
            failed += 1
            print(f"not ok {name}: {sys.exc_info()[2].tb_next.tb_lineno}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
