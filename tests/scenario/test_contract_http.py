# SPDX-License-Identifier: Apache-2.0
"""The HTTP part of interfaces.md, sentence by sentence, by a tablet and an operator that know only that page."""
import http.client
import json
import signal
import time
from datetime import datetime, timedelta, timezone

import policy
from store import Client, Store, main, wait_for

CARD = policy.GOLD["card"]
LADDER = policy.changed(policy.OFFER, action="bread-off", group="bread", issue="keep", applicable=True, caps=[],
                        offer={"type": "amount", "ladder": [20, 50, 80], "apply": "till-code"}, margin=90)
LADDER.pop("incremental")
LADDER["propensity"] = 0.3
LADDER["incremental"] = 0.9
MANAGED = policy.changed(policy.OFFER, action="managed", group="managed", gate="manager", margin=900, caps=[])


def open_store(actions=None, rows=None, config="", **more):
    store = Store(config=config)
    store.start()
    store.ctl("bundle", "install", policy.bundle(store.folder, actions=actions, **more))
    store.ctl("profiles", "install", policy.profiles(store.folder, rows or [policy.GOLD], pepper=store.pepper))
    watch = Client(store.broker.port, [f"{store.root}/#"])
    return store, watch


def done(store, watch):
    watch.close()
    store.close()


def visit(store, watch, basket="b1", station="7"):
    before = len(watch.on(f"guidance/{station}"))
    store.till(watch, "basket.opened", {"basket": basket, "terminal": station}, terminal=station)
    store.till(watch, "customer.identified", {"card": CARD, "basket": basket, "station": station}, terminal=station)
    return wait_for("guidance", lambda: [g for g in watch.on(f"guidance/{station}")[before:] if g.get("prompts")])[-1]


def url(shown, leaf, n=0):
    return f"/v1/guidance/{shown['guidance']}/prompts/{shown['prompts'][n]['prompt']}/{leaf}"


def raw(store, method, path, body=None, token=None):
    """Status, headers, bytes."""
    connection = http.client.HTTPConnection(store.status()["http"][0], timeout=10)
    heads = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        heads["Authorization"] = f"Bearer {token}"
    connection.request(method, path, body, heads)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def outcomes(store, decision):
    return [o["outcome"] for o in json.loads(store.ctl("why", decision, "--json"))["outcomes"]]


def test_pairing_takes_one_code_once_and_five_tries():
    store, watch = open_store()
    try:
        said = json.loads(store.ctl("tablet", "pair", "--json"))
        assert len(said["code"]) == 6 and said["code"].isdigit()
        left = datetime.fromisoformat(said["expires"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
        assert timedelta(minutes=4.5) < left <= timedelta(minutes=5)
        wrong = "000000" if said["code"] != "000000" else "111111"
        assert store.http("POST", "/v1/pair", {"code": wrong, "name": "t1"})[0] in (401, 403)
        status, heads, content = raw(store, "POST", "/v1/pair", json.dumps({"code": said["code"], "name": "t1"}))
        answer = json.loads(content)
        assert status == 200 and answer["name"] == "t1" and answer["token"]
        assert "aisle_token=" + answer["token"] in heads["Set-Cookie"] and "HttpOnly" in heads["Set-Cookie"]
        assert store.http("POST", "/v1/pair", {"code": said["code"], "name": "t2"})[0] != 200, "a code is good once"
        token = answer["token"]
        assert store.http("GET", "/v1/stations", token=token)[0] == 200
        assert store.http("GET", "/v1/stations", headers={"Cookie": f"aisle_token={token}"})[0] == 200
        assert store.http("GET", "/v1/stations")[0] == 401
        assert store.http("GET", "/v1/stations", token=token[:-1] + "0")[0] == 401 or token.endswith("0")
        # the token itself is nowhere on disk
        import os
        for folder, _, names in os.walk(store.folder + "/state"):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    assert token.encode() not in f.read()
        # after five wrong tries the right one is wrong
        code = json.loads(store.ctl("tablet", "pair", "--json"))["code"]
        wrong = "000000" if code != "000000" else "111111"
        for _ in range(5):
            assert store.http("POST", "/v1/pair", {"code": wrong, "name": "t3"})[0] != 200
        assert store.http("POST", "/v1/pair", {"code": code, "name": "t3"})[0] != 200
        # list, revoke; a pairing survives a restart
        assert [t["name"] for t in json.loads(store.ctl("tablet", "list", "--json"))["tablets"]] == ["t1"]
        store.stop()
        store.start()
        assert store.http("GET", "/v1/stations", token=token)[0] == 200
        store.ctl("tablet", "revoke", "t1")
        assert store.http("GET", "/v1/stations", token=token)[0] == 401
        store.ctl("tablet", "revoke", "t1", code=66)
    finally:
        done(store, watch)


def test_errors_are_problems_with_their_status():
    store, watch = open_store()
    try:
        token, other = store.pair("all"), store.pair("eight", stations="8")
        shown = visit(store, watch)
        status, heads, content = raw(store, "GET", "/v1/decisions/01K00000000000000000000000", token=token)
        problem = json.loads(content)
        assert status == 404 and heads["Content-Type"] == "application/problem+json" and problem["status"] == 404
        assert problem["title"] and "type" in problem
        none = url(shown, "decision")
        for path, body, who, expected in (
                (none, {"decision": "perhaps"}, token, 400), (none, {}, token, 400),
                (none, {"decision": "dismiss", "reason": "boredom"}, token, 400),
                (none, {"decision": "snooze", "until": "soon"}, token, 400),
                (none, {"decision": "accept", "pin": "1234"}, token, 400),
                (none, {"decision": "override", "instead": "x"}, token, 400),
                (url(shown, "shown"), {"shown": "yes"}, token, 400),
                (none, {"decision": "accept"}, None, 401), (none, {"decision": "accept"}, "x" * 43, 401),
                (none, {"decision": "accept"}, other, 403),
                (none.replace(shown["guidance"], "01K00000000000000000000000"), {"decision": "accept"}, token, 404),
                (none.replace(shown["prompts"][0]["prompt"], "01K00000000000000000000000"), {"decision": "accept"}, token, 404)):
            got = store.http("POST", path, body, who)
            assert got[0] == expected and got[1]["status"] == expected, (path, body, got)
        assert raw(store, "POST", none, "{broken", token)[0] == 400
        assert raw(store, "POST", none, '{"decision":"accept","decision":"dismiss"}', token)[0] == 400
        assert raw(store, "PUT", none, None, token)[0] == 405
        assert raw(store, "GET", "/nowhere", None, token)[0] == 404
        assert raw(store, "GET", "/v1/stations/8/stream", None, "x" * 43)[0] == 401
        assert store.http("GET", "/v1/stations/7", token=other)[0] == 403
        # shown: yes, again, and not otherwise
        first = store.http("POST", url(shown, "shown"), {}, token)
        assert first[0] == 200 and first[1]["shown"] is True and first[1]["prompt"] == shown["prompts"][0]["prompt"]
        assert store.http("POST", url(shown, "shown"), {}, token) == first
        assert store.http("POST", url(shown, "shown"), {"shown": False}, token)[0] == 409
        # decided: once, the same again for the same, 409 otherwise
        answer = store.http("POST", none, {"decision": "dismiss", "reason": "too-busy"}, token)
        assert answer[0] == 200 and set(answer[1]) == {"guidance", "prompt", "decision", "at"}
        assert store.http("POST", none, {"decision": "dismiss", "reason": "too-busy"}, token) == answer
        assert store.http("POST", none, {"decision": "dismiss", "reason": "other"}, token)[0] == 409
        assert store.http("POST", none, {"decision": "accept"}, token)[0] == 409
        assert outcomes(store, shown["decision"]) == ["shown", "dismissed"]
    finally:
        done(store, watch)


def test_too_late_is_410_and_on_record():
    store, watch = open_store(actions=[policy.changed(policy.OFFER, expires="1s", caps=[])])
    try:
        token = store.pair()
        shown = visit(store, watch)
        store.till(watch, "basket.tender-started", {"basket": "b1"})
        wait_for("the withdrawal", lambda: [g for g in watch.on("guidance/7") if g.get("withdraw") == shown["guidance"]])
        assert store.http("POST", url(shown, "decision"), {"decision": "accept"}, token)[0] == 410
        assert store.http("POST", url(shown, "decision"), {"decision": "accept"}, token)[0] == 410
        assert outcomes(store, shown["decision"]) == ["withdrawn", "late"]
        assert not watch.on("pos/7/command")
        store.till(watch, "basket.closed", {"basket": "b1", "total": 0, "currency": "EUR"})
        shown = visit(store, watch, "b2")
        wait_for("the expiry", lambda: [g for g in watch.on("guidance/7")
                                        if g.get("withdraw") == shown["guidance"] or
                                        (g.get("guidance") == shown["guidance"] and not g["prompts"])])
        assert store.http("POST", url(shown, "decision"), {"decision": "accept"}, token)[0] == 410
        assert outcomes(store, shown["decision"]) == ["expired"]
        # not shown is an outcome too, also when it is said late
        assert store.http("POST", url(shown, "shown"), {"shown": False}, token)[1]["shown"] is False
        assert outcomes(store, shown["decision"]) == ["expired", "not-shown"]
    finally:
        done(store, watch)


def test_a_snoozed_card_comes_back_after_its_time_and_not_before():
    store, watch = open_store()
    try:
        token = store.pair()
        shown = visit(store, watch)
        until = datetime.now(timezone.utc) + timedelta(seconds=1.5)
        text = until.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        assert store.http("POST", url(shown, "decision"), {"decision": "snooze", "until": text}, token)[0] == 200
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/bread", 100))
        time.sleep(0.3)
        prompts = {p["prompt"] for g in watch.on("guidance/7") for p in g.get("prompts", [])}
        assert prompts == {shown["prompts"][0]["prompt"]}
        # By its own timer: nothing else happens.
        back = wait_for("the card again", lambda: [g for g in watch.on("guidance/7") for p in g.get("prompts", [])
                                                   if p["prompt"] not in prompts and p["state"] == "open"])[-1]
        assert back["prompts"][-1]["action"] == "coffee-off" and back["guidance"] == shown["guidance"]
    finally:
        done(store, watch)


def test_an_override_says_what_was_done_instead():
    rows = [policy.GOLD]
    store, watch = open_store(actions=[LADDER, policy.changed(policy.OFFER, caps=[])], rows=rows,
                              policy=policy.changed(policy.POLICY, placements={"tablet": {"slots": 1, "headline_max": 48, "body_max": 120}}))
    try:
        token = store.pair()
        shown = visit(store, watch)
        prompt = shown["prompts"][0]
        other = prompt["alternatives"][0]
        assert other["headline"] and other["action"] in ("bread-off", "coffee-off"), prompt
        body = {"decision": "override", "reason": "customer-declined", "instead": {"action": other["action"], "depth": other["depth"]}}
        answer = store.http("POST", url(shown, "decision"), body, token)
        assert answer[0] == 200 and answer[1]["decision"] == "override", answer
        assert store.http("POST", url(shown, "decision"), body, token) == answer
        command = wait_for("the till's command", lambda: watch.on("pos/7/command"))[0]
        assert command["type"] == "apply-offer" and command["token"] and command["prompt"] != prompt["prompt"]
        assert command["offer"]["depth"] == other["depth"]
        now_shown = wait_for("the chosen card", lambda: [g for g in watch.on("guidance/7") if any(
            p["state"] == "asked" and p["action"] == other["action"] for p in g.get("prompts", []))])[-1]
        assert now_shown["guidance"] == shown["guidance"]
        store.till(watch, "offer.applied", {"basket": "b1", "token": command["token"], "amount": 20})
        # it stays on the screen whatever is scanned next, under the same prompt
        count = len(watch.on("guidance/7"))
        store.till(watch, "basket.item-added", store.item("b1", 1, "grocery/coffee", 400))
        store.till(watch, "sensor.reading", {"kind": "door", "value": 1}, receipt=True)
        wait_for("the receipt", lambda: watch.on("pos/7/receipt"))
        for later in watch.on("guidance/7")[count:]:
            assert [p["state"] for p in later["prompts"] if p["prompt"] == command["prompt"]] == ["applied"], later
        store.till(watch, "offer.redeemed", {"basket": "b1", "token": command["token"], "amount": 20})
        wait_for("the redemption", lambda: "redeemed" in outcomes(store, shown["decision"]))
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        said = {o["outcome"]: o for o in record["outcomes"]}
        assert said["overridden:customer-declined"]["instead"] == {**body["instead"], "prompt": command["prompt"]}
        assert said["overridden:customer-declined"]["by"] == "person" and said["accepted"]["by"] == "person"
        assert said["redeemed"]["prompt"] == command["prompt"] and said["redeemed"]["amount"] == 20
        assert command["prompt"] not in [s.get("prompt") for s in record["slots"]], "no draw chose it"
        assert len(watch.on("pos/7/command")) == 1
        # what the card does not list is a manager's to give; something that is no offer here is then only recorded
        store.ctl("manager", "add", "mia", stdin="2468\n")
        store.till(watch, "basket.closed", {"basket": "b1", "total": 20, "currency": "EUR"})
        shown = visit(store, watch, "b2")
        body = {"decision": "override", "reason": "other", "instead": {"action": "a-free-coffee"}, "note": "was kind to us"}
        assert store.http("POST", url(shown, "decision"), body, token)[0] == 403
        assert store.http("POST", url(shown, "decision"), {**body, "manager": "mia", "pin": "2468"}, token)[0] == 200
        record = json.loads(store.ctl("why", shown["decision"], "--json"))
        said = record["outcomes"][-1]
        assert said["instead"] == {"action": "a-free-coffee"} and len(watch.on("pos/7/command")) == 1
        assert len(said["manager"]) == 32 and said["manager_name"] == "mia" and said["tablet"] and said["note"] == "was kind to us"
        # who answered is in what the customer may see of it; once off the list a manager is a number
        store.ctl("manager", "remove", "mia")
        kept = json.loads(store.ctl("customer", "export", stdin=policy.GOLD["card"] + "\n"))
        mine = [o for o in kept["answers"] if o["outcome"] == "overridden:other"][0]
        assert mine["manager"] == said["manager"] and "manager_name" not in mine and mine["note"] == said["note"]
        # a gate that is closed is named, and the prompt is open still
        store.till(watch, "basket.closed", {"basket": "b2", "total": 0, "currency": "EUR"})
        store.ctl("manager", "add", "mia", stdin="2468\n")
        shown = visit(store, watch, "b3")
        other = [a for a in ("bread-off", "coffee-off") if a != shown["prompts"][0]["action"]][0]
        store.ctl("stop", other)
        no = store.http("POST", url(shown, "decision"), {"decision": "override", "reason": "other", "instead": {"action": other},
                                                          "manager": "mia", "pin": "2468"}, token)
        assert no[0] == 409 and no[1]["clause"] == "stop", no
        assert store.http("POST", url(shown, "decision"), {"decision": "dismiss"}, token)[0] == 200
    finally:
        done(store, watch)


def test_a_manager_approves_by_pin_and_five_wrong_ones_lock_the_tablet():
    store, watch = open_store(actions=[MANAGED])
    try:
        token = store.pair()
        store.ctl("manager", "add", "mia", stdin="2468\n")
        store.ctl("manager", "add", "max", stdin="13579\n")
        store.ctl("manager", "add", "short", stdin="12\n", code=65)
        shown = visit(store, watch)
        path = url(shown, "decision")
        assert shown["prompts"][0]["gate"] == "manager"
        assert store.http("POST", path, {"decision": "accept"}, token)[0] == 403
        assert store.http("POST", path, {"decision": "accept", "manager": "nobody", "pin": "2468"}, token)[0] == 403
        assert store.http("POST", path, {"decision": "accept", "manager": "max", "pin": "2468"}, token)[0] == 403
        for n in range(3):
            assert store.http("POST", path, {"decision": "accept", "manager": "mia", "pin": f"000{n}"}, token)[0] == 403
        locked = store.http("POST", path, {"decision": "accept", "manager": "mia", "pin": "2468"}, token)
        assert locked[0] == 423 and locked[1]["status"] == 423, locked
        # the lock survives a restart, and is one tablet's own
        store.stop()
        store.start()
        assert store.http("POST", path, {"decision": "accept", "manager": "mia", "pin": "2468"}, token)[0] == 423
        # over MQTT: a wrong PIN is refused and stored nowhere
        store.ctl("tablet", "add", "t9")
        prompt = shown["prompts"][0]["prompt"]

        def decide(manager, pin):
            watch.publish(f"{store.root}/tablet/t9/event", store.event("guidance.decided", {
                "guidance": shown["guidance"], "prompt": prompt, "decision": "accept",
                "approval": {"manager": manager, "pin": pin}}, source="/tablet/t9"))
        decide("max", "97531")
        wait_for("the refusal", lambda: [d for d in watch.on("/dead-letter") if d["reason"] == "bad-value"])
        assert "97531" not in store.ctl("deadletter", "--json")
        decide("max", "13579")
        command = wait_for("the command", lambda: watch.on("pos/7/command"))[0]
        assert command["type"] == "apply-offer" and command["prompt"] == prompt
        other = store.pair(name="t2")
        assert store.http("POST", path, {"decision": "accept", "manager": "max", "pin": "13579"}, other)[0] == 200
        store.ctl("manager", "remove", "max")
        store.ctl("manager", "remove", "max", code=66)
        assert {t["name"] for t in json.loads(store.ctl("tablet", "list", "--json"))["tablets"]} == {"t1", "t2", "t9"}
    finally:
        done(store, watch)


def test_a_stream_begins_resumes_and_survives_a_restart():
    store, watch = open_store(config="")
    try:
        fixed = store.status()["http"][0]
        store.stop()
        text = open(store.conf).read()
        with open(store.conf, "w") as f:
            f.write(text.replace("listen = 127.0.0.1:0", f"listen = {fixed}"))
        store.start()
        token = store.pair()
        stream = store.stream("7", token)
        wait_for("the first status", lambda: stream.events)
        assert stream.events[0][0] == "status" and stream.events[0][2]["state"] == "online"
        assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
        first = visit(store, watch)
        wait_for("guidance", lambda: [g for g in stream.of("guidance") if g["prompts"]])
        ids = [int(i) for k, i, _ in stream.events if k == "guidance"]
        assert ids == sorted(ids)
        # another stream begins with status and what is open
        second = store.stream("7", token)
        wait_for("the snapshot", lambda: second.of("guidance"))
        assert [k for k, _, _ in second.events[:2]] == ["status", "guidance"]
        assert second.of("guidance")[0]["guidance"] == first["guidance"]
        second.close()
        stream.close()
        # away while things happen: what was missed comes, and no more
        last = ids[-1]
        store.till(watch, "basket.tender-started", {"basket": "b1"})
        wait_for("the withdrawal", lambda: [g for g in watch.on("guidance/7") if g.get("reason") == "tender"])
        again = store.stream("7", token, last=last)
        wait_for("what was missed", lambda: again.of("withdraw"))
        assert again.of("withdraw") == [{"guidance": first["guidance"], "reason": "tender"}] and not again.of("guidance"), again.events
        after = max(int(i) for k, i, _ in again.events if i)
        again.close()
        # ids survive a restart: nothing is repeated, and what comes has higher ids
        store.stop(signal.SIGKILL)
        store.start()
        resumed = store.stream("7", token, last=after)
        store.till(watch, "basket.closed", {"basket": "b1", "total": 0, "currency": "EUR"})
        fresh = visit(store, watch, "b2")
        wait_for("the new guidance", lambda: [g for g in resumed.of("guidance") if g["guidance"] == fresh["guidance"]])
        assert all(int(i) > after for k, i, _ in resumed.events if k != "status" and i), resumed.events
        assert first["guidance"] not in [g["guidance"] for g in resumed.of("guidance")]
        resumed.close()
        # an id from nowhere begins anew
        anew = store.stream("7", token, last=999999999)
        wait_for("the snapshot", lambda: anew.of("guidance"))
        assert anew.of("guidance")[0]["guidance"] == fresh["guidance"]
        anew.close()
        assert json.loads(raw(store, "GET", "/v1/stations", None, token)[2])["stations"] == [{"station": "7", "open": 1}]
    finally:
        done(store, watch)


def test_a_stream_says_when_the_stores_broker_is_away_and_when_it_is_back():
    store, client = open_store()
    stream = store.stream("7", store.pair())
    try:
        wait_for("the first status", lambda: stream.of("status"))
        assert stream.of("status")[-1]["broker"] == "connected"
        store.broker.stop(signal.SIGKILL)
        wait_for("the broker to be missed", lambda: stream.of("status")[-1]["broker"] == "away")
        assert stream.of("status")[-1]["state"] == "online"
        store.broker.start()
        wait_for("the broker again", lambda: stream.of("status")[-1]["broker"] == "connected", 30)
    finally:
        stream.close()
        store.close()


def test_operators_see_health_metrics_and_a_report_that_outlives_the_process():
    store = Store(config="[hq]\nhost = 127.0.0.1\nport = 1\n")
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/#"])
        status, body = store.http("GET", "/readyz")
        assert status == 503 and "no-policy" in json.dumps(body), body
        assert store.http("GET", "/livez")[0] == 200
        store.ctl("bundle", "install", policy.bundle(store.folder))
        store.ctl("profiles", "install", policy.profiles(store.folder, [policy.GOLD], pepper=store.pepper))
        status, body = store.http("GET", "/readyz")
        assert status == 200 and "hq" in json.dumps(body), body
        token = store.pair()
        shown = visit(store, watch)
        store.http("POST", url(shown, "decision"), {"decision": "accept"}, token)
        status, heads, text = raw(store, "GET", "/metrics")
        assert status == 200 and heads["Content-Type"].startswith("text/plain") and b"aisle_decisions" in text
        assert b"aisle_turn_duration_seconds_count" in text
        count = [line for line in text.decode().splitlines() if line.startswith("aisle_turn_duration_seconds_count")][0]
        assert float(count.split()[1]) > 0, count
        assert store.http("GET", "/v1/report")[0] == 200  # an operator's address
        report = store.http("GET", "/v1/report", token=token)[1]
        assert (report["prompts"], report["accepted"], report["dismissed"]) == (1, 1, 0) and report["decisions"] >= 1, report
        store.stop(signal.SIGKILL)
        store.start()
        again = store.http("GET", "/v1/report", token=token)[1]
        # who was heard of and which cards were sent is written every five minutes: the end of a process forgets that much
        figures = [{k: v for k, v in told.items() if k not in ("at", "heard", "cards")} for told in (again, report)]
        assert figures[0] == figures[1], figures
        assert raw(store, "GET", "/")[0] == 200 and b"<html" in raw(store, "GET", "/")[2].lower()
        assert raw(store, "GET", "/manager")[0] == 200 and raw(store, "GET", "/manager", None, token)[0] == 200
        status, record = store.http("GET", f"/v1/decisions/{shown['decision']}", token=token)
        assert status == 200 and record == json.loads(store.ctl("why", shown["decision"], "--json"))
        watch.close()
    finally:
        store.close()


def test_the_control_group_gets_the_same_decision_and_no_card():
    control = policy.changed(policy.POLICY, control={"share": 1})
    store, watch = open_store(policy=control)
    try:
        token = store.pair()
        store.till(watch, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(watch, "customer.identified", {"card": CARD, "station": "7"})
        line = wait_for("the customer line", lambda: watch.on("guidance/7"))[0]
        assert line["prompts"] == [] and line["customer"]["line"] == policy.GOLD["line"]
        report = store.http("GET", "/v1/report", token=token)[1]
        assert report["withheld"] == 1 and report["prompts"] == 0
        # its prompt cannot be answered: nobody was shown it
        path = f"/v1/guidance/{line['guidance']}/prompts/01K00000000000000000000000/decision"
        assert store.http("POST", path, {"decision": "accept"}, token)[0] == 404
    finally:
        done(store, watch)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
