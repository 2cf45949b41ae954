# SPDX-License-Identifier: Apache-2.0
"""Training rows: what deciding would have seen, no more and no less, whatever came later."""
import csv
import datetime
import io
import json
import os
import random
import subprocess

import oracle_world as world
from oracle import millis, text_of
from store import AISLECTL, main
from test_deciding import CARD, CARD_EVENT, GRANTED, ITEM_EVENT, Case, Day, action, near, source_of

CLOSED = "aisle.basket.closed"


def write_events(case, events):
    path = os.path.join(case.folder, "events.jsonl")
    with open(path, "w") as f:
        f.write(world.lines(events))
    return path


def features(case, events, *words):
    """The CSV of `aislectl features` as bytes."""
    pepper = os.path.join(case.folder, "pepper")
    done = subprocess.run(AISLECTL + ["--config", os.path.join(case.folder, "aisled.conf"), "features", "--bundle", case.bundle,
                                      "--profiles", case.profiles, "--pepper", pepper, "--events", write_events(case, events),
                                      *words], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def rows(text):
    return list(csv.DictReader(io.StringIO(text.decode())))


def value(text, kind):
    """A cell as the record would have it."""
    if kind == "string":
        return text
    if text == "":
        return None
    return text == "true" if kind == "bool" else float(text)


def a_week(seed, visits=25):
    made = world.World(random.Random(seed))
    source, people = made.policy(), made.profiles()
    case = Case(source, people)
    events, theirs = made.week(case.oracle, visits, millis("2026-03-26T17:00:00Z"))
    return case, events, theirs


# ---- the values ----

def compare_row(row, kinds, decision, oracle):
    assert (row["time"], row["type"], row["basket"]) == (decision["at"], decision["trigger"]["type"],
                                                         decision.get("basket", "")), (row, decision)
    for name, seen in decision["features"].items():
        ours = value(row[name], kinds[name])
        # A text that is missing and one that is empty read alike here.
        assert ours == (seen if seen is not None or kinds[name] != "string" else ""), (name, row[name], seen)
    for name, seen in oracle["all features"].items():
        ours = value(row[name], kinds[name])
        assert near(ours, seen if seen is not None or kinds[name] != "string" else ""), (name, row[name], seen)


def test_a_row_is_what_the_decision_of_the_same_event_saw():
    compared = 0
    for seed in range(21, 31):
        case, events, theirs = a_week(seed)
        try:
            # A policy with a bar on it has one feature of its own.
            kinds = {"likely_to_call": "number", **{f["name"]: f["type"] for f in case.source["features"]}}
            made = {r["event"]: r for r in rows(features(case, events))}
            decisions = [d for d in case.replay(events) if d["trigger"]["source"] != "timer"]
            oracle = {d["trigger"]["id"]: d for d in theirs}
            assert set(made) == {d["trigger"]["id"] for d in decisions}, seed
            for decision in decisions:
                compare_row(made[decision["trigger"]["id"]], kinds, decision, oracle[decision["trigger"]["id"]])
                compared += len(decision["features"])
        finally:
            case.close()
    assert compared > 3000, compared


def test_columns_are_the_event_then_the_features_by_name():
    case, events, _ = a_week(3, 4)
    try:
        head = features(case, events).decode().split("\n")[0].split(",")
        assert head[:6] == ["time", "event", "type", "visit", "subject", "basket"], head
        assert head[6:] == sorted(f["name"] for f in case.source["features"]), head
    finally:
        case.close()


def test_rows_are_the_same_bytes_whatever_the_turns_and_into_a_file():
    case, events, _ = a_week(5, 12)
    try:
        text = features(case, events)
        out = os.path.join(case.folder, "rows.csv")
        assert text == features(case, events, "--turn", "1") == features(case, events, "--turn", "7")
        assert features(case, events, "-o", out) == b""
        with open(out, "rb") as f:
            assert f.read() == text
    finally:
        case.close()


# ---- nothing of what came later ----

def test_what_comes_later_moves_no_row():
    case, events, _ = a_week(11, 40)
    try:
        whole = features(case, events)
        rng = random.Random(4)
        for _ in range(12):
            cut = rng.randrange(1, len(events))
            before = features(case, events[:cut])
            assert whole.startswith(before), f"cut at {cut}"
            # Later lines of other amounts, in another order, some gone, some new.
            later = [json.loads(json.dumps(e)) for e in events[cut:]]
            for event in later:
                if "amount" in event["data"]:
                    event["data"]["amount"] += 1000
            later = [e for e in later if rng.random() < 0.7]
            rng.shuffle(later)
            for event in later:
                event["time"] = text_of(millis(events[-1]["time"]) + 60000)
            changed = features(case, events[:cut] + later)
            assert changed.startswith(before), f"changed after {cut}"
            assert changed != whole or not later
    finally:
        case.close()


def test_a_basket_still_open_is_no_history_yet():
    day = Day(source_of(action("a", on=[ITEM_EVENT])), [{"card": CARD, "consent": GRANTED}])
    try:
        for n, basket in enumerate(("b1", "b2")):
            day.open(basket)
            day.scan()
            day.item(1, amount=500 + n, basket=basket)
            day.item(2, amount=70, basket=basket)
            day.close(570 + n, basket)
        made = rows(features(day.case, day.events))
        assert [(r["basket"], r["spend"], r["visits"], r["total"]) for r in made] == [
            ("b1", "0", "0", "500"), ("b1", "0", "0", "570"), ("b2", "570", "1", "501"), ("b2", "570", "1", "571")], made
    finally:
        day.case.close()


# ---- who agreed to what ----

PERSONAL = ["tier", "spend", "visits", "shown", "bought", "returned"]


def say_rows(consent, steps):
    day = Day(source_of(action("a", on=[ITEM_EVENT])), [{"card": CARD, "consent": consent, "attributes": {"tier": "gold"}}])
    try:
        steps(day)
        return rows(features(day.case, day.events))
    finally:
        day.case.close()


def visit(day, basket):
    day.open(basket)
    day.scan()
    day.item(1, basket=basket)
    day.close(500, basket)


def test_without_consent_to_personalise_nothing_personal_is_in_a_row():
    for consent in ({**GRANTED, "personalise": "denied"}, {}):
        made = say_rows(consent, lambda day: (visit(day, "b1"), visit(day, "b2")))
        assert len(made) == 2
        for row in made:
            assert [row[n] for n in PERSONAL] == [""] * len(PERSONAL) and row["subject"] == "", row
            assert row["total"] == "500", row


def test_consent_that_is_taken_back_counts_from_then_on():
    def steps(day):
        visit(day, "b1")
        day.say("consent.changed", {"card": CARD, "purpose": "personalise", "state": "denied"}, topic="loyalty/r/event")
        visit(day, "b2")
        day.say("consent.changed", {"card": CARD, "purpose": "personalise", "state": "granted"}, topic="loyalty/r/event")
        visit(day, "b3")
    made = say_rows(GRANTED, steps)
    assert [(r["tier"], r["subject"] != "") for r in made] == [("gold", True), ("", False), ("gold", True)], made


def test_who_may_not_be_remembered_is_not_named():
    made = say_rows({**GRANTED, "profile": "denied"}, lambda day: (visit(day, "b1"), visit(day, "b2")))
    assert [(r["subject"], r["visits"], r["tier"]) for r in made] == [("", "0", "gold")] * 2, made


# ---- which rows ----

def test_on_names_events_that_no_action_asks_for():
    case, events, _ = a_week(7, 10)
    try:
        made = rows(features(case, events, "--on", f"{CLOSED},{CARD_EVENT}"))
        assert {r["type"] for r in made} == {CLOSED, CARD_EVENT}
        # Looking at more events moves nothing of the others.
        plain = [r for r in rows(features(case, events)) if r["type"] == CARD_EVENT]
        assert [r for r in made if r["type"] == CARD_EVENT] == plain and plain
    finally:
        case.close()


def test_what_never_starts_a_decision_cannot_be_asked_for():
    case, events, _ = a_week(7, 2)
    try:
        for wrong in ("aisle.offer.redeemed", "aisle.guidance.shown", "basket.closed", "", CLOSED + ","):
            done = subprocess.run(AISLECTL + ["features", "--bundle", case.bundle, "--events", write_events(case, events),
                                              "--on", wrong], capture_output=True, text=True)
            assert done.returncode == 64 and "no event that can start a decision" in done.stderr, (wrong, done)
    finally:
        case.close()


def test_goods_of_a_sensitive_category_make_no_row():
    def steps(day):
        day.open("b1")
        for line, category in enumerate(("home", "pharmacy", "pharmacy/pain", "pharmacyx"), 1):
            day.item(line, category, basket="b1")
    day = Day(source_of(action("a", on=[ITEM_EVENT]), sensitive=["category=pharmacy"]))
    try:
        steps(day)
        assert [r["event"] for r in rows(features(day.case, day.events))] == ["e1", "e4"]
    finally:
        day.case.close()


def test_texts_are_quoted_and_missing_is_empty():
    source = source_of(action("a", on=[CARD_EVENT]))
    day = Day(source, [{"card": CARD, "consent": GRANTED, "attributes": {"tier": 'a "b", c'}},
                       {"card": CARD[:-1] + "5", "consent": GRANTED, "attributes": {"tier": ""}},
                       {"card": CARD[:-1] + "6", "consent": GRANTED}])
    try:
        for n, card in enumerate((CARD, CARD[:-1] + "5", CARD[:-1] + "6")):
            day.open(f"b{n}")
            day.scan(card)
            day.close(0, f"b{n}")
        column = features(day.case, day.events).decode().split("\n")[0].split(",").index("tier")
        text = features(day.case, day.events).decode()
        assert [r["tier"] for r in rows(text.encode())] == ['a "b", c', "", ""]
        assert ',"a ""b"", c",' in text
        assert [line.split(",")[column] for line in text.split("\n")[2:4]] == ['""', ""], text
    finally:
        day.case.close()


# ---- events that cannot be used ----

def over(case, events, command, *words):
    """A command over recorded events: its exit status and what it says."""
    path, pepper = write_events(case, events), os.path.join(case.folder, "pepper")
    words = [path, "-o", os.path.join(case.folder, "learned"), *words] if command == "train" else \
        ["--bundle", case.bundle, "--events", path, *words]
    done = subprocess.run(AISLECTL + [command, *words, "--profiles", case.profiles, "--pepper", pepper, "--store", "0042"],
                          capture_output=True, text=True)
    return done.returncode, done.stderr.splitlines()


def a_short_day():
    day = Day(source_of(action("a", on=[ITEM_EVENT])), [{"card": CARD, "consent": GRANTED}])
    visit(day, "b1")
    visit(day, "b2")
    return day


def test_where_every_event_is_refused_each_command_fails_with_their_number():
    day = a_short_day()
    try:
        nowhere = [{**e, "source": "/s"} for e in day.events]
        for event in nowhere:
            event.pop("topic", None)
        for command in ("replay", "decide", "features", "train"):
            status, said = over(day.case, nowhere, command)
            assert status == 65 and len(said) == 2, (command, status, said)
            assert said[0].startswith("8 set aside, first in line 1: bad-envelope: /topic: expected CHANNEL/ID/event"), said
            assert said[1].startswith("all of the 8 events are refused"), said
        # One that can be used, and it is the rest that is told.
        for command in ("replay", "features"):
            status, said = over(day.case, nowhere[:3] + day.events[3:4] + nowhere[4:], command)
            assert status == 0 and len(said) == 1 and said[0].startswith("7 set aside, first in line 1: "), said
            status, said = over(day.case, [], command)
            assert status == 65 and len(said) == 1 and said[0].endswith("no events, expected one CloudEvent a line"), (command, said)
    finally:
        day.case.close()


def test_another_currency_is_one_sentence():
    day = a_short_day()
    try:
        foreign = [{**e, "data": {**e["data"], "currency": "USD"}} if "amount" in e["data"] or "total" in e["data"] else e
                   for e in day.events]
        says = "4 set aside, first in line 3: bad-value: /data/currency: expected the store's currency, EUR"
        for command in ("replay", "features"):
            assert over(day.case, foreign, command) == (0, [says]), command
        status, said = over(day.case, foreign, "train", "--policy", os.path.join(day.case.folder, "policy-source"))
        assert status == 65 and said[0] == says and len(said) == 2 and "no basket closes" in said[1], said
    finally:
        day.case.close()


def test_events_of_another_store_are_one_sentence():
    """They are taken, because a chain trains on several stores at once; a wrong --store shows."""
    day = a_short_day()
    try:
        own = [{**e, "source": "/store/0042/pos/7"} for e in day.events]
        foreign = [{**e, "source": "/store/0043/pos/7"} for e in own[:3]] + own[3:]
        says = "3 events are of another store than 0042, first in line 1; they were taken for its own"
        for command in ("replay", "features"):
            assert over(day.case, foreign, command) == (0, [says]), command
            assert over(day.case, own, command) == (0, []), command
        status, said = over(day.case, foreign, "train", "--policy", os.path.join(day.case.folder, "policy-source"))
        assert said[0] == says, said
    finally:
        day.case.close()


def test_a_file_out_of_order_is_one_sentence():
    """As of two stores one behind the other: the second one's sales would all be of one moment."""
    day = a_short_day()
    try:
        late = (datetime.datetime.fromisoformat(day.events[4]["time"].replace("Z", "+00:00")) - datetime.timedelta(days=1)).isoformat()
        late = late.replace("+00:00", "Z")
        behind = day.events[:4] + [{**e, "time": late, "recordedtime": late} for e in day.events[4:6]] + day.events[6:]
        says = ("2 events are more than an hour older than one before them, first in line 5; the clock does not go back, "
                "expected a file in order of time")
        for command in ("replay", "features", "train"):
            assert says in over(day.case, behind, command)[1], (command, over(day.case, behind, command))
    finally:
        day.case.close()


def test_eight_kinds_are_told_apart_and_the_rest_is_counted():
    day = a_short_day()
    try:
        item = next(e for e in day.events if e["type"] == ITEM_EVENT)
        wrong = [{**item, name: []} for name in ("specversion", "id", "time", "type", "data")]
        wrong += [{**item, "id": name, "data": {**item["data"], name: []}} for name in ("basket", "line", "qty", "amount", "currency")]
        for count in (8, 9, 10):
            status, said = over(day.case, day.events[:1] + [e for e in wrong[:count] for _ in "ab"], "replay")
            assert status == 0 and len(said) == min(count, 9), said
            assert said[7].startswith("2 set aside, first in line 16: "), said
            assert said[8:] == [f"{2 * (count - 8)} more set aside for other reasons"] * (count > 8), said
    finally:
        day.case.close()


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
