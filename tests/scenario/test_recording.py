# SPDX-License-Identifier: Apache-2.0
"""aislectl recording: what a store was told, and a replay of it that makes what the store made."""
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import time
from datetime import datetime, timedelta, timezone

import policy
from collecting import Collector
from store import AISLECTL, Client, Store, main, wait_for

CARDS = {"anna": "4000123412341234", "ben": "4000567856785678", "cleo": "4000999988887777"}
PIN = "471108"

DEAL = {"action": "deal", "kind": "offer", "issue": "grow", "group": "deals", "on": ["aisle.basket.item-added"], "personal": False,
        "propensity": 0.5, "incremental": 0.5, "margin": 400, "outcome": {"is": "redeemed", "within": "0d"},
        "offer": {"type": "amount", "depth": 100, "max": 100, "apply": "till-code", "until": "0d"}, "placements": ["tablet"],
        "gate": "manager", "expires": "90s", "treatments": [{"treatment": "plain", "language": "en", "headline": "One off"}]}
TIP = {"action": "tip", "kind": "service", "issue": "serve", "group": "tips", "on": ["aisle.basket.item-added"], "personal": False,
       "propensity": 0.5, "incremental": 0.5, "margin": 300, "outcome": {"is": "none"}, "placements": ["tablet"], "gate": "associate",
       "expires": "5s", "treatments": [{"treatment": "plain", "language": "en", "headline": "Say hello"}]}
# Draws, so that a replay that is off by one input is found.
POLICY = policy.changed(policy.POLICY, explore={"cost_max": 0.4}, levers={"group:tips": {"value": 1, "min": 0.5, "max": 3}},
                        placements={"tablet": {"slots": 3, "headline_max": 48, "body_max": 120}})


def later(**span):
    return (datetime.now(timezone.utc) + timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def subject_of(store, name):
    return json.loads(store.ctl("customer", "export", stdin=CARDS[name] + "\n"))["subject"]


class Morning:
    """A store on whose first day everything happens that a decision may hang on."""

    def __init__(self):
        self.store = store = Store(hq_folder=True, config="[hq]\n")
        self.records = os.path.join(store.folder, "records.sqlite")
        self.collector = Collector(f"sqlite:{self.records}", [f"mqtt://127.0.0.1:{store.hq.port}"], folder=store.folder).ready()
        store.start()
        self.bundle = policy.bundle(store.folder, policy=POLICY, actions=[policy.OFFER, policy.ENROL, DEAL, TIP])
        store.ctl("bundle", "install", self.bundle)
        store.ctl("manager", "add", "eve", stdin=PIN + "\n")
        store.ctl("tablet", "add", "native", "--stations", "7")
        self.watch = Client(store.broker.port, [f"{store.root}/#"])
        self.token = store.pair()
        self.basket = 0

    def close(self):
        self.watch.close()
        self.collector.process.terminate()
        self.collector.process.wait(20)
        self.store.close()
        self.store.hq.stop(signal.SIGKILL)

    # ---- what happens ----

    def tell(self, send, kind, data):
        """Sent, and on disk: a receipt says so."""
        before = len(self.watch.on("receipt"))
        send(self.watch, kind, data, receipt=True)
        said = wait_for("the receipt", lambda: self.watch.on("receipt")[before:])[0]
        assert said["ids"] and not said.get("refused"), said

    def till(self, kind, data):
        self.tell(self.store.till, kind, data)

    def enrol(self, name):
        for purpose in ("personalise", "profile"):
            self.tell(self.store.reader, "consent.changed", {"card": CARDS[name], "purpose": purpose, "state": "granted"})

    def open(self, name=None):
        self.basket += 1
        self.number = f"b{self.basket}"
        self.line = 0
        self.till("basket.opened", {"basket": self.number, "terminal": "7", "associate": "a17"})
        if name:
            self.till("customer.identified", {"card": CARDS[name], "basket": self.number, "station": "7"})

    def scan(self, category="grocery/bread", amount=500):
        self.line += 1
        self.till("basket.item-added", self.store.item(self.number, self.line, category, amount))

    def close_basket(self, total=1000):
        self.till("basket.tender-started", {"basket": self.number})
        self.till("basket.closed", {"basket": self.number, "total": total, "currency": "EUR"})

    def card(self, action):
        """The card of an action that station 7 shows; None: it does not."""
        for guidance in self.watch.on("guidance/7")[-1:]:
            for prompt in guidance.get("prompts", []):
                if prompt["action"] == action and prompt.get("state", "open") == "open":
                    return guidance["guidance"], prompt["prompt"]
        return None

    def answer(self, action, code=200, shown=False, **body):
        guidance, prompt = wait_for(f"the card {action}", lambda: self.card(action))
        path = f"/v1/guidance/{guidance}/prompts/{prompt}/" + ("shown" if shown else "decision")
        status, said = self.store.http("POST", path, body, self.token)
        assert status == code, (action, body, status, said)

    def native(self, action, **data):
        guidance, prompt = wait_for(f"the card {action}", lambda: self.card(action))
        before = len(self.watch.on("guidance/7"))
        self.watch.publish(f"{self.store.root}/tablet/native/event", self.store.event(
            "guidance.decided", {"guidance": guidance, "prompt": prompt, "tablet": "native", **data}, source="/store/0042/tablet/native"))
        wait_for("what comes of it", lambda: len(self.watch.on("guidance/7")) > before)
        assert self.watch.on("dead-letter") == []

    def until_shown(self, action):
        """Lines, until chance brings it."""
        for _ in range(40):
            if self.card(action):
                return
            self.scan()
        raise AssertionError(f"{action} is never shown")

    def happen(self):
        store = self.store
        self.enrol("anna")
        self.open("anna")
        self.until_shown("tip")
        self.answer("tip", shown=True)
        self.answer("tip", decision="accept", associate="a17")
        self.until_shown("deal")
        self.answer("deal", 403, decision="accept", manager="eve", pin="1")
        self.answer("deal", decision="accept", manager="eve", pin=PIN, note="a good customer")
        command = wait_for("the command", lambda: [c for c in self.watch.on("pos/7/command") if c.get("token")])[-1]
        self.till("offer.redeemed", {"basket": self.number, "token": command["token"], "amount": 100})
        self.close_basket()
        store.ctl("lever", "set", "group:tips", "2.5", "--until", later(hours=2))
        self.open()                                                     # a stranger
        self.scan("grocery/coffee", 1800)
        self.until_shown("tip")
        time.sleep(5.5)                                                 # nobody answers: it is over
        store.ctl("stop", "tip", "--until", later(seconds=4))
        for _ in range(3):
            self.scan()
        self.until_shown("deal")
        self.native("deal", decision="override", reason="other", instead={"action": "deal", "depth": 100},
                    approval={"manager": "eve", "pin": PIN})
        self.close_basket()
        time.sleep(4)                                                   # the stop is over
        self.enrol("ben")
        self.open("ben")
        self.until_shown("tip")
        self.native("tip", decision="dismiss", reason="not-relevant")
        self.till("basket.item-voided", {"basket": self.number, "line": 1})
        self.close_basket()
        self.till("return.completed", {"return": "r1", "basket": "b1", "card": CARDS["anna"], "total": 500, "currency": "EUR", "items": [
            {"sku": "sku-grocery-bread", "qty": 1, "amount": 500, "category": "grocery/bread"}]})
        self.open("ben")
        for _ in range(4):
            self.scan("grocery/tea", 250)
        time.sleep(5.5)

    # ---- what the store made of it, and what a replay makes ----

    def recording(self, *words):
        path = os.path.join(self.store.folder, "day.jsonl")
        self.said = self.store.ctl("recording", *words, "-o", path)
        self.until = re.search(r"until (\S+),", self.said).group(1)
        return path

    def replay(self, path, *words, bundle=True, code=0, env=None):
        out, records = (os.path.join(self.store.folder, name) for name in ("replayed.jsonl", "records.jsonl"))
        done = subprocess.run(AISLECTL + ["--config", self.store.conf, "replay", *(["--bundle", self.bundle] if bundle else []), "--events", path,
                                          "--out", out, "--records", records, *words], capture_output=True, text=True, env=env)
        assert done.returncode == code, (done.returncode, done.stderr)
        if code != 0:
            return done.stderr
        with open(out) as f, open(records) as r:
            return f.read().splitlines(), r.read().splitlines(), done.stderr

    def collected(self):
        """What headquarters has of the time of the recording, in its lanes and order, but for the health of the store, which no event makes."""
        wait_for("headquarters to have all", lambda: self.store.status()["hq"]["queued"] == 0, 30)
        db = sqlite3.connect(self.records)
        return [json.dumps({"lane": lane, "type": kind, "at": at, "body": json.loads(body)}) for lane, kind, at, body in
                db.execute("SELECT lane, type, at, body FROM record WHERE type NOT IN ('health', 'aggregate') AND at <= ? ORDER BY lane, seq",
                           (self.until,))]


def by_lane(records):
    read = [json.loads(line) for line in records]
    return [json.dumps({k: r[k] for k in ("lane", "type", "at", "body")}) for lane in ("consent", "decision", "money")
            for r in read if r["lane"] == lane and r["type"] != "aggregate"]


def files_of(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                found[name] = f.read()
    return found


def first_difference(expected, found):
    for n, (a, b) in enumerate(zip(expected, found)):
        if a != b:
            raise AssertionError(f"{n} of {len(expected)}:\n{a}\n{b}")
    assert len(expected) == len(found), (len(expected), len(found))


def test_a_morning_replays_from_nothing_to_the_same_decisions_and_records():
    morning = Morning()
    store = morning.store
    try:
        morning.happen()
        path = morning.recording()
        with open(path) as f:
            text = f.read()
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        for secret in [PIN, *CARDS.values()]:
            assert secret not in text, secret
        assert '"approved":true' in text and "from the begin of the state" in morning.said and "holes" not in morning.said, morning.said
        decisions, records, said = morning.replay(path)
        assert said == "", said
        assert len(decisions) > 10
        for line in decisions:
            known = json.loads(store.ctl("why", json.loads(line)["decision"], "--json"))
            made = json.loads(line)
            known.pop("outcomes", None), known.pop("contributions", None)
            assert json.dumps(known) == json.dumps(made), (known, made)
        first_difference(morning.collected(), by_lane(records))
        outcomes = {str(json.loads(r)["body"].get("outcome")).split(":")[0] for r in records}
        assert {"shown", "overridden", "accepted", "redeemed", "dismissed", "expired", "returned"} <= outcomes, outcomes
        # The same bytes again, however the turns are cut.
        assert morning.replay(path, "--turn", "1")[:2] == (decisions, records)
        # Without one order the day would be another: it is not by chance that they agree.
        for left_out in ("aisle.recording.stop", "aisle.recording.lever", '"approved":true'):
            other = os.path.join(store.folder, "other.jsonl")
            with open(other, "w") as f:
                f.writelines(line + "\n" for line in text.splitlines() if left_out not in line)
            assert morning.replay(other)[1] != records, left_out
    finally:
        morning.close()


def test_from_the_middle_a_copy_of_the_state_goes_on_as_the_store_did():
    morning = Morning()
    store = morning.store
    temp = os.path.join(store.folder, "temp")
    os.mkdir(temp)
    env = dict(os.environ, TMPDIR=temp)
    try:
        morning.enrol("anna")
        morning.open("anna")
        morning.until_shown("deal")
        store.ctl("lever", "set", "group:tips", "2.5", "--until", later(hours=2))
        store.ctl("stop", "enrol")
        with open(morning.recording()) as f:
            early = f.read()
        store.stop()
        copied = os.path.join(store.folder, "state-then")
        shutil.copytree(store.folder + "/state", copied)
        before = files_of(copied)
        store.start()
        # A card of before is answered, a customer of before is known, a lever and a stop of before hold.
        morning.answer("deal", decision="accept", manager="eve", pin=PIN)
        command = wait_for("the command", lambda: [c for c in morning.watch.on("pos/7/command") if c.get("token")])[-1]
        morning.till("offer.redeemed", {"basket": morning.number, "token": command["token"], "amount": 100})
        morning.close_basket()
        morning.open()
        morning.until_shown("tip")
        time.sleep(5.5)
        morning.scan("grocery/coffee", 2000)
        morning.open("anna")
        morning.until_shown("tip")
        path = morning.recording()
        decisions, records, said = morning.replay(path, "--after", copied, bundle=False, env=env)
        assert said == "", said
        assert os.listdir(temp) == [], "the copy of the copy is left"
        assert files_of(copied) == before, "the folder itself is only read"
        everything, all_records, _ = morning.replay(path)
        assert 0 < len(decisions) < len(everything) and decisions == everything[-len(decisions):]
        for line in decisions:
            known = json.loads(store.ctl("why", json.loads(line)["decision"], "--json"))
            known.pop("outcomes", None), known.pop("contributions", None)
            assert json.dumps(known) == json.dumps(json.loads(line))
        first_difference(morning.collected(), by_lane(all_records))
        for lane in ("decision", "money"):
            made, all_made = ([r for r in by_lane(them) if json.loads(r)["lane"] == lane] for them in (records, all_records))
            assert made and made == all_made[-len(made):], lane
        # With the bundle named, and from a file that begins where the state ends, it is the same.
        assert morning.replay(path, "--after", copied)[:2] == (decisions, records)
        # Judged by these hours alone: of the two baskets that are over one's draw was before them, the other's begins in no first slot.
        done = subprocess.run(AISLECTL + ["--config", store.conf, "evaluate", "--candidate", morning.bundle, "--after", copied, "--events", path,
                                          "--json"], capture_output=True, text=True, env=env)
        told = json.loads(done.stdout)
        assert done.returncode == 65 and told["refused"] == "no-draws" and "no draw counts" in done.stderr, (done.stderr, told)
        assert (told["left_out"]["not_in_these_events"], told["left_out"]["further_slots"]) == (1, 1), told
        # What does not fit is refused, and says why.
        def other(name, lines):
            with open(os.path.join(store.folder, name), "w") as f:
                f.writelines(line + "\n" for line in lines)
            return os.path.join(store.folder, name)
        with open(path) as f:
            lines = f.read().splitlines()
        told = len([line for line in early.splitlines() if "recording.ended" not in line])
        assert morning.replay(other("tail", lines[told:]), "--after", copied)[0] == decisions
        assert "something is missing" in morning.replay(other("gap", lines[told + 1:]), "--after", copied, code=65)
        assert "was told all of it already" in morning.replay(other("early", early.splitlines()), "--after", copied, code=65)
        assert "of another state" in morning.replay(other("else", [re.sub('"id":"[0-9a-f]{16}/', '"id":"0000000000000000/', line) for line in lines]),
                                                    "--after", copied, code=65)
        assert "has no number" in morning.replay(other("plain", [json.dumps({k: v for k, v in json.loads(line).items() if k != "number"})
                                                                 for line in lines]), "--after", copied, code=65)
        assert "a daemon uses it" in morning.replay(path, "--after", store.folder + "/state", code=74)
        assert "expected a state folder" in morning.replay(path, "--after", store.folder, code=66)
        assert "expected one of them" in morning.replay(path, "--after", copied, "--state", store.folder + "/s", code=64)
        os.unlink(copied + "/keys.db")
        assert "without it no row can be read" in morning.replay(path, "--after", copied, code=66)
        assert "the begin of the store's state is not in this file" in morning.replay(other("tail", lines[told:]))[2]
    finally:
        morning.close()


def test_who_is_forgotten_leaves_a_hole_and_no_trace():
    morning = Morning()
    store = morning.store
    try:
        for name in ("anna", "ben"):
            morning.enrol(name)
            morning.open(name)
            morning.scan(f"secret/{name}", 700)
            morning.close_basket(700)
        subjects = {name: subject_of(store, name) for name in ("anna", "ben")}
        with open(morning.recording()) as f:
            before = f.read()
        assert subjects["anna"] in before and subjects["ben"] in before and "secret/anna" in before
        told = json.loads(store.ctl("customer", "export", stdin=CARDS["anna"] + "\n"))["told"]
        assert [event["type"].split(".", 1)[1] for event in told] == ["consent.changed"] * 2 + [
            "customer.identified", "basket.item-added", "basket.tender-started", "basket.closed"], told
        assert "secret/anna" in json.dumps(told) and "secret/ben" not in json.dumps(told)
        store.ctl("customer", "forget", stdin=CARDS["anna"] + "\n")
        path = morning.recording()
        with open(path) as f:
            text = f.read()
        assert subjects["anna"] not in text and CARDS["anna"] not in text and "secret/anna" not in text
        assert subjects["ben"] in text and "secret/ben" in text
        holes = [json.loads(line)["data"]["inputs"] for line in text.splitlines() if "aisle.recording.hole" in line]
        assert sum(holes) == 6 and len(holes) == 2, holes
        assert "6 more are holes" in morning.said, morning.said
        checked = subprocess.run(AISLECTL + ["feed", "check", path], capture_output=True, text=True).stdout
        assert "0.0 % lines refused" in checked, checked
        _, _, said = morning.replay(path)
        assert said.count("a hole: ") == 2 and "set aside" not in said, said
    finally:
        morning.close()


def test_a_span_is_cut_out_and_what_cannot_be_is_refused():
    morning = Morning()
    store = morning.store
    try:
        morning.open()
        time.sleep(0.01)
        between = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        time.sleep(0.01)
        morning.scan()
        with open(morning.recording("--to", between)) as f:
            first = f.read()
        assert "basket.opened" in first and "item-added" not in first and morning.said.startswith("1 inputs until " + between), morning.said
        with open(morning.recording("--from", between)) as f:
            second = f.read()
        assert "basket.opened" not in second and "item-added" in second and "not from the begin of the state" in morning.said, morning.said
        assert json.loads(store.ctl("recording", "--json", "-o", os.path.join(store.folder, "x")))["inputs"] == 2
        store.ctl("recording", code=64)
        store.ctl("recording", "--from", "yesterday", "-o", "/tmp/never", code=64)
        store.ctl("recording", "-o", store.folder + "/none/x", code=73)
        assert not os.path.exists("/tmp/never")
        with open(store.conf) as f:
            conf = f.read()
        with open(store.conf, "w") as f:
            f.write(conf.replace("[state]\n", "[state]\nrecording_mib = 0\n"))
        store.stop()
        shutil.rmtree(store.folder + "/state")
        store.start()
        store.ctl("recording", "-o", store.folder + "/x", code=66)
        assert "recording_mib is 0" in store.said, store.said
    finally:
        morning.close()


if __name__ == "__main__":
    main([test_a_morning_replays_from_nothing_to_the_same_decisions_and_records,
          test_from_the_middle_a_copy_of_the_state_goes_on_as_the_store_did, test_who_is_forgotten_leaves_a_hole_and_no_trace,
          test_a_span_is_cut_out_and_what_cannot_be_is_refused])
