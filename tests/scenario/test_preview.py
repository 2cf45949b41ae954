#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an author asks: policy preview, every card and no word of it more than a word; policy check beside what the tills sell."""
import json
import os
import re
import subprocess
import tempfile

from policy import ENROL, FEATURES, OFFER, POLICY, changed, feature, write
from store import AISLECTL, main

HOSTILE = "</script><script>document.title='hit'</script><img src=x onerror=alert(1)>"


def preview(actions, features=FEATURES, policy=POLICY):
    """(exit code, the page, what was said)"""
    with tempfile.TemporaryDirectory() as folder:
        source = write(os.path.join(folder, "source"), policy=policy, features=features, actions=actions)
        page = os.path.join(folder, "page.html")
        done = subprocess.run(AISLECTL + ["policy", "preview", source, "-o", page], capture_output=True, text=True)
        assert sorted(os.listdir(folder)) == (["page.html", "source"] if done.returncode == 0 else ["source"])
        if done.returncode != 0:
            return done.returncode, None, done.stderr
        with open(page, encoding="utf-8") as f:
            return 0, f.read(), done.stderr


def cards(page):
    found = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])["cards"]
    return {(card["action"], card["treatment"]): card for card in found}


def test_each_card_is_there_in_each_language_with_its_depth_and_worth():
    code, page, said = preview([OFFER, ENROL])
    assert code == 0, said
    found = cards(page)
    assert set(found) == {("coffee-off", "plain"), ("coffee-off", "einfach"), ("enrol", "plain")}
    card = found["coffee-off", "plain"]
    assert card["language"] == "en" and card["depths"] == [10] and card["marks"] == []
    assert card["prompt"]["headline"] == "10 % off any coffee today"
    assert card["prompt"]["why"] == ["A gold customer"]
    offer = card["prompt"]["offer"]
    assert (offer["worth"], offer["estimate"], offer["depth"], offer["currency"]) == (45, True, 10, "EUR"), offer
    assert found["coffee-off", "einfach"]["prompt"]["headline"] == "10 % auf Kaffee"
    assert "offer" not in found["enrol", "plain"]["prompt"]


def test_a_value_is_its_default_or_its_name_in_brackets():
    words = {"treatment": "plain", "language": "en", "headline": "Tier {{tier}}", "say": "Total {{basket_total}}",
             "body": "Name {{nick|default:friend}}"}
    features = FEATURES + [feature("nick", "profile.nick", "string")]
    code, page, said = preview([changed(OFFER, treatments=[words])], features=features)
    assert code == 0, said
    prompt = cards(page)["coffee-off", "plain"]["prompt"]
    assert prompt["headline"] == "Tier none" and prompt["say"] == "Total ‹basket_total›" and prompt["body"] == "Name friend", prompt


def test_a_text_near_its_limit_is_marked_and_one_below_is_not():
    def marks(length):
        words = {"treatment": "plain", "language": "en", "headline": "h" * length}
        code, page, said = preview([changed(ENROL, treatments=[words])])
        assert code == 0, said
        return cards(page)["enrol", "plain"]["marks"]
    assert marks(40) == []                         # of 48, 85 % are 40.8
    assert marks(41) == ["headline: 41 of at most 48 characters on tablet"]


def test_of_a_text_with_a_value_the_room_is_said_that_is_left_for_it():
    def marks(length, **more):
        words = {"treatment": "plain", "language": "en", "headline": "h" * length + "{{tier}}", **more}
        code, page, said = preview([changed(ENROL, treatments=[words])])
        assert code == 0, said
        return cards(page)["enrol", "plain"]["marks"]
    assert marks(32) == []
    assert marks(33) == ["headline: 33 of at most 48 characters on tablet without ‹tier›; where that has more than 15 it is not shown"]
    ladder = changed(OFFER, offer=dict(OFFER["offer"], ladder=[5, 100]), treatments=[{"treatment": "plain", "language": "en", "headline": "h" * 38 + "{{depth}}"}])
    del ladder["offer"]["depth"]
    code, page, said = preview([ladder])
    assert code == 0, said
    assert cards(page)["coffee-off", "plain"]["marks"] == ["headline: 41 of at most 48 characters on tablet"]       # with 100


def test_each_placement_of_a_card_says_what_is_seen_there():
    placements = {"tablet": {"slots": 2}, "receipt": {"slots": 1, "headline_max": 8}, "later": {"slots": 1}}
    words = [{"treatment": "plain", "language": "en", "headline": "A headline"}, {"treatment": "paper", "language": "en", "headline": "Paper", "placement": "receipt"}]
    code, page, said = preview([changed(ENROL, placements=["tablet", "receipt", "later"], treatments=words)], policy=dict(POLICY, placements=placements))
    assert code == 0, said
    found = cards(page)
    assert [(at["place"], at["fits"]) for at in found["enrol", "paper"]["places"]] == [("receipt", True)]
    assert [(at["place"], at["fits"], at["screen"], at["message"]) for at in found["enrol", "plain"]["places"]] == [
        ("tablet", True, True, False), ("receipt", False, False, True), ("later", True, False, False)]
    assert found["enrol", "plain"]["marks"] == ["headline: 10 of at most 8 characters on receipt: it is not shown there"]


def test_words_of_a_policy_never_become_markup():
    words = {"treatment": "plain", "language": "en", "headline": "<b>" + HOSTILE[:40], "say": HOSTILE, "why": [HOSTILE]}
    long = dict(POLICY, placements={"tablet": {"slots": 2}}, name="<script>x</script>")
    code, page, said = preview([changed(ENROL, treatments=[words]), changed(OFFER, offer=dict(OFFER["offer"], code=HOSTILE[:60]))],
                               policy=long)
    if code != 0:                                  # a name of a policy that is refused needs no escape
        code, page, said = preview([changed(ENROL, treatments=[words])], policy=dict(long, name="test"))
    assert code == 0, said
    assert cards(page)["enrol", "plain"]["prompt"]["say"] == HOSTILE
    assert "<script>" not in page and page.count("<script type=") == 2 and page.count("</script>") == 2
    assert "<img" not in page and "<b>" not in page
    assert "default-src 'none'" in page and not re.search(r'(?:src|href)="', page.split("<body>")[0])
    assert "\nimport " not in page and "\nexport " not in page


def test_a_policy_with_mistakes_has_no_page():
    code, page, said = preview([changed(ENROL, kind="nonsense")])
    assert code == 65 and page is None and "nonsense" in said, (code, said)
    done = subprocess.run(AISLECTL + ["policy", "preview", "."], capture_output=True, text=True)
    assert done.returncode == 64 and "usage" in done.stderr


def test_a_category_that_no_till_sends_is_found_beside_a_recording():
    with tempfile.TemporaryDirectory() as folder:
        offer = changed(OFFER, offer=dict(OFFER["offer"], include={"category": "grocery/cofee"}))
        source = write(os.path.join(folder, "source"), actions=[offer, ENROL])
        recording = os.path.join(folder, "e.jsonl")

        def check(*more):
            done = subprocess.run(AISLECTL + ["policy", "check", source, *more], capture_output=True, text=True)
            return done.returncode, done.stdout + done.stderr

        def record(*categories):
            with open(recording, "w") as f:
                f.write("no JSON\n")
                for n, category in enumerate(categories):
                    f.write(json.dumps({"specversion": "1.0", "id": f"e{n}", "source": "/store/1/pos/7", "type": "aisle.basket.item-added",
                                        "time": "2026-11-21T10:00:00Z", "data": {"basket": "b", "line": n + 1, "sku": "s", "category": category,
                                                                                 "qty": 1, "amount": 100, "currency": "EUR"}}) + "\n")
        assert "cofee" not in check()[1]                       # nothing is known of what there is
        record("Grocery/Coffee/Beans", "grocery/tea")
        code, said = check("--events", recording)
        assert code == 0 and 'is of category "grocery/cofee"; is "grocery/coffee" or "grocery/tea" meant?' in said, said
        assert re.search(r"^actions/coffee-off.json:1:\d+: warning: no line of the recording", said, re.M), said
        assert said.count("no line of the recording") == 1, said
        assert check("--events", recording, "--strict")[0] == 65
        with open(recording, encoding="utf-8") as f:
            text = f.read().split("\n", 1)[1]
        with open(recording, "w", encoding="utf-8-sig") as f:   # the first line behind a byte-order mark is an event like any other
            f.write(text.split("\n")[0])
        assert 'is "grocery/coffee" meant?' in check("--events", recording)[1]
        with open(recording, "wb") as f:
            f.write(b"\x1f\x8b\x08")
        code, said = check("--events", recording)
        assert code == 65 and "compressed events; unpack them first" in said, said
        record()
        assert check("--events", recording)[0] == 65           # no till speaks in it
        assert check("--events", folder + "/none")[0] == 66


def test_what_a_policy_means_after_another_is_told_of_folders_and_bundles():
    with tempfile.TemporaryDirectory() as folder:
        was = write(os.path.join(folder, "was"), actions=[OFFER, ENROL])
        now = write(os.path.join(folder, "now"), policy=changed(POLICY, version=2),
                    actions=[changed(OFFER, offer=changed(OFFER["offer"], depth=20), gate="manager")])
        bundle = os.path.join(folder, "now.bundle")
        subprocess.run(AISLECTL + ["bundle", "build", now, "-o", bundle], check=True, capture_output=True)
        place = dict(os.environ, TMPDIR=folder)
        told = [subprocess.run(AISLECTL + ["policy", "diff", was, to], capture_output=True, text=True, env=place) for to in (now, bundle)]
        assert told[0].returncode == 0 and told[0].stdout == told[1].stdout, told
        lines = told[0].stdout.splitlines()
        assert lines[0] == "test 1 → test 2: 3 differences", lines
        for line in ('changed card coffee-off  "{{depth}} % off any coffee today"', "    depth: 10 % → 20 %", "    gate: associate → manager",
                     'went    card enrol  "Ask: would they like a card?"', "    version: 1 → 2"):
            assert line in lines, (line, lines)
        as_json = json.loads(subprocess.run(AISLECTL + ["policy", "diff", was, bundle, "--json"], capture_output=True, text=True).stdout)
        assert [c["name"] for c in as_json["changes"]] == ["coffee-off", "enrol", "policy.json"] and as_json["exam"]["passed"], as_json
        wrong = subprocess.run(AISLECTL + ["policy", "diff", was, folder], capture_output=True, text=True)
        assert wrong.returncode == 65 and "policy.json" in wrong.stderr, wrong
        assert sorted(os.listdir(folder)) == ["now", "now.bundle", "was"]


main([v for k, v in list(globals().items()) if k.startswith("test_")])
