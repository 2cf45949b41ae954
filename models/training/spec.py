# SPDX-License-Identifier: Apache-2.0
"""The models: what each foretells, from what, on which slices of time, and how a policy uses it."""
from dataclasses import dataclass, field

import pandas as pd

from features import CATEGORIES, OF_CATEGORY, category_feature
from fit import Trees
from labels import CAMPAIGN_WEEKS

VISITS_MIN = 2  # in 90 days, of a household for lapse: below that there is nothing to lapse from


@dataclass(eq=False)
class Spec:
    name: str
    title: str
    target: str  # for models.json
    label: str  # in words
    window_days: int
    population: str
    inputs: list
    boosting: object  # shipped where it beats a plain regression; else that is
    train: tuple  # [from, until) of the rows; a window that is open at the test's first row is not trained on
    test: tuple
    calibrate: tuple = None
    by: str = None  # the input whose every value is measured apart
    policy: tuple = ()  # (file of the policy, patch) that uses it
    use: str = ""
    limits: list = field(default_factory=list)

    def part(self, frame, which):
        low, high = (pd.Timestamp(t) for t in getattr(self, which))
        return frame[(frame["time"] >= low) & (frame["time"] < high)]


SAMPLE = ("The published till lines are 1 in 15 and show 36 % of the trips, usually one line of a basket. \"Not seen\" "
          "is not \"did not come\", and every chance and amount here is one of the sample. The order of customers "
          "carries over to a store, the level does not: recalibrate on the store's own rows.")
CHOSEN = "The households were chosen for being frequent shoppers of one chain in one year: few of them really leave."
SEASON = "Ten months of one year: no season is seen twice."
WITHHELD = "Lines of sensitive categories count as money and visits only; no label or input names one."

ABSENT40 = Spec(
    "absent40", "No purchase in 40 days", "absent", "no basket in the 40 days after this visit", 40, "visits with a card",
    ["recency", "gap", "lateness", "visits_28d", "visits_90d", "spend_28d", "spend_90d", "lines_90d", "contacts_90d",
     "weekday", "hour"],
    lambda: Trees("binary:logistic", trees=40),
    train=("2017-04-01", "2017-06-05"), calibrate=("2017-06-05", "2017-07-05"), test=("2017-08-15", "2017-09-20"),
    policy=("actions/welcome-back.json", {"context": {"+": [1, {"var": "absent40"}]}}),
    use="More urgent with a customer who may not be back for a while.",
    limits=[SAMPLE, CHOSEN, SEASON])

LAPSE = Spec(
    "lapse", "Lapse", "lapsed", "no basket in the 90 days from here on", 90,
    f"households with {VISITS_MIN} visits or more in 90 days, whether here today or not",
    ["recency", "gap", "visits_28d", "visits_90d", "spend_28d", "spend_90d", "contacts_90d"],
    lambda: Trees("binary:logistic", trees=30, depth=2),
    train=("2017-02-27", "2017-03-20"), calibrate=("2017-03-20", "2017-04-15"), test=("2017-07-10", "2017-08-01"),
    policy=("actions/welcome-back.json", {"applicable": {">": [{"var": "lapse"}, 0.1]}}),
    use="It takes the place of the starter's hand-set `lapse`: who is likely to be gone gets the hello, others do not.",
    limits=["Ninety days of ten months leave few slices: training sees two sweeps of early spring, before anybody's "
            "history is longer than ten weeks.", SAMPLE, CHOSEN, SEASON])

VALUE = Spec(
    "value", "Expected value", "margin", "margin in minor units in the 28 days from here on", 28,
    "every household the store has seen, whether here today or not",
    ["spend_28d", "spend_90d", "visits_28d", "visits_90d", "recency", "gap", "lines_90d"],
    lambda: Trees("reg:tweedie", trees=60, leaf=1),
    train=("2017-04-03", "2017-07-18"), test=("2017-08-14", "2017-10-03"),
    policy=("actions/welcome-back.json", {"margin": {"model": "value"}}),
    use="What a customer who comes back brings: the ingredient of a margin that looks further than this basket.",
    limits=["Margin is a quarter of the amount for every line, as in the demonstration: the data hold no margins.",
            "Four weeks, not a lifetime: ten months cannot show one. Longer values are a sum with an assumption.",
            SAMPLE, CHOSEN, SEASON])

TRADE_UP = Spec(
    "trade-up", "Upsell: trading up", "bought", "this basket holds an item dearer than three quarters of its product type",
    0, "visits with a card, before the first line",
    ["spend_90d", "lines_90d", "visits_90d", "house_lines_90d", "produce_lines_90d", "meat_lines_90d", "recency",
     "weekday", "hour"],
    lambda: Trees("binary:logistic", trees=60),
    train=("2017-04-01", "2017-08-01"), calibrate=("2017-08-01", "2017-09-01"), test=("2017-09-01", "2017-10-30"),
    policy=("actions/pasta-sauce.json", {"personal": True, "context": {"+": [0.5, {"var": "trade_up"}]}}),
    use="Rather recommend the better jar where the customer tends to take the better one.",
    limits=["Dear is by unit price within the product type, by the prices before August, so a large pack can count: "
            "weights are not read.", SAMPLE, SEASON, WITHHELD])

COUPON = Spec(
    "coupon", "Coupon redemption", "redeemed",
    f"a coupon of the campaign is redeemed by the campaign's end, and in its first {CAMPAIGN_WEEKS} weeks", 7 * CAMPAIGN_WEEKS,
    "households that a campaign was sent to, on its first day",
    ["campaign_kind", "coupons_redeemed_90d", "visits_28d", "visits_90d", "spend_28d", "spend_90d", "recency",
     "contacts_90d"],
    lambda: Trees("binary:logistic", trees=60),
    train=("2017-01-01", "2017-05-31"), test=("2017-06-28", "2017-09-05"), by="campaign_kind",
    policy=("actions/coffee-off.json", {"group": "campaign-a", "propensity": {"model": "coupon"},
                                        "outcome": {"within": f"{7 * CAMPAIGN_WEEKS}d"},
                                        "offer": {"apply": "barcode", "until": f"{7 * CAMPAIGN_WEEKS}d"}}),
    use="The chance of a coupon to take home. The kind is the action's `group`: `campaign-a` sends each household coupons "
        "chosen for it, `campaign-b` and `campaign-c` send everybody the same. `coupons_redeemed_90d` is an attribute that "
        "headquarters sends with the profile.",
    limits=["The campaigns chose their households, and those of kind A their coupons, by their purchases: the chance is one "
            "*given that targeting*, and says nothing about what the coupon changed.",
            "Two campaigns of kind A, six of B and two of C taught it; of C they had 77 rows and 3 redemptions, and 14 in "
            "the test: what it says of C is mostly what it says of the others, lowered.",
            "Not calibrated further: every closed campaign is needed to learn from.",
            "An action of another group is given a level between the kinds.", SAMPLE, SEASON])

NEXT = Spec(
    "next", "Next category", "bought", "something of the category is in this basket", 0,
    "visits with a card, before the first line",
    ["cat_" + w for w in OF_CATEGORY] + ["visits_180d", "visits_90d", "recency", "hour"],
    lambda: Trees("binary:logistic", trees=60),
    train=("2017-04-01", "2017-08-01"), calibrate=("2017-08-01", "2017-09-01"), test=("2017-09-01", "2017-10-30"),
    policy=("actions/milk-reminder.json", {"propensity": {"model": "next-milk"}}),
    use="One file of trees serves twelve categories: `inputs` name another category's features, and each has its own "
        "calibration. A thirteenth is an entry in models.json, not a training.",
    limits=["Of a basket's lines one or two are seen, so each chance is far below the truth. Which category ranks first is "
            "less touched than its level.", SAMPLE, SEASON, WITHHELD])

PAIR_INPUTS = ["visits_28d", "visits_90d", "spend_28d", "spend_90d", "recency", "gap"]
PAIR_DAYS = 28
PAIR_PATCH = ("actions/welcome-back.json", {"propensity": None, "incremental": None,
                                            "uplift": {"treated": "mailing-treated", "control": "mailing-control"}})

CHANCES = [COUPON, LAPSE, ABSENT40, TRADE_UP]


def category_inputs(name):
    """From the shared model's inputs to the features of one category."""
    return {"cat_" + w: category_feature(name, w) for w in OF_CATEGORY}


def next_models():
    return {"next-" + name: name for name in CATEGORIES}
