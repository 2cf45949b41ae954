# SPDX-License-Identifier: Apache-2.0
"""Why: what a model saw becomes the lines an associate reads, and the numbers behind them add up."""
import json
import subprocess
import tempfile
from fractions import Fraction

import policy
from store import AISLECTL, Client, Store, main, wait_for

GERMAN = {**policy.GOLD, "card": "4000123412349999", "language": "de"}

FEATURES = [
    policy.feature("tier", "profile.tier", "string", reason={"en": "A {{value}} customer", "de": "Kundenstufe {{value}}"}),
    policy.feature("basket_total", "basket.total()", reason={"en": "{{value|money}} in the basket", "de": "{{value|money}} im Korb"}),
    policy.feature("basket_lines", "basket.lines()", reason={"en": "{{value|round}} lines", "de": "{{value|round}} Zeilen"}),
    policy.feature("visits", "local.visits()", reason={"en": "{{value|round}} visits", "de": "{{value|round}} Besuche"}),
    policy.feature("percent", "action.depth"),
]

ACTION = policy.changed(
    policy.OFFER, on=["aisle.basket.item-added"], eligible=True, applicable=True, propensity={"model": "coffee"},
    treatments=[{"treatment": "plain", "language": "en", "headline": "Coffee", "why": ["In season"]},
                {"treatment": "plain", "language": "de", "headline": "Kaffee"}])


def model(bias):
    return {"models/models.json": {"models": [{"model": "coffee", "file": "coffee.json", "inputs": {"depth": "percent"}}]},
            "models/coffee.json": {"format": "aisle-linear", "link": "logit", "bias": bias, "weights": {
                "tier=gold": 1.5, "basket_total": 2**-10, "basket_lines": 0.25, "depth": 2**-4, "visits": -0.5}}}


def install(store, version, bias):
    store.ctl("bundle", "install", policy.bundle(
        store.folder, policy=policy.changed(policy.POLICY, version=version), features=FEATURES, actions=[ACTION], extra=model(bias)))


def visit(store, watch, card, basket):
    """A basket of one line, of 10.24: what the guidance says then."""
    before = len(watch.on("guidance/7"))
    store.till(watch, "basket.opened", {"basket": basket, "terminal": "7"})
    store.till(watch, "customer.identified", {"card": card, "basket": basket, "station": "7"})
    store.till(watch, "basket.item-added", store.item(basket, 1, "grocery/bread", 1024))
    return wait_for("guidance", lambda: [g for g in watch.on("guidance/7")[before:] if g.get("prompts")])[-1]


def expect_parts(contributions):
    one, = contributions["models"]
    assert (one["action"], one["model"]) == ("coffee-off", "coffee"), one
    assert Fraction(one["base"]) + sum(Fraction(p["part"]) for p in one["parts"]) == Fraction(one["margin"]), one
    sizes = [abs(p["part"]) for p in one["parts"]]
    assert sizes == sorted(sizes, reverse=True), sizes
    return one


def test_a_models_reasons_stand_on_the_card_and_its_parts_add_up():
    store = Store()
    store.start()
    try:
        install(store, 1, -2)
        store.ctl("profiles", "install", policy.profiles(store.folder, [policy.GOLD, GERMAN], pepper=store.pepper))
        watch = Client(store.broker.port, [f"{store.root}/#"])
        shown = visit(store, watch, policy.GOLD["card"], "b1")
        # Of 3.375 that speak for it the line (0.25) is less than a tenth; the depth has no sentence; visits speak against it.
        assert shown["prompts"][0]["why"] == ["In season", "A gold customer", "€10.24 in the basket"], shown
        # The basket grows, the card stays, its words too.
        store.till(watch, "basket.item-added", store.item("b1", 2, "grocery/bread", 3000))
        store.till(watch, "basket.cancelled", {"basket": "b1"})
        wait_for("the withdrawal", lambda: [g for g in watch.on("guidance/7") if "withdraw" in g])
        whys = [g["prompts"][0]["why"] for g in watch.on("guidance/7") if g.get("prompts")]
        assert all(w == whys[0] for w in whys), whys
        german = visit(store, watch, GERMAN["card"], "b2")
        assert german["prompts"][0]["why"] == ["Kundenstufe gold", "10,24 € im Korb"], german

        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        one = expect_parts(record["contributions"])
        assert record["contributions"]["same"] is True and record["contributions"]["policy"] == {"name": "test", "version": 1}
        assert one["exact"] is True and one["base"] == -2 and one["margin"] == 1.375, one
        assert [(p["input"], p["feature"], p["value"], p["part"]) for p in one["parts"]] == [
            ("tier", "tier", "gold", 1.5), ("basket_total", "basket_total", 1024, 1), ("depth", "percent", 10, 0.625),
            ("basket_lines", "basket_lines", 1, 0.25)], one
        text = store.ctl("why", shown["decision"])
        assert "coffee-off by model coffee: margin 1.3750 = base -2.0000\n" in text, text
        assert "+1.5000  tier " in text and "in force now" not in text and "Not as it was" not in text, text
        status, answer = store.http("GET", f"/v1/decisions/{shown['decision']}", token=store.pair())
        assert status == 200 and answer == record

        # Another bundle: the numbers are its own, and both forms say so.
        install(store, 2, -1)
        other = json.loads(store.ctl("why", shown["decision"], "--json"))["contributions"]
        one = expect_parts(other)
        assert other["same"] is False and other["policy"]["version"] == 2, other
        assert one["exact"] is False and one["base"] == -1, one
        text = store.ctl("why", shown["decision"])
        assert "By test version 2, which is in force now" in text and "Not as it was" in text, text
        watch.close()
    finally:
        store.close()


def test_a_stated_chance_has_no_contributions():
    store = Store()
    store.start()
    try:
        store.ctl("bundle", "install", policy.bundle(store.folder))
        watch = Client(store.broker.port, [f"{store.root}/#"])
        store.till(watch, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/bread", 2000))
        shown = wait_for("guidance", lambda: [g for g in watch.on("guidance/7") if g.get("prompts")])[-1]
        assert "contributions" not in json.loads(store.ctl("why", shown["decision"], "--json"))
        assert "by model" not in store.ctl("why", shown["decision"])
        watch.close()
    finally:
        store.close()


def test_a_reason_that_should_not_be_read_aloud_does_not_build():
    def report(source, **reason):
        features = FEATURES + [policy.feature("more", source, reason=reason)]
        with tempfile.TemporaryDirectory() as folder:
            policy.write(folder, policy=policy.changed(policy.POLICY, sensitive=["profile.health"]), features=features,
                         actions=[ACTION], extra=model(-2))
            done = subprocess.run(AISLECTL + ["policy", "check", folder], capture_output=True, text=True)
            assert (done.returncode == 0) == ("no mistakes" in done.stdout + done.stderr), done
            return done.stdout + done.stderr

    assert "no mistakes" in report("time.hour", en="It is {{value|round}}")
    for source in ("visit.voids", "visit.declines", "visit.returns", "local.incidents(kind=complaint)", "profile.likely_to_call"):
        assert 'a reason for "more", which is of what went wrong' in report(source, en="{{value}}"), source
    assert "profile.health is declared sensitive" in report("profile.health", en="{{value}}")
    assert 'language "fr"' in report("time.hour", fr="Il est {{value}} h")


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
